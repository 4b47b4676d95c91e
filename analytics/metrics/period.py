"""Which runs a journey's numbers are about: those that entered in a period, whatever became of them since."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until just before `until`; of the runs at most the newest `most`, so that a page that reads their
    history is as quick with a million runs as with a thousand."""

    since: datetime = _FIRST
    until: datetime = _LAST
    most: int | None = None

    @property
    def bounded(self) -> bool:
        return self != ALWAYS


ALWAYS: Final = Period()

# The runs of %(journey)s that entered in the period; metrics build on these, so that their numbers fit together.
COHORT: Final = """
    cohort AS MATERIALIZED (
        SELECT r.id, r.version_id, r.status, r.step, r.state
        FROM journeys_run r
        WHERE r.journey_id = %(journey)s AND r.entered_at >= %(since)s AND r.entered_at < %(until)s
        ORDER BY r.entered_at DESC, r.id DESC LIMIT %(most)s
    )
"""

# Of the moves between versions from there on, what the first one left; else what the run is of.
_VERSION: Final = """
    coalesce((
        SELECT v.version_from FROM journeys_transition v
        WHERE v.run_id = t.run_id AND v.seq {after} t.seq AND v.version_from IS NOT NULL ORDER BY v.seq LIMIT 1
    ), c.version_id)
"""
# Their moves. Never flattened: look-ups by run, however few the planner thinks will do. `left_version` is the version
# whose step a move left, `came_version` the one by which it came to the next.
MOVES: Final = f"""
    cohort c CROSS JOIN LATERAL (
        SELECT t.run_id, t.seq, t.at, t.step_from, t.step_to, t.state_to, t.cause, t.branch, t.event_id,
               t.event_received_at, {_VERSION.format(after=">=")} AS left_version,
               {_VERSION.format(after=">")} AS came_version
        FROM journeys_transition t WHERE t.run_id = c.id OFFSET 0
    ) t
"""


def parameters(journey_id: UUID, period: Period, **more: Any) -> dict[str, Any]:
    of_period = {"since": period.since, "until": period.until, "most": period.most}
    return {"journey": journey_id} | of_period | more


def messages_of(period: Period) -> str:
    """The messages filed under the journey, as `m`; of all times also those of runs that are not the journey's."""
    if not period.bounded:
        return "(SELECT * FROM channels_message m WHERE m.scope_id = %(journey)s AND m.origin_kind = 'run') m"
    return """cohort c CROSS JOIN LATERAL (
            SELECT * FROM channels_message m
            WHERE m.origin_id = c.id::text AND m.origin_kind = 'run' AND m.scope_id = %(journey)s OFFSET 0
        ) m"""
