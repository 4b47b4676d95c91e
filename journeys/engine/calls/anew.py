"""Anew: calls that failed for good are made once more, and the runs that ended by them go on waiting for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from customers import bells, dead_letters
from customers.pg import raw_cursor
from journeys.compiling import version
from journeys.engine.again import go_on
from journeys.engine.calls.answers import QUEUE
from journeys.engine.calls.step import calling
from journeys.models import Run

# Of a run that has not come anywhere since: another call, or another end, would say otherwise.
_FAILED: Final = f"""
    SELECT c.id, c.run_id, c.version_id, c.step FROM journeys_call c JOIN journeys_run r ON r.id = c.run_id
    JOIN journeys_callcontent t ON t.call_id = c.id
    WHERE c.id = ANY(%b) AND c.state = 'failed' AND r.status = {Run.Status.FAILED.value} AND r.step = c.step
      AND r.version_id = c.version_id
      AND NOT EXISTS (SELECT 1 FROM journeys_call later WHERE later.run_id = c.run_id AND later.visit > c.visit)
"""
_WAIT: Final = """
    UPDATE journeys_call SET state = 'waiting', due_at = %b, settled_at = NULL, error = '', status = NULL, crashes = 0,
        tries = '[]' WHERE id = ANY(%b)
"""


def call_again(ids: Sequence[int], now: datetime) -> int:
    """Have these calls made again, as often as their step says, by the same keys; how many runs wait for them."""
    with transaction.atomic(), raw_cursor() as cursor:
        rows = cursor.execute(_FAILED, [list(ids)]).fetchall()
        due = {}
        for _id, run_id, version_id, at_step in rows:
            due[run_id] = now + calling(version(version_id).steps[at_step]).within
        going = set(go_on(cursor, list(due), due, now)) if due else set()
        again = [id_ for id_, run_id, *_place in rows if run_id in going]
        if again:
            cursor.execute(_WAIT, [now, again])
            dead_letters.close(QUEUE, again, now)
            bells.ring("calls")
    return len(again)
