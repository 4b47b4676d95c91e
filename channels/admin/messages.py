"""The outbox, to be read: what was sent, and as well what was not."""

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from channels.admin import outbox
from channels.admin.exporting import Exported
from channels.admin.filters import AskedForBy, Created, Outcome
from channels.admin.reconciling import ReconcileActions
from channels.models import Message, MessageContent, Reason
from channels.scopes import names_of
from customers.admin.base import Facts, link
from customers.admin.show import Tone, state, when

_State = Message.State
_TONES: Final[dict[Any, Tone]] = {
    _State.SENT: "good",
    _State.DELIVERED: "good",
    _State.OPENED: "good",
    _State.CLICKED: "good",
    _State.SUPPRESSED: "warn",
    _State.CANCELLED: "warn",
    _State.EXPIRED: "warn",
    _State.HELD: "warn",
    _State.FAILED: "bad",
    _State.UNKNOWN: "bad",
}


@admin.register(Message)
class MessageAdmin(Exported, ReconcileActions, Facts):
    """The page of a message is drawn by analytics, which can say why it is as it is."""

    # Ids are made before the engine's time is known; people look for when it was asked for.
    ordering = ("-created_at", "-pk")  # type: ignore[assignment]  # Facts has one
    list_display = (
        "what",
        "channel",
        state("state", _TONES, _("state")),
        "because",
        "asked_for_by",
        "step_id",
        "to",
        when("created_at", _("asked for at")),
        when("settled_at", _("sent or settled at")),
    )
    list_filter = (Outcome, "state", "reason", "channel", AskedForBy, Created, "brand", "connector")
    list_select_related = ("template_version__template", "address")
    search_fields = (
        "id",
        "origin_id",
        "profile__id",
        "profile__identifier__value",
        "profile__addresses__address__value",
    )
    search_help_text = _("A whole address or identifier, or the id of a message, run or profile.")
    actions = ("arrived", "did_not_arrive", "send_again")
    when_empty = _("No message yet. A live journey makes one as soon as somebody comes to a message step.")

    def get_urls(self) -> list[URLPattern]:
        return [*outbox.urls(self.admin_site.admin_view), *super().get_urls()]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, its rows knowing the names of what asked for them, by one question for all."""
        changes = super().get_changelist_instance(request)
        names = names_of({message.scope_id for message in changes.result_list})
        for message in changes.result_list:
            message.scope_name = names.get(message.scope_id, "")
        return changes

    @admin.display(description=_("template"))
    def what(self, message: Message) -> str:
        return message.template_version.template.name

    @admin.display(description=_("reason"), ordering="reason")
    def because(self, message: Message) -> str:
        """With the words by which a template says so: its author's, of nobody."""
        said = str(message.get_reason_display())
        return f"{said}: {message.detail}" if message.reason == Reason.ABORTED else said

    @admin.display(description=_("to"))
    def to(self, message: Message) -> str:
        return message.address.value if message.address else ""

    @admin.display(description=_("asked for by"))
    def asked_for_by(self, message: Any) -> str:
        return message.scope_name or str(message.get_origin_kind_display())


@admin.register(MessageContent)
class MessageContentAdmin(Facts):
    list_display = (link("message_id", "channels_message", _("message")),)
    search_fields = ("message__id",)
