"""The pipeline's own books: queues, batches in work, dead letters."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers import clock, dead_letters
from customers.admin.base import Facts, QueueRows, link
from customers.admin.show import document, flag, when
from customers.models import AwaitedName, BatchClaim, DeadLetter, MatchItem, MergeItem

# As much of a reason as a line holds.
_READ = 120


@admin.register(AwaitedName)
class AwaitedNameAdmin(Facts):
    ordering = ("name",)
    list_display = ("name", "waiter")
    when_empty = _("Nothing live waits for an event: no journey is published.")
    search_fields = ("name", "waiter")


@admin.register(MatchItem)
class MatchItemAdmin(QueueRows):
    queue = "match"
    list_display = (
        "name",
        link("event_id", "customers_event", _("event")),
        link("profile_id", "customers_profile", _("profile")),
        when("received_at", _("received")),
    )
    when_empty = _("Nothing waits: every awaited event was matched.")
    search_fields = ("id", "profile_id")


@admin.register(MergeItem)
class MergeItemAdmin(QueueRows):
    queue = "merge"
    list_display = (
        "id",
        link("profile_id", "customers_profile", _("profile")),
        link("from_customer_id", "customers_customer", _("from customer")),
        link("to_customer_id", "customers_customer", _("to customer")),
        when("queued_at", _("queued")),
    )
    when_empty = _("Nothing waits: every merge was followed.")
    search_fields = ("id", "profile_id")


@admin.register(BatchClaim)
class BatchClaimAdmin(Facts):
    list_display = ("queue", "units", when("started_at", _("started")))
    when_empty = _("No worker has a batch in hand.")

    @admin.display(description=_("units"))
    def units(self, claim: BatchClaim) -> int:
        return len(claim.unit_ids)


@admin.register(DeadLetter)
class DeadLetterAdmin(Facts):
    list_display = (
        "unit_id",
        "queue",
        "cause",
        "attempts",
        when("at", _("given up")),
        flag("replayed_at", (_("put back"), "good"), (_("lies here"), "bad")),
    )
    fields = ("queue", "unit_id", "reason", "attempts", "at", "replayed_at", "kept")
    readonly_fields = ("kept",)
    search_help_text = _("The id of a letter or of the unit it holds.")
    when_empty = _("Nothing was given up. What fails five times comes here whole, to be put back once it is mended.")
    list_filter = ("queue", ("replayed_at", admin.EmptyFieldListFilter))
    search_fields = ("id", "unit_id")
    actions = ("replay",)

    @admin.display(description=_("reason"), ordering="reason")
    def cause(self, letter: DeadLetter) -> str:
        return Truncator(letter.reason).chars(_READ)

    @admin.display(description=_("row"))
    def kept(self, letter: DeadLetter) -> SafeString | str:
        return document(letter.row)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_deadletter"))

    @admin.action(description=_("Replay: put back into the queue"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        count = dead_letters.replay(chosen, clock.utcnow())
        text = ngettext("%(count)s unit was put back.", "%(count)s units were put back.", count)
        self.message_user(request, text % {"count": count})
        if count < len(chosen):
            text = gettext("The others were put back before, or their row or another run of their key is there.")
            self.message_user(request, text, messages.WARNING)
