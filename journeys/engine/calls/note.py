"""Noting: what a run asks is a row of its own, committed with the move that led it there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from psycopg import Cursor
from psycopg.types.json import Jsonb

from customers import bells
from customers.pg import copy_rows
from journeys.engine.walk import Asked

_NOTE: Final = """
    INSERT INTO journeys_call (run_id, visit, journey_id, version_id, profile_id, step, connector_id, state, created_at,
        due_at, attempts, crashes, error, tries)
    SELECT u.*, 'waiting', %b, %b, 0, 0, '', '[]'
    FROM unnest(%b::bigint[], %b::int[], %b::uuid[], %b::int[], %b::uuid[], %b::smallint[], %b::uuid[]) u
    RETURNING run_id, id
"""
# Of runs that are back where they were: nobody made what was not needed meanwhile.
_AGAIN: Final = """
    UPDATE journeys_call c SET state = 'waiting', due_at = %b, settled_at = NULL
    WHERE c.run_id = ANY(%b) AND c.state = 'left'
      AND NOT EXISTS (SELECT 1 FROM journeys_call later WHERE later.run_id = c.run_id AND later.visit > c.visit)
"""
_CONTENT: Final = (
    ("call_id", "int8"),
    ("target", "text"),
    ("headers", "jsonb"),
    ("body", "text"),
    ("reply", "text"),
)


def note(cursor: Cursor[Any], asked: Sequence[Asked], now: datetime) -> None:
    """Within the transaction of the moves; the runs have their ids."""
    rows = [
        (
            one.run.id,
            one.visit,
            one.run.journey_id,
            one.run.version.id,
            one.run.profile_id,
            one.step,
            one.run.version.connectors[one.step],
        )
        for one in asked
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    ids: dict[int, int] = dict(cursor.execute(_NOTE, [now, now, *columns]).fetchall())
    contents = (
        (ids[one.run.id], one.question.target, Jsonb(dict(one.question.headers), orjson.dumps), one.question.body, "")
        for one in asked
    )
    copy_rows(cursor, "journeys_callcontent", _CONTENT, contents)
    bells.ring("calls")


def note_again(cursor: Cursor[Any], run_ids: Sequence[int], now: datetime) -> None:
    """Have made after all what was not, since these runs seemed to be gone."""
    if run_ids and cursor.execute(_AGAIN, [now, list(run_ids)]).rowcount:
        bells.ring("calls")
