"""Waking: runs whose call is over are due at once, and the stage of timers moves them on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import Cursor

from customers import bells
from journeys.engine.calls.claim import HERE

_WAKE: Final = f"""
    UPDATE journeys_run r SET due_at = %b FROM journeys_call c
    WHERE r.id = ANY(%b) AND r.due_at > %b AND c.run_id = r.id AND c.state IN ('answered', 'failed') AND {HERE}
"""


def wake(cursor: Cursor[Any], run_ids: Sequence[int], now: datetime) -> None:
    """Of these runs, those that wait for a call that is over. Asked when it is, and of runs that come back from where
    they could not be woken: from a pause, or out of another run that they were merged into."""
    if run_ids and cursor.execute(_WAKE, [now, list(run_ids), now]).rowcount:
        bells.ring("engine")
