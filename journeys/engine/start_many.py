"""Many runs started at somebody's call: as one is, in a few statements for all of them, each person by themselves."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from customers import bells
from customers.pg import raw_cursor
from customers.told import tell_all
from journeys.engine.arrivals import Arrival
from journeys.engine.foretell import Wanted, foretell, try_all
from journeys.engine.on_their_way import moving_customers, oldest_unresolved
from journeys.engine.runs import RunState, lock_live
from journeys.engine.start import START_ASKED, Caller, startable
from journeys.engine.write import Work, write

BUSY: Final = "customer_busy"

_HOMES: Final = "SELECT id, customer_id FROM customers_profile WHERE id = ANY(%b)"
_LOCK: Final = "SELECT id FROM customers_customer WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE"
_PENDING: Final = """
    SELECT DISTINCT p.customer_id FROM customers_profile p WHERE p.customer_id = ANY(%b) AND (
        EXISTS (SELECT 1 FROM consent_queue q WHERE q.profile_id = p.id)
        OR EXISTS (SELECT 1 FROM customers_match_queue q WHERE q.profile_id = p.id)
    )
"""


class Asked(NamedTuple):
    """Who is to be started, and what stands for the properties of the entry event."""

    caller: Caller
    properties: Mapping[str, Any]


class Answer(NamedTuple):
    """The run of who was let in, else the reason: one of those of refused entries, or that they are busy."""

    run_id: int | None
    reason: str = ""


def start_all(journey_id: UUID, asked: Sequence[Asked], now: datetime) -> list[Answer]:
    """Start them as `start` does one; raises NotStartable. Of who is busy nothing is done or kept."""
    if not asked:
        return []
    with transaction.atomic(), raw_cursor() as cursor:
        candidate, entries = startable(journey_id, asked[0].caller.brand_id)
        homes = _lock(cursor, {one.caller.profile_id for one in asked})
        busy = _busy(cursor, set(homes.values()), now)
        ready = [n for n, one in enumerate(asked) if homes.get(one.caller.profile_id, None) not in {None, *busy}]
        arrivals = _tell(cursor, [asked[n] for n in ready], homes, now)
        runs: dict[UUID, list[RunState]] = defaultdict(list)
        for run, _began in lock_live(cursor, "customer_id", {one.customer_id for one in arrivals}):
            runs[run.customer_id].append(run)
        work = Work()
        reasons = try_all(cursor, candidate, entries, arrivals, runs, now, work) if arrivals else []
        write(cursor, work, now)
        if work.parked:
            bells.ring("engine")
    entered = iter(work.entered)
    answers = {
        n: Answer(None, reason) if reason else Answer(next(entered).id)
        for n, reason in zip(ready, reasons, strict=True)
    }
    return [answers.get(n, Answer(None, BUSY)) for n in range(len(asked))]


def try_out(journey_id: UUID, asked: Sequence[Asked], now: datetime) -> list[Answer]:
    """What `start_all` would answer now; nothing is written, and nobody is told to be busy."""
    if not asked:
        return []
    with raw_cursor() as cursor:
        candidate, entries = startable(journey_id, asked[0].caller.brand_id)
        rows = cursor.execute(_HOMES, [list({one.caller.profile_id for one in asked})]).fetchall()
        homes = dict(rows)
        wanted = [
            Wanted(one.caller.profile_id, homes[one.caller.profile_id], one.properties)
            for one in asked
            if one.caller.profile_id in homes
        ]
        reasons = iter(foretell(cursor, candidate, entries, wanted, now))
    return [Answer(None, next(reasons) if one.caller.profile_id in homes else BUSY) for one in asked]


def _lock(cursor: Cursor[Any], profiles: Collection[UUID]) -> dict[UUID, UUID]:
    """The customers of these profiles, locked as match locks them; without profiles that moved meanwhile."""
    before = dict(cursor.execute(_HOMES, [list(profiles)]).fetchall())
    cursor.execute(_LOCK, [sorted(set(before.values()))])
    after = dict(cursor.execute(_HOMES, [list(profiles)]).fetchall())
    return {profile: home for profile, home in after.items() if before.get(profile) == home}


def _busy(cursor: Cursor[Any], customers: set[UUID], now: datetime) -> set[UUID]:
    """Those of whom something that came earlier is still being worked on."""
    # From the beginning of an event's way to its end: what leaves one tray meanwhile is seen in the next.
    busy = set(oldest_unresolved(cursor, customers, now))
    busy |= {row[0] for row in cursor.execute(_PENDING, [list(customers)]).fetchall()}
    return (busy | moving_customers(cursor)) & customers


def _tell(cursor: Cursor[Any], asked: Sequence[Asked], homes: Mapping[UUID, UUID], now: datetime) -> list[Arrival]:
    told = [one.caller.happening(START_ASKED, dict(one.properties)) for one in asked]
    ids = tell_all(cursor, told, now) if told else []
    return [
        Arrival(
            0, id_, now, now, one.profile_id, one.brand_id, START_ASKED, one.message_id, homes[one.profile_id],
            one.properties,
        )
        for id_, one in zip(ids, told, strict=True)
    ]  # fmt: skip
