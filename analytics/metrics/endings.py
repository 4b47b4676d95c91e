"""How runs ended: a goal reached, an exit, or the end of a way, each by its state and outcome."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analytics.metrics.equation import Part
from analytics.metrics.period import ALWAYS, COHORT, MOVES, Period, parameters
from analytics.metrics.query import rows
from journeys.compiling import version
from journeys.models import EXITS, Cause, Run
from journeys.outcomes import of_exit, of_step

LABEL = _("Goals and other ends")
DEFINITION = _(
    "Runs that have ended by what the journey says itself: by the way of their end, its state and its outcome, as the "
    "version they were in names it. Those that failed, were merged or stopped stand under runs entered."
)
_WORDS: Final[dict[str, Any]] = {
    "goal": _("goal reached"),
    "completed": pgettext_lazy("end of a run", "end of the way"),
    "exit": pgettext_lazy("end of a run", "exit"),
    "expired": _("time-out of the journey"),
}
# A run goes out by one exit at most; those that went to the end of their way stand at it.
_SQL = f"""
    WITH {COHORT}
    SELECT t.version_id, t.cause, t.branch, t.event_id IS NOT NULL, c.state, c.step, count(*)
    FROM (SELECT c.version_id, t.* FROM {MOVES} WHERE t.cause = ANY(%(exits)s)) t JOIN cohort c ON c.id = t.run_id
    GROUP BY 1, 2, 3, 4, 5, 6
    UNION ALL
    SELECT version_id, NULL, NULL, false, state, step, count(*) FROM cohort
    WHERE status = {Run.Status.COMPLETED.value} GROUP BY 1, 5, 6
"""


@dataclass(frozen=True, slots=True)
class Ending:
    kind: str
    state: str
    outcome: str
    runs: int


@dataclass(frozen=True, slots=True)
class Endings:
    """Goals first, each kind by its number of runs."""

    label: str | Promise
    definition: str | Promise
    endings: tuple[Ending, ...]

    @property
    def total(self) -> int:
        return sum(one.runs for one in self.endings)

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(
            Part(one.kind, ", ".join(filter(None, (str(_WORDS[one.kind]), one.state, one.outcome))), one.runs)
            for one in self.endings
        )


def endings(journey_id: UUID, period: Period = ALWAYS) -> Endings:
    found = rows(_SQL, parameters(journey_id, period, exits=[cause.value for cause in EXITS]))
    counts: Counter[tuple[str, str, str]] = Counter()
    for version_id, cause, number, is_by_event, state, step, runs in found:
        of, kind = version(version_id), "completed"
        outcome = of_step(of.steps[step])
        if cause is not None:
            kind = Cause(cause).name.lower()
            # A last step may lead to an exit with an outcome of its own.
            outcome = of_exit(of.definition, cause, number, is_by_event=is_by_event) or outcome
        counts[kind, of.definition.states[state].name, outcome] += runs
    order = list(_WORDS)
    ranked = sorted(counts.items(), key=lambda one: (order.index(one[0][0]), -one[1], one[0]))
    return Endings(LABEL, DEFINITION, tuple(Ending(*named, runs) for named, runs in ranked))
