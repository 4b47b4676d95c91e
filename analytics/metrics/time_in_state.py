"""Time in state: how long runs stay in each state of the journey."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.period import ALWAYS, COHORT, MOVES, Period, parameters
from analytics.metrics.query import rows
from journeys.models import Run

LABEL = _("Time in state P75")
DEFINITION = _(
    "From the transition into a state to the first one out of it: 75 of 100 finished stays took at most this long. "
    "Stays that go on, or that ended with the run, are not in it; live runs that stand in the state are shown beside. "
    "States of one name are one state across the journey's versions."
)

_SQL = f"""
    WITH {COHORT}, state AS (
        SELECT v.id AS version_id, v.number, s.position - 1 AS state,
               s.definition ->> 'name' AS name, coalesce(s.definition ->> 'kind', 'active') AS kind
        FROM journeys_journeyversion v
        CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'states') WITH ORDINALITY AS s(definition, position)
        WHERE v.journey_id = %(journey)s
    ), move AS (
        SELECT s.name, t.run_id, t.seq, t.at, lag(s.name) OVER (PARTITION BY t.run_id ORDER BY t.seq) AS before
        FROM {MOVES} JOIN state s ON s.version_id = t.came_version AND s.state = t.state_to
    ), stay AS (
        SELECT name, at, lead(at) OVER (PARTITION BY run_id ORDER BY seq) AS left_at
        FROM move WHERE before IS DISTINCT FROM name
    ), finished AS (
        SELECT name, count(*) AS stays, percentile_disc(0.75) WITHIN GROUP (ORDER BY left_at - at) AS p75
        FROM stay WHERE left_at IS NOT NULL GROUP BY name
    ), standing AS (
        SELECT name, count(*) AS runs FROM cohort JOIN state USING (version_id, state)
        WHERE status = %(live)s GROUP BY name
    ), latest AS (
        SELECT DISTINCT ON (name) name, kind, number, state FROM state ORDER BY name, number DESC
    )
    SELECT name, kind, coalesce(runs, 0), coalesce(stays, 0), p75
    FROM latest LEFT JOIN finished USING (name) LEFT JOIN standing USING (name)
    ORDER BY number DESC, latest.state
"""


@dataclass(frozen=True, slots=True)
class Stays:
    """Of one state; `p75` is None when no stay has finished."""

    state: str
    kind: str
    standing: int
    finished: int
    p75: timedelta | None


@dataclass(frozen=True, slots=True)
class TimeInState:
    label: str | Promise
    definition: str | Promise
    states: tuple[Stays, ...]


def time_in_state(journey_id: UUID, period: Period = ALWAYS) -> TimeInState:
    """In the order of the latest version's states, those that only older versions have after them."""
    found = rows(_SQL, parameters(journey_id, period, live=Run.Status.ACTIVE.value))
    return TimeInState(LABEL, DEFINITION, tuple(Stays(*row) for row in found))
