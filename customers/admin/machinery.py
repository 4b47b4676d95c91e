"""The pipeline's own books: queues, batches in work, dead letters, audit."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers import clock, dead_letters
from customers.admin.base import Facts, QueueRows, hexadecimal, link
from customers.models import AuditEntry, AwaitedName, BatchClaim, DeadLetter, MatchItem, MergeItem


@admin.register(AwaitedName)
class AwaitedNameAdmin(Facts):
    ordering = ("name",)
    list_display = ("name", "waiter")
    search_fields = ("name", "waiter")


@admin.register(MatchItem)
class MatchItemAdmin(QueueRows):
    queue = "match"
    list_display = (
        "name",
        link("event_id", "customers_event", _("event")),
        link("profile_id", "customers_profile", _("profile")),
        "received_at",
    )
    search_fields = ("id", "profile_id")


@admin.register(MergeItem)
class MergeItemAdmin(QueueRows):
    queue = "merge"
    list_display = (
        link("profile_id", "customers_profile", _("profile")),
        link("from_customer_id", "customers_customer", _("from customer")),
        link("to_customer_id", "customers_customer", _("to customer")),
        "queued_at",
    )
    search_fields = ("id", "profile_id")


@admin.register(BatchClaim)
class BatchClaimAdmin(Facts):
    list_display = ("queue", "units", "started_at")

    @admin.display(description=_("units"))
    def units(self, claim: BatchClaim) -> int:
        return len(claim.unit_ids)


@admin.register(DeadLetter)
class DeadLetterAdmin(Facts):
    list_display = ("queue", "unit_id", "reason", "attempts", "at", "replayed_at")
    list_filter = ("queue", ("replayed_at", admin.EmptyFieldListFilter))
    search_fields = ("id", "unit_id")
    actions = ("replay",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_deadletter"))

    @admin.action(description=_("Replay: put back into the queue"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        count = dead_letters.replay(chosen, clock.utcnow())
        text = ngettext("%(count)s unit was put back.", "%(count)s units were put back.", count)
        self.message_user(request, text % {"count": count})
        if count < len(chosen):
            text = gettext("The others were put back before, or their row is still in its table.")
            self.message_user(request, text, messages.WARNING)


@admin.register(AuditEntry)
class AuditEntryAdmin(Facts):
    list_display = ("at", "action", "object_type", "object_id", "actor", "brand")
    list_filter = ("brand",)
    list_select_related = ("actor", "brand")
    search_fields = ("object_id",)
    readonly_fields = ("previous_hash", "own_hash")
    previous_hash = staticmethod(hexadecimal("previous", _("previous hash")))
    own_hash = staticmethod(hexadecimal("digest", _("hash")))
