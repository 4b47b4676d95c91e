"""What a run awaits where it stands, among its customer's events since the run's entry."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from customers.pg import copy_rows
from journeys.compiling import version
from journeys.engine.arrivals import Arrival, best_of, load_properties
from journeys.engine.runs import Began, People, RunState
from journeys.version import Meaning, Version

_LOOK_BACK: Final = """
    SELECT w.run_id, e.* FROM
        unnest(%b::bigint[], %b::uuid[], %b::text[], %b::timestamptz[]) AS w(run_id, customer_id, names, since),
        LATERAL (
            SELECT e.id, e.received_at, e.occurred_at, e.profile_id, e.brand_id, e.name, e.message_id
            FROM customers_profile p JOIN customers_event e ON e.profile_id = p.id
            WHERE p.customer_id = w.customer_id AND e.occurred_at >= w.since
              -- Nothing is accepted a day before it occurs, so older partitions need no look.
              AND e.received_at >= w.since - interval '1 day'
              AND e.name = ANY(string_to_array(w.names, E'\\x1f')) AND NOT e.historical
            OFFSET 0
        ) e
    ORDER BY e.received_at, e.id
"""
_RESUMED: Final = """
    SELECT t.* FROM unnest(%b::bigint[]) AS u(id), LATERAL (
        SELECT t.run_id, t.event_id FROM journeys_transition t
        WHERE t.run_id = u.id AND t.event_id >= %b OFFSET 0
    ) t
"""
_AHEAD: Final = timedelta(days=1)
# Runs whose customer has an event of an awaited name since the entry: mostly none. Each sub-select stands alone, as a
# look-up by key. Nothing is accepted a day before it occurs or a day ahead of our clocks, so partitions beyond need no
# look.
_GLANCE: Final = """
    SELECT DISTINCT r.id, r.version_id, r.step, e.name FROM unnest(%b::bigint[]) AS u(id),
        LATERAL (
            SELECT r.id, r.version_id, r.step, r.customer_id FROM journeys_run r
            WHERE r.id = u.id AND r.status + 0 = 1 OFFSET 0
        ) r,
        LATERAL (
            SELECT c.occurred_at, c.event_id FROM journeys_runcontext c WHERE c.run_id = r.id OFFSET 0
        ) c,
        LATERAL (SELECT p.id FROM customers_profile p WHERE p.customer_id = r.customer_id OFFSET 0) p,
        LATERAL (
            SELECT e.name FROM customers_event e
            WHERE e.profile_id = p.id AND e.occurred_at >= c.occurred_at
              AND e.received_at >= c.occurred_at - interval '1 day' AND e.received_at < %b
              AND e.name = ANY(ARRAY(SELECT a.name FROM customers_awaitedname a))
              AND e.id IS DISTINCT FROM c.event_id AND NOT e.historical
            OFFSET 0
        ) e
"""
_BEGAN: Final = "SELECT run_id, occurred_at, message_id, event_id FROM journeys_runcontext WHERE run_id = ANY(%b)"


def have_look_back(cursor: Cursor[Any], run_ids: Iterable[int]) -> None:
    """Queue the runs for re-check, which looks back once this is committed."""
    copy_rows(cursor, "journeys_recheck_queue", (("run_id", "int8"),), ((id_,) for id_ in run_ids))


def glance(cursor: Cursor[Any], run_ids: Collection[int], now: datetime) -> list[int]:
    """Those of the runs that await one of their customer's events where they stand, by as little reading as will do."""
    if not run_ids:
        return []
    rows = cursor.execute(_GLANCE, [sorted(run_ids), now + _AHEAD], prepare=True).fetchall()
    return sorted({run_id for run_id, version_id, step, name in rows if _awaits(version(version_id), step, name)})


def _awaits(of: Version, step: int, name: str) -> bool:
    return name in of.meanings[step] or name in of.looks


def look_back(cursor: Cursor[Any], live: Iterable[tuple[RunState, Began]]) -> dict[int, list[Arrival]]:
    """By run, the events of the names it awaits, in the order of receipt; what they say is not read yet."""
    asked = [
        (run.id, run.customer_id, names, began.occurred_at)
        for run, began in live
        if (names := run.version.names_joined[run.step])
    ]
    customer: dict[int, UUID] = {row[0]: row[1] for row in asked}
    found: dict[int, list[Arrival]] = defaultdict(list)
    if asked:
        for run_id, *event in cursor.execute(_LOOK_BACK, [list(one) for one in zip(*asked, strict=True)]).fetchall():
            found[run_id].append(Arrival(*[0, *event, customer[run_id]]))
    return found


def resumed(cursor: Cursor[Any], run_ids: Sequence[int], event_ids: Sequence[int]) -> set[tuple[int, int]]:
    """(run, event) pairs in which the event has already moved the run; later events than these may be among them."""
    if not run_ids or not event_ids:
        return set()
    return set(cursor.execute(_RESUMED, [list(run_ids), min(event_ids)], prepare=True).fetchall())


def weigh(cursor: Cursor[Any], runs: Iterable[RunState], people: People) -> dict[int, tuple[Meaning, Arrival]]:
    """Of the runs whose time is up at a hold that takes the best, the branch to take and the event it is taken for."""
    weighing = {run.id: run for run in runs if run.version.steps[run.step].takes_the_best()}
    if not weighing:
        return {}
    began = {row[0]: Began(*row[1:]) for row in cursor.execute(_BEGAN, [list(weighing)]).fetchall()}
    found = look_back(cursor, [(run, began[id_]) for id_, run in weighing.items()])
    arrivals = [one for events in found.values() for one in events]
    load_properties(cursor, arrivals)
    gone = resumed(cursor, list(weighing), [one.event_id for one in arrivals])
    best = {}
    for id_, events in found.items():
        run = weighing[id_]
        new = [one for one in events if (id_, one.event_id) not in gone]
        taken = best_of(run, began[id_], new, people.facts(run.customer_id, run.version, {}))
        if taken:
            best[id_] = taken
    return best
