"""Events on their way through the doors: accepted, stored."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.admin.base import Facts, QueueRows, link
from customers.admin.show import document, flag, when
from customers.models import Event, EventPayload, InboxItem, MessageKey
from customers.visibility import beside


@admin.register(Event)
class EventAdmin(Facts):
    list_display = (
        "name",
        "kind",
        link("profile_id", "customers_profile", _("profile")),
        "source",
        when("occurred_at", _("occurred")),
        when("received_at", _("received")),
        flag("historical", (_("historical"), ""), (pgettext_lazy("event", "live"), "good")),
    )
    when_empty = _("No event was accepted yet. Make a source and a write key, and have it send something.")
    list_filter = ("source", "historical")
    list_select_related = ("source",)
    search_fields = ("id", "profile__id", "profile__identifier__value")
    readonly_fields = ("content",)

    @admin.display(description=_("payload"))
    def content(self, event: Event) -> SafeString | str:
        rows = beside(event, EventPayload).filter(event_id=event.pk, received_at=event.received_at)
        return format_html_join("", "{}", ((document(row.payload),) for row in rows))


@admin.register(EventPayload)
class EventPayloadAdmin(Facts):
    list_display = ("event_id", when("received_at", _("received")))
    search_fields = ("event_id",)


@admin.register(InboxItem)
class InboxItemAdmin(QueueRows):
    queue = "inbox"
    list_display = ("name", "kind", "source", "message_id", when("received_at", _("received")))
    when_empty = _("Nothing waits: all that was accepted is resolved.")
    list_filter = ("source",)
    list_select_related = ("source",)
    search_fields = ("id",)


@admin.register(MessageKey)
class MessageKeyAdmin(Facts):
    list_display = ("key", "fingerprint", when("received_at", _("received")))
    search_fields = ("key",)
