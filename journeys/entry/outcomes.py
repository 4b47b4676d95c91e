"""What came of a call: how many were called, let in, and refused by which reason."""

from typing import Any, Final, NamedTuple

from customers.models import Job
from customers.pg import raw_cursor
from journeys.models import EntryRefusal, Journey

_LET_IN: Final = """
    SELECT count(*) FROM journeys_run r JOIN journeys_runcontext c ON c.run_id = r.id
    WHERE r.journey_id = %b AND r.entered_at >= %b AND c.message_id LIKE %b
"""
_REFUSED: Final = """
    SELECT f.reason, count(*) FROM journeys_entryrefusal f
    JOIN customers_event e ON e.id = f.event_id AND e.received_at = f.event_received_at
    WHERE f.journey_id = %b AND f.at >= %b AND e.message_id LIKE %b GROUP BY f.reason ORDER BY 2 DESC, 1
"""


class Outcome(NamedTuple):
    job: Job
    let_in: int
    # Reasons in words, with how many.
    refused: list[tuple[str, int]]

    @property
    def undecided(self) -> int:
        """Called, and not looked at yet."""
        return max(self.job.done - self.let_in - sum(count for _reason, count in self.refused), 0)


def outcome(journey: Journey, job: Job) -> Outcome:
    values: list[Any] = [journey.pk, job.created_at, f"{job.pk}-%"]
    with raw_cursor() as cursor:
        row = cursor.execute(_LET_IN, values).fetchone()
        refused = cursor.execute(_REFUSED, values).fetchall()
    named = [(str(EntryRefusal.Reason(reason).label), count) for reason, count in refused]
    return Outcome(job, row[0] if row else 0, named)
