"""Live runs: where they stand now, by step and state."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.period import ALWAYS, COHORT, Period, parameters
from analytics.metrics.query import rows
from journeys.models import Run

LABEL = _("Live runs")
DEFINITION = _(
    "Runs that are active now, by the step they rest at and the state they have there. Steps of one name are one "
    "step across the journey's versions."
)

# In the order of the latest version that has the step.
_SQL = f"""
    WITH {COHORT}, live AS (
        SELECT version_id, step, state, count(*) AS runs FROM cohort WHERE status = {Run.Status.ACTIVE.value}
        GROUP BY version_id, step, state
    )
    SELECT v.definition #>> ARRAY['steps', l.step::text, 'id'], v.definition #>> ARRAY['states', l.state::text, 'name'],
           sum(l.runs)::bigint
    FROM live l JOIN journeys_journeyversion v ON v.id = l.version_id
    GROUP BY 1, 2 ORDER BY max(v.number) DESC, min(l.step)
"""


@dataclass(frozen=True, slots=True)
class Standing:
    step: str
    state: str
    runs: int


@dataclass(frozen=True, slots=True)
class LiveRuns:
    label: str | Promise
    definition: str | Promise
    standing: tuple[Standing, ...]

    @property
    def total(self) -> int:
        return sum(one.runs for one in self.standing)


def live_runs(journey_id: UUID, period: Period = ALWAYS) -> LiveRuns:
    found = rows(_SQL, parameters(journey_id, period))
    return LiveRuns(LABEL, DEFINITION, tuple(Standing(*row) for row in found))
