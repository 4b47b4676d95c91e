"""What is kept of broadcasts, row by row: who gets one and what became of it, its counts, and who moved it."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from channels.models import Broadcast, BroadcastMove, BroadcastProgress, BroadcastRecipient, BroadcastTally
from customers.admin.base import Facts, Kept, ReadOnly, link
from customers.admin.show import Tone, flag, state, when


class OutcomeFilter(admin.SimpleListFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        # The empty outcome needs a name of its own in an address.
        return [(value or "waiting", label) for value, label in BroadcastRecipient.Outcome.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(outcome="" if self.value() == "waiting" else self.value())


class BroadcastFilter(admin.SimpleListFilter):
    """By the newest, or whichever a page leads here by."""

    title = _("broadcast")
    parameter_name = "broadcast"
    shown = 50

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        rows = Broadcast.objects.visible_to(request.user).exclude(state=Broadcast.State.DRAFT).order_by("-created_at")
        found = {str(pk): name for pk, name in rows.values_list("pk", "name")[: self.shown]}
        asked = request.GET.get(self.parameter_name, "")
        if asked and asked not in found and _is_uuid(asked):
            found |= {str(pk): name for pk, name in rows.filter(pk=asked).values_list("pk", "name")}
        return list(found.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        return queryset.filter(broadcast=chosen) if _is_uuid(chosen) else queryset.none()


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


_OUTCOMES: Final[dict[Any, Tone]] = {"made": "good", "late": "warn", "stopped": "warn"}


@admin.register(BroadcastRecipient)
class BroadcastRecipientAdmin(Facts):
    list_display = (
        "id",
        link("broadcast_id", "channels_broadcast", _("broadcast")),
        link("profile_id", "customers_profile", _("profile")),
        flag("is_pilot", (_("pilot group"), "info"), (_("others"), "")),
        state("outcome", _OUTCOMES, _("outcome")),
        when("settled_at", _("at")),
        "message",
    )
    list_filter = (BroadcastFilter, OutcomeFilter, "is_pilot")
    search_fields = ("profile__id", "profile__customer__id")
    search_help_text = _("The id of a profile or customer.")
    when_empty = _("Whoever is in the segment as a broadcast begins is listed here, with what became of it.")
    fields = ("broadcast", "profile", "is_pilot", "outcome", "consent_entry_id", "settled_at", "message")
    readonly_fields = ("message",)

    @admin.display(description=_("message"))
    def message(self, recipient: BroadcastRecipient) -> SafeString | str:
        """The way to what was written to them."""
        if recipient.outcome != BroadcastRecipient.Outcome.MADE:
            return ""
        return format_html('<a href="{}">{}</a>', messages_of(recipient), _("messages"))


def messages_of(recipient: BroadcastRecipient) -> str:
    return f"{reverse('admin:channels_message_changelist')}?{urlencode({'q': recipient.pk})}"


@admin.register(BroadcastTally)
class BroadcastTallyAdmin(Facts):
    list_display = (
        "id",
        link("broadcast_id", "channels_broadcast", _("broadcast")),
        "outcome",
        "recipients",
        "is_pilot",
    )
    search_fields = ("broadcast__id",)
    when_empty = _("No recipient of a broadcast has come to an end yet.")


@admin.register(BroadcastProgress)
class BroadcastProgressAdmin(Facts):
    list_display = (
        link("broadcast_id", "channels_broadcast", _("broadcast")),
        "recipients",
        "pilots",
        when("paced_until", _("paced until")),
    )
    search_fields = ("broadcast__id",)
    when_empty = _("No broadcast was started yet.")


@admin.register(BroadcastMove)
class BroadcastMoveAdmin(ReadOnly, Kept):
    list_display = (
        "id",
        link("broadcast_id", "channels_broadcast", _("broadcast")),
        when("at", _("at")),
        "by",
        "state_from",
        "state_to",
        "reason",
    )
    list_filter = ("state_to",)
    list_select_related = ("by",)
    search_fields = ("broadcast__name", "broadcast__key")
    search_help_text = _("A part of the broadcast’s name or key.")
    when_empty = _("No broadcast was started yet.")
