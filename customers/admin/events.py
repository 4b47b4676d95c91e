"""Events on their way through the doors: accepted, refused, stored."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers import clock, quarantine
from customers.admin.base import Facts, QueueRows, link, table
from customers.models import Event, EventPayload, InboxItem, MessageKey, QuarantinedEvent

# Reasons named in full after a replay; the rest is counted.
_NAMED = 5


@admin.register(Event)
class EventAdmin(Facts):
    list_display = (
        "name",
        "kind",
        link("profile_id", "customers_profile", _("profile")),
        "source",
        "occurred_at",
        "received_at",
        "historical",
    )
    list_filter = ("source", "historical")
    list_select_related = ("source",)
    search_fields = ("id", "profile__id", "profile__identifier__value")
    readonly_fields = ("content",)

    @admin.display(description=_("payload"))
    def content(self, event: Event) -> SafeString | str:
        rows = EventPayload.objects.filter(event_id=event.pk, received_at=event.received_at)
        return table((_("payload"),), rows.values_list("payload"))


@admin.register(EventPayload)
class EventPayloadAdmin(Facts):
    list_display = ("event_id", "received_at")
    search_fields = ("event_id",)


@admin.register(InboxItem)
class InboxItemAdmin(QueueRows):
    queue = "inbox"
    list_display = ("name", "kind", "source", "message_id", "received_at")
    list_filter = ("source",)
    list_select_related = ("source",)
    search_fields = ("id",)


@admin.register(MessageKey)
class MessageKeyAdmin(Facts):
    list_display = ("key", "fingerprint", "received_at")
    search_fields = ("key",)


@admin.register(QuarantinedEvent)
class QuarantinedEventAdmin(Facts):
    list_display = ("code", "pointer", "name", "source", "door", "received_at", "status")
    list_filter = ("status", "door", "source")
    list_select_related = ("source",)
    search_fields = ("id", "code")
    search_help_text = _("A whole reason code or id.")
    actions = ("replay", "discard")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_quarantinedevent"))

    @admin.action(description=_("Replay: send through acceptance again"), permissions=["settle"])
    def replay(self, request: HttpRequest, queryset: QuerySet[QuarantinedEvent]) -> None:
        result = quarantine.replay(list(queryset.values_list("pk", flat=True)), clock.utcnow())
        text = ngettext("%(count)s event was accepted.", "%(count)s events were accepted.", result.replayed)
        self.message_user(request, text % {"count": result.replayed})
        for pk, refusal in list(result.refusals.items())[:_NAMED]:
            values = {"id": pk, "code": refusal.code, "message": refusal.message}
            self.message_user(request, gettext("%(id)s stays: %(code)s. %(message)s") % values, messages.WARNING)
        left = len(result.refusals) - _NAMED
        if left > 0:
            text = ngettext("%(count)s more stays.", "%(count)s more stay.", left)
            self.message_user(request, text % {"count": left}, messages.WARNING)

    @admin.action(description=_("Discard"), permissions=["settle"])
    def discard(self, request: HttpRequest, queryset: QuerySet[QuarantinedEvent]) -> None:
        count = queryset.filter(status=QuarantinedEvent.Status.OPEN).update(
            status=QuarantinedEvent.Status.DISCARDED, settled_at=clock.utcnow()
        )
        text = ngettext("%(count)s event was discarded.", "%(count)s events were discarded.", count)
        self.message_user(request, text % {"count": count})
