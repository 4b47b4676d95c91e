"""Runs and what the engine writes about them, to be read."""

from typing import Final

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.admin.base import Facts, QueueRows, link
from customers.admin.show import Tone, state, when
from journeys.compiling import version
from journeys.models import (
    CallList,
    CallListRow,
    CancelWatch,
    Changeover,
    EntryRefusal,
    Halt,
    Journey,
    Occurrence,
    RecheckItem,
    Run,
    RunContext,
    Simulation,
)

_STATUS: Final[dict[int, Tone]] = {
    Run.Status.ACTIVE: "info",
    Run.Status.COMPLETED: "good",
    Run.Status.EXITED: "",
    Run.Status.FAILED: "bad",
    Run.Status.EXPIRED: "warn",
    Run.Status.MERGED: "",
}
_PROFILE = link("profile_id", "customers_profile", _("profile"))
_RUN = link("run_id", "journeys_run", _("run"))


@admin.register(Run)
class RunAdmin(QueueRows):
    """The page of a run is drawn by analytics, which can say why it went its way."""

    queue = "advance"
    ordering = ("-pk",)
    list_display = (
        "id",
        "journey",
        "version_number",
        state("status", _STATUS, _("status")),
        "step_name",
        "entry_key",
        link("customer_id", "customers_customer", _("customer")),
        when("entered_at", _("entered")),
        when("due_at", _("due")),
    )
    when_empty = _("Nobody has entered a journey yet. Publish one, and people enter by their events.")
    list_filter = ("status", "journey")
    list_select_related = ("journey", "version")
    search_fields = ("id", "profile__id", "profile__identifier__value", "profile__addresses__address__value")
    search_help_text = _("A whole identifier or address, or the id of a run or profile.")
    readonly_fields = ("step_name",)

    @admin.display(description=_("version"), ordering="version")
    def version_number(self, run: Run) -> str:
        return f"v{run.version.number}"

    @admin.display(description=_("step"))
    def step_name(self, run: Run) -> str:
        return version(run.version_id).steps[run.step].id


@admin.register(RunContext)
class RunContextAdmin(Facts):
    list_display = (_RUN, link("event_id", "customers_event", _("entry event")), "occurred_at")
    search_fields = ("run__id",)


@admin.register(EntryRefusal)
class EntryRefusalAdmin(Facts):
    list_display = (
        "id",
        "into",
        state("reason", dict.fromkeys(EntryRefusal.Reason.values, "warn"), _("reason")),
        _PROFILE,
        "entry_key",
        when("at", _("refused")),
    )
    search_help_text = _("The id of a journey or profile.")
    when_empty = _("Nobody was refused: every entry event started a run.")
    list_filter = ("reason",)
    search_fields = ("journey_id", "profile_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EntryRefusal]:
        rows: QuerySet[EntryRefusal] = super().get_queryset(request)
        named = Journey.objects.filter(pk=OuterRef("journey_id")).values("name")[:1]
        return rows.annotate(journey_name=Subquery(named))

    @admin.display(description=_("journey"))
    def into(self, refusal: EntryRefusal) -> str:
        """By name, where the journey is still known."""
        return getattr(refusal, "journey_name", None) or str(refusal.journey_id)


@admin.register(RecheckItem)
class RecheckItemAdmin(QueueRows):
    queue = "recheck"
    list_display = ("id", _RUN)
    when_empty = _("Nothing waits: every run that parked was looked at again.")
    search_fields = ("id", "run_id")


@admin.register(CancelWatch)
class CancelWatchAdmin(Facts):
    list_display = ("message_id", _RUN, "step")
    search_fields = ("message_id",)


@admin.register(Halt)
class HaltAdmin(Facts):
    list_display = (
        "id",
        "journey",
        "waiting",
        when("since", _("since")),
        when("resumed_at", _("resumed")),
        when("settled_at", _("settled")),
    )
    when_empty = _("No journey was ever paused or stopped with those who were in it.")
    list_filter = ("waiting",)
    list_select_related = ("journey",)
    search_fields = ("journey__id",)
    search_help_text = _("The id of a journey.")


@admin.register(Changeover)
class ChangeoverAdmin(Facts):
    list_display = (
        "id",
        "journey",
        "version",
        "moved",
        "ended",
        when("since", _("since")),
        when("settled_at", _("settled")),
    )
    when_empty = _("No publication has moved people to its version, or taken them out.")
    list_select_related = ("journey", "version__journey")
    search_fields = ("journey__id",)
    search_help_text = _("The id of a journey.")


@admin.register(Occurrence)
class OccurrenceAdmin(Facts):
    list_display = ("id", "journey", "version", when("at", _("at")), "state", when("settled_at", _("settled")))
    when_empty = _("No journey goes by the calendar.")
    list_filter = ("state",)
    list_select_related = ("journey", "version__journey")
    search_fields = ("journey__id",)
    search_help_text = _("The id of a journey.")


@admin.register(CallList)
class CallListAdmin(Facts):
    list_display = ("id", "journey", "kind", "lines", "created_by", when("created_at", _("handed in")))
    when_empty = _("Nobody has handed in a list; a journey’s pages have a tab for it.")
    list_select_related = ("journey", "created_by")
    search_fields = ("journey__id",)
    search_help_text = _("The id of a journey.")
    # Of a list of one person every number tells of that person; the journey's page knows to whom.
    exclude = ("found", "reasons")


@admin.register(CallListRow)
class CallListRowAdmin(Facts):
    list_display = ("line", "value", "problem", "parent")
    when_empty = _("No list is kept at present.")
    list_select_related = ("parent",)
    search_fields = ("parent__id",)
    search_help_text = _("The id of a list.")


@admin.register(Simulation)
class SimulationAdmin(Facts):
    list_display = ("id", "journey", "since", "until", "asked_by", when("created_at", _("asked for")))
    when_empty = _("Nobody has simulated a journey yet; a journey’s pages have a tab for it.")
    list_select_related = ("journey", "asked_by")
    search_fields = ("journey__id",)
    search_help_text = _("The id of a journey.")
