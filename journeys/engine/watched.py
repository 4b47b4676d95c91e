"""Segments that look at runs look again at whom a run has begun, moved or ended for: noted where that is written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.internal import Cause
from customers.segments.watch import Change, Watchers, tell_watchers, watchers_of
from journeys.engine.runs import RunState
from journeys.engine.walk import Moved
from journeys.models import Cause as Why
from journeys.rules import KIND, STEP_KIND

# Journeys and segments that feed each other must come to an end: how far each event is from what came from outside.
_HOPS = """
    SELECT e.id, e.hops FROM unnest(%b::bigint[], %b::timestamptz[]) AS u(id, received_at)
    JOIN customers_event e ON e.id = u.id AND e.received_at = u.received_at
"""
_KEYS = "SELECT id, key FROM journeys_journey WHERE id = ANY(%b)"
# By which somebody comes into a journey, or out of it.
_IN_OR_OUT = frozenset({Why.ENTERED, Why.MERGED, Why.FAILED, Why.UNMERGED, Why.TAKEN_UP})


def tell(cursor: Cursor[Any], moves: Sequence[Moved], ended: Iterable[RunState], now: datetime) -> None:
    watchers = watchers_of(cursor, [KIND, STEP_KIND])
    if not watchers:
        return
    keys = dict(cursor.execute(_KEYS, [list({one.run.version.journey_id for one in moves})]).fetchall())
    over = {id(run) for run in ended}
    hops = _hops(cursor, moves)
    tell_watchers(cursor, watchers, _changes(moves, over, keys, hops), now)


def _changes(
    moves: Sequence[Moved], over: set[int], keys: Mapping[UUID, str], hops: Mapping[int, int]
) -> Iterable[Change]:
    for one in moves:
        run, event = one.run, one.event[0] if one.event else None
        cause = Cause(event, hops.get(event, 0) if event is not None else 0)
        key, brand = keys[run.version.journey_id], run.version.brand_id
        yield Change(STEP_KIND, key, brand, run.profile_id, cause)
        if one.cause in _IN_OR_OUT or id(run) in over:
            yield Change(KIND, key, brand, run.profile_id, cause)


def _hops(cursor: Cursor[Any], moves: Sequence[Moved]) -> dict[int, int]:
    events = list({one.event for one in moves if one.event})
    if not events:
        return {}
    columns = [list(column) for column in zip(*events, strict=True)]
    return dict(cursor.execute(_HOPS, columns).fetchall())


def tell_of_failure(cursor: Cursor[Any], run_id: int, now: datetime) -> None:
    """The same of a run that was given up."""
    watchers: Watchers = watchers_of(cursor, [KIND, STEP_KIND])
    if not watchers:
        return
    row = cursor.execute(_FAILED, [run_id]).fetchone()
    if row is not None:
        profile, key, brand = row
        changes = (Change(kind, key, brand, profile, Cause()) for kind in (KIND, STEP_KIND))
        tell_watchers(cursor, watchers, changes, now)


_FAILED = """
    SELECT r.profile_id, j.key, j.brand_id FROM journeys_run r JOIN journeys_journey j ON j.id = r.journey_id
    WHERE r.id = %b
"""
