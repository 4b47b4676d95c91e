"""Which ways runs took from each step where ways part: counted once, read by branches and hold conversion."""

from dataclasses import dataclass
from uuid import UUID

from analytics.metrics.period import COHORT, MOVES, Period, parameters
from analytics.metrics.query import rows
from journeys.models import Cause, Run

_SQL = f"""
    WITH {COHORT}, parting AS (
        SELECT v.id AS version_id, v.number, s.position - 1 AS step, s.definition ->> 'id' AS id,
               s.definition ->> 'type' AS type
        FROM journeys_journeyversion v
        CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'steps') WITH ORDINALITY AS s(definition, position)
        WHERE v.journey_id = %(journey)s AND s.definition ?| array['branches', 'arms']
    ), place AS (
        SELECT id, type, max(number) AS number FROM parting GROUP BY id, type
    ), move AS MATERIALIZED (
        SELECT t.left_version, t.came_version, t.step_from, t.step_to, t.cause, t.branch, count(*) AS runs
        FROM {MOVES} GROUP BY 1, 2, 3, 4, 5, 6
    ), left_by AS (
        SELECT p.id, p.type, m.cause, m.branch, sum(m.runs)::bigint AS runs
        FROM move m JOIN parting p ON p.version_id = m.left_version AND p.step = m.step_from
        GROUP BY 1, 2, 3, 4
    ), come AS (
        SELECT p.id, p.type, sum(m.runs)::bigint AS runs
        FROM move m JOIN parting p ON p.version_id = m.came_version AND p.step = m.step_to
        GROUP BY 1, 2
    ), standing AS (
        SELECT p.id, p.type, count(*) AS runs
        FROM cohort c JOIN parting p ON p.version_id = c.version_id AND p.step = c.step
        WHERE c.status = {Run.Status.ACTIVE.value} GROUP BY 1, 2
    )
    SELECT place.id, place.type, coalesce(come.runs, 0), coalesce(standing.runs, 0),
           array_agg(l.cause), array_agg(l.branch), array_agg(l.runs)
    FROM place LEFT JOIN come USING (id, type) LEFT JOIN standing USING (id, type)
    LEFT JOIN left_by l ON l.id = place.id AND l.type = place.type
    GROUP BY place.id, place.type, come.runs, standing.runs, place.number
    ORDER BY place.number DESC, (SELECT min(step) FROM parting p WHERE p.id = place.id AND p.number = place.number)
"""


@dataclass(frozen=True, slots=True)
class Parting:
    """A step where ways part. `came` is how often runs came to it, `left` how often they left it by each (cause,
    branch), `standing` how many are there now."""

    step: str
    type: str
    came: int
    standing: int
    left: dict[tuple[Cause, int | None], int]

    def gone(self, *causes: Cause) -> int:
        return sum(count for (cause, _branch), count in self.left.items() if cause in causes)


def partings(journey_id: UUID, period: Period) -> list[Parting]:
    """In the order of the latest version that has the step."""
    return [
        Parting(
            step,
            type_,
            came,
            standing,
            # A step nobody has left has one row of nulls.
            {(Cause(cause), branch): runs for cause, branch, runs in zip(*left, strict=True) if cause is not None},
        )
        for step, type_, came, standing, *left in rows(_SQL, parameters(journey_id, period))
    ]
