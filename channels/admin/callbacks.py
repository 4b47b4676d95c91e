"""What providers called us back with, and what they said of messages."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from channels.models import ProviderCallback, Receipt
from channels.receipts import read
from customers import clock
from customers.admin.base import Facts, link
from customers.admin.show import Tone, document, flag, state, when

_STATUS: Final[dict[Any, Tone]] = {
    ProviderCallback.Status.WAITING: "info",
    ProviderCallback.Status.DONE: "good",
    ProviderCallback.Status.UNHANDLED: "warn",
    ProviderCallback.Status.FAILED: "bad",
}
_HAPPENED: Final[dict[Any, Tone]] = {
    Receipt.Happened.SENT: "info",
    Receipt.Happened.DELIVERED: "good",
    Receipt.Happened.OPENED: "good",
    Receipt.Happened.CLICKED: "good",
    Receipt.Happened.DELAYED: "warn",
    Receipt.Happened.SOFT_BOUNCED: "warn",
    Receipt.Happened.BOUNCED: "bad",
    Receipt.Happened.FAILED: "bad",
    Receipt.Happened.COMPLAINED: "bad",
    Receipt.Happened.UNSUBSCRIBED: "warn",
}


@admin.register(ProviderCallback)
class ProviderCallbackAdmin(Facts):
    list_display = (
        "id",
        "connector",
        state("status", _STATUS, _("status")),
        "reason",
        "told",
        "repeats",
        when("received_at", _("received")),
    )
    list_filter = ("status", "connector")
    list_select_related = ("connector",)
    search_fields = ("id",)
    search_help_text = _("A whole id.")
    actions = ("replay",)
    when_empty = _("No provider has called yet. A connector’s page tells the address at which its provider may.")
    fieldsets = (
        (None, {"fields": ("connector", "status", "reason", "read_at", "told", "repeats")}),
        (_("What came"), {"fields": ("received_at", "content_type", "query", "sent_headers", "as_it_came")}),
    )
    readonly_fields = ("sent_headers", "as_it_came")

    @admin.display(description=_("headers"))
    def sent_headers(self, row: ProviderCallback) -> SafeString | str:
        return document(row.headers)

    @admin.display(description=_("as it came"))
    def as_it_came(self, row: ProviderCallback) -> SafeString | str:
        # A mask is text.
        held: Any = row.body
        return document(held if isinstance(held, str) else bytes(held).decode(errors="replace"))

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("channels.change_providercallback"))

    @admin.action(description=_("Read anew, by the connector as it is now"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[ProviderCallback]) -> None:
        count = read.again(list(queryset.values_list("pk", flat=True)), clock.utcnow())
        text = ngettext("%(count)s call waits for it.", "%(count)s calls wait for it.", count)
        self.message_user(request, text % {"count": count})


@admin.register(Receipt)
class ReceiptAdmin(Facts):
    list_display = (
        state("happened", _HAPPENED, _("what happened")),
        flag("is_machine", (_("a machine"), "info"), (_("a person"), "info")),
        "code",
        link("message_id", "channels_message", _("message")),
        "connector",
        "outcome",
        when("at", _("at")),
    )
    list_filter = ("happened", "outcome", "is_machine", "connector")
    list_select_related = ("connector",)
    search_fields = ("message__id", "provider_id")
    search_help_text = _("The whole id of a message, ours or the provider’s.")
    when_empty = _("No receipt yet. Providers tell what became of messages once they know the connector’s address.")
    readonly_fields = ("about",)
    exclude = ("message",)
    about = staticmethod(link("message_id", "channels_message", _("message")))
