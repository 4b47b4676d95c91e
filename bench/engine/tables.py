"""The tables a round of the engine fills, emptied before it and counted after it."""

from typing import Any

from psycopg import Connection

from bench.database import empty
from bench.journey import MESSAGES_SENT, STEPS_TAKEN

_LASTING = {
    "journeys_run": 1,
    "journeys_runcontext": 1,
    "journeys_entrymemory": 1,
    "journeys_transition": STEPS_TAKEN,
    "journeys_ruleinputs": 1,
    "channels_message": MESSAGES_SENT,
    "channels_messagecontent": MESSAGES_SENT,
}
_PASSING = ("customers_match_queue", "journeys_recheck_queue", "journeys_entryrefusal")
_OTHERS = (
    "customers_event",
    "customers_eventpayload",
    "customers_batchclaim",
    "journeys_cancelwatch",
    "journeys_ruleinputs",
)


def clear(connection: "Connection[Any]") -> None:
    empty(connection, *_LASTING, *_PASSING, *_OTHERS)


def check(connection: "Connection[Any]", runs: int) -> None:
    """Whoever wrote, the same rows must lie there: every run complete, every second one timed out and watched."""
    expected = {table: count * runs for table, count in _LASTING.items()} | dict.fromkeys(_PASSING, 0)
    expected["journeys_cancelwatch"] = runs // 2
    expected["journeys_run WHERE status = 2 AND due_at IS NULL"] = runs
    expected["journeys_entrymemory WHERE last_ended_at IS NOT NULL"] = runs
    expected["channels_message WHERE state = 'queued' AND address_id IS NOT NULL"] = MESSAGES_SENT * runs
    found = {table: _count(connection, table) for table in expected}
    if found != expected:
        raise RuntimeError(f"expected {expected}, found {found}")


def _count(connection: "Connection[Any]", table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    return int(row[0]) if row else 0
