"""How far runs are from what came from outside: what follows from their messages is one hop further."""

from collections.abc import Collection
from typing import Any, Final

from psycopg import Cursor

from customers.internal import Cause

# By the latest event that moved the run: what its messages cause follows from that.
_CAUSES: Final = """
    SELECT u.id::text, e.id, e.hops
    FROM unnest(%b::bigint[]) AS u(id), LATERAL (
        SELECT t.event_id, t.event_received_at FROM journeys_transition t
        WHERE t.run_id = u.id AND t.event_id IS NOT NULL ORDER BY t.seq DESC LIMIT 1
    ) last
    JOIN customers_event e ON e.id = last.event_id AND e.received_at = last.event_received_at
"""


def causes_of_runs(cursor: Cursor[Any], origin_ids: Collection[str]) -> dict[str, Cause]:
    rows = cursor.execute(_CAUSES, [[int(one) for one in origin_ids]]).fetchall()
    return {run: Cause(event, hops) for run, event, hops in rows}
