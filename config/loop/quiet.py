"""Waiting for the end: nothing queued, nothing in hand, nobody under way."""

import time
from collections.abc import Callable
from typing import Final

from django.db import connection

from config.loop.processes import LoopError

# Every place where work can wait; each must be empty when all is done.
WAITING: Final = {
    "webhooks": "SELECT count(*) FROM customers_receivedbody WHERE status = 'waiting'",
    "inbox": "SELECT count(*) FROM customers_inbox",
    "match queue": "SELECT count(*) FROM customers_match_queue",
    "merge queue": "SELECT count(*) FROM customers_merge_queue",
    "consent queue": "SELECT count(*) FROM consent_queue",
    "re-check queue": "SELECT count(*) FROM journeys_recheck_queue",
    "live runs": "SELECT count(*) FROM journeys_run WHERE status = 1",
    "messages in hand": "SELECT count(*) FROM channels_message"
    " WHERE state IN ('queued', 'held', 'leased', 'dispatching')",
    "notes of dead workers": "SELECT count(*) FROM customers_batchclaim",
    "units worked on alone": "SELECT count(*) FROM customers_unitattempt",
}


def waiting() -> dict[str, int]:
    """What waits, by place; places that are empty are left out."""
    found = {}
    with connection.cursor() as cursor:
        for place, count in WAITING.items():
            cursor.execute(count)
            if number := int(cursor.fetchone()[0]):
                found[place] = number
    return found


def await_quiet(check: Callable[[], None], seconds: float) -> None:
    """Return once nothing waits anywhere."""
    until = time.monotonic() + seconds
    while left := waiting():
        check()
        if time.monotonic() > until:
            raise LoopError(f"after {seconds:.0f} s there is still waiting: {left}")
        time.sleep(0.2)
