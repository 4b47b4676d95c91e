"""Hold until: wait for one of several events, or for time to run out."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import Text, form
from customers.rules.errors import Problem
from journeys.models import Cause
from journeys.spans import span_problems
from journeys.steps.base import EventMatch, Go, Here, Outcome, Reset, Step, Wait
from journeys.variables import Assignment

_MOST_BRANCHES = 9
_MOST_RESETS = 100


class HoldBranch(EventMatch, kw_only=True, forbid_unknown_fields=True):
    next: Annotated[str, form(_("then go to"), refers="step")]
    sets: Annotated[list[Assignment], form(_("sets variables"))] = []


class TimeOut(Struct, kw_only=True, forbid_unknown_fields=True):
    """`after` is an ISO 8601 duration of elapsed time."""

    after: Annotated[timedelta, form(_("after"))]
    next: Annotated[str, form(_("go to"), refers="step")]


class Hold(Step, tag_field="type", tag="hold", kw_only=True, forbid_unknown_fields=True):
    """Looks back to the run's entry, or with `since: step` to the moment it began to wait.

    With `take: best` it waits to the end, and of all that came takes the branch that stands first.
    """

    label: ClassVar[Text] = _("Hold until")
    help: ClassVar[Text] = _("Waits for one of several events, or for time to run out.")
    waits: ClassVar[bool] = True

    branches: Annotated[list[HoldBranch], form(_("until one of these happens"))]
    timeout: Annotated[TimeOut, form(_("or time runs out"))]
    since: Annotated[
        Literal["entry", "step"],
        form(
            _("counts what happened since"),
            choices={"entry": _("the entry into the journey"), "step": _("the arrival at this step")},
        ),
    ] = "entry"
    take: Annotated[
        Literal["first", "best"],
        form(
            _("goes on"),
            choices={
                "first": _("at once, with the first event that comes"),
                "best": _("when time is up, with the branch that stands first of those whose event came"),
            },
        ),
    ] = "first"
    reset: Annotated[Reset | None, form(_("waits anew after"))] = None

    def looks_back_to_itself(self) -> bool:
        return self.since == "step"

    def takes_the_best(self) -> bool:
        return self.take == "best"

    def targets(self) -> list[str]:
        return [*(branch.next for branch in self.branches), self.timeout.next]

    def awaits(self) -> list[EventMatch]:
        return list(self.branches)

    def gives(self, branch: int) -> Sequence[Assignment]:
        return self.branches[branch].sets

    def resets(self) -> Reset | None:
        return self.reset

    def problems(self) -> Iterator[Problem]:
        if not self.branches:
            yield Problem("no_branch", "/branches", _("A hold awaits at least one event."), _("Use a delay."))
        if len(self.branches) > _MOST_BRANCHES:
            yield Problem("branch_count", "/branches", _("A hold has at most 9 branches."), _("Put two in a row."))
        if self.reset and not 1 <= self.reset.most <= _MOST_RESETS:
            yield Problem("reset_count", "/reset/most", _("Time begins anew between 1 and 100 times."))
        yield from span_problems(self.timeout.after, "/timeout")

    def enter(self, here: Here) -> Outcome:
        return Wait(here.now + self.timeout.after)

    def due(self, here: Here) -> Outcome:
        return Go(self.timeout.next, Cause.TIMED_OUT)

    def resume(self, branch: int) -> Outcome:
        cause = Cause.BEST if self.takes_the_best() else Cause.EVENT
        return Go(self.branches[branch].next, cause, branch)
