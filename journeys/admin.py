"""The plain admin of journeys: drafts to be written and published, runs to be read."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.admin import StopActions
from customers import clock
from customers.admin.base import (
    AnyStacked,
    Facts,
    Kept,
    QueueRows,
    ReadOnly,
    link,
    table,
)
from journeys.definition import InvalidDefinition
from journeys.models import (
    CancelWatch,
    Cause,
    EntryMemory,
    EntryRefusal,
    Journey,
    JourneyVersion,
    RecheckItem,
    Run,
    RunContext,
    Transition,
)
from journeys.publish import publish
from journeys.version import version

if TYPE_CHECKING:
    JourneyModelForm = forms.ModelForm[Journey]
else:
    JourneyModelForm = forms.ModelForm

_JOURNEY = link("journey_id", "journeys_journey", _("journey"))
_PROFILE = link("profile_id", "customers_profile", _("profile"))
_RUN = link("run_id", "journeys_run", _("run"))


class JourneyForm(JourneyModelForm):
    """Only publishing makes a journey live for the first time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "status" in self.fields:
            absent = {Journey.Status.DRAFT} if self.instance.live_version_id else _NEEDING_A_VERSION
            choices = [choice for choice in Journey.Status.choices if choice[0] not in absent]
            self.fields["status"].choices = choices  # type: ignore[attr-defined]  # a field with choices


_NEEDING_A_VERSION = {Journey.Status.LIVE, Journey.Status.PAUSED}


@admin.register(Journey)
class JourneyAdmin(StopActions, Kept):
    form = JourneyForm
    list_display = ("name", "key", "brand", "squad", "status", "live_version")
    list_filter = ("status", "brand", "squad")
    list_select_related = ("brand", "squad", "live_version__journey")
    search_fields = ("name", "key")
    autocomplete_fields = ("brand", "squad")
    prepopulated_fields = {"key": ("name",)}
    readonly_fields = ("live_version",)
    actions = ("publish_draft", "stop_sending", "release_sending")

    @admin.action(description=_("Publish the draft"), permissions=["change"])
    def publish_draft(self, request: HttpRequest, queryset: QuerySet[Journey]) -> None:
        for journey in queryset:
            try:
                made = publish(journey, journey.draft, by=request.user, now=clock.utcnow())  # type: ignore[arg-type]  # the admin lets nobody else in
            except InvalidDefinition as error:
                for problem in error.problems:
                    text = f"{journey}: {problem.pointer or '/'}: {problem.message} {problem.hint}".rstrip()
                    self.message_user(request, text, messages.ERROR)
            else:
                self.message_user(request, gettext("%(version)s is live.") % {"version": made})


@admin.register(JourneyVersion)
class JourneyVersionAdmin(ReadOnly, Kept):
    list_display = ("journey", "number", "published_at", "published_by")
    list_filter = ("journey",)
    list_select_related = ("journey", "published_by")
    search_fields = ("journey__name", "journey__key")


class ContextInline(ReadOnly, AnyStacked):
    model = RunContext
    can_delete = False


@admin.register(Run)
class RunAdmin(QueueRows):
    queue = "advance"
    ordering = ("-pk",)
    list_display = (
        "id",
        "journey",
        "version_number",
        "status",
        "step_name",
        "entry_key",
        link("customer_id", "customers_customer", _("customer")),
        "entered_at",
        "due_at",
    )
    list_filter = ("status", "journey")
    list_select_related = ("journey", "version")
    search_fields = ("id", "profile__id", "profile__identifier__value", "profile__addresses__address__value")
    search_help_text = _("A whole identifier or address, or the id of a run or profile.")
    readonly_fields = ("step_name", "moves", "remembered")
    inlines = (ContextInline,)

    @admin.display(description=_("version"), ordering="version")
    def version_number(self, run: Run) -> str:
        return f"v{run.version.number}"

    @admin.display(description=_("step"))
    def step_name(self, run: Run) -> str:
        return version(run.version_id).steps[run.step].id

    @admin.display(description=_("transitions"))
    def moves(self, run: Run) -> SafeString | str:
        steps = [step.id for step in version(run.version_id).steps]
        states = [state.name for state in version(run.version_id).definition.states]
        made = Transition.objects.filter(run=run).order_by("seq")
        rows = made.values_list("seq", "at", "cause", "step_from", "step_to", "state_to", "branch", "event_id")
        return table(
            (
                _("sequence"),
                _("at"),
                _("cause"),
                _("from step"),
                _("to step"),
                _("to state"),
                _("branch"),
                _("event"),
            ),
            (
                (
                    seq,
                    at,
                    Cause(cause).label,
                    None if before is None else steps[before],
                    None if after is None else steps[after],
                    states[state],
                    *rest,
                )
                for seq, at, cause, before, after, state, *rest in rows
            ),
        )

    @admin.display(description=_("entry memory"))
    def remembered(self, run: Run) -> SafeString | str:
        memories = EntryMemory.objects.filter(
            journey_id=run.journey_id, profile_id=run.profile_id, entry_key=run.entry_key
        )
        rows = memories.values_list("last_entered_at", "last_ended_at")
        return table((_("last entered at"), _("last ended at")), rows)


@admin.register(RunContext)
class RunContextAdmin(Facts):
    list_display = (_RUN, link("event_id", "customers_event", _("entry event")), "occurred_at")
    search_fields = ("run__id",)


@admin.register(EntryRefusal)
class EntryRefusalAdmin(Facts):
    list_display = ("id", _JOURNEY, "reason", _PROFILE, "entry_key", "at")
    list_filter = ("reason",)
    search_fields = ("journey_id", "profile_id")


@admin.register(RecheckItem)
class RecheckItemAdmin(QueueRows):
    queue = "recheck"
    list_display = ("id", _RUN)
    search_fields = ("id", "run_id")


@admin.register(CancelWatch)
class CancelWatchAdmin(Facts):
    list_display = ("message_id", _RUN, "step")
    search_fields = ("message_id",)
