"""Outcomes to rows, in one place: what a stage walked is written with a handful of statements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import Cursor
from psycopg.types.json import Jsonb

from channels.exposures import NewExposure, keep_exposures
from consent.permission import Choice, Want
from customers.pg import copy_rows
from journeys.engine.calls.note import note
from journeys.engine.looking_back import glance, have_look_back
from journeys.engine.runs import Began, RunState
from journeys.engine.sending import send
from journeys.engine.telling import say
from journeys.engine.variables import write_variables
from journeys.engine.walk import Drawn, Moved, Seen, Walked
from journeys.engine.watched import tell as tell_segments
from journeys.models import EntryRefusal


@dataclass(frozen=True, slots=True)
class Origin:
    """What a new run keeps of its entry."""

    event_id: int | None
    received_at: datetime | None
    began: Began
    consent_entry_id: int | None
    variables: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    journey_id: UUID
    version_id: int
    profile_id: UUID
    entry_key: str
    event_id: int | None
    received_at: datetime | None
    reason: EntryRefusal.Reason
    consent_entry_id: int | None = None
    # What stood in the way: the run that was live, or the exit rule that held already, by its number.
    live_run: RunState | None = None
    exit_rule: int | None = None
    # Of a cap: how many were counted, and how many there may be.
    counted: int | None = None
    most: int | None = None


@dataclass(slots=True)
class Work(Walked):
    """A stage's whole result: walks, entries with their origin, and entries refused."""

    origins: dict[int, Origin] = field(default_factory=dict)
    refusals: list[Refused] = field(default_factory=list)
    # Addresses already chosen in this transaction, at the entry gate for one.
    choices: dict[Want, list[Choice]] = field(default_factory=dict)


_RUN = (
    ("id", "int8"),
    ("journey_id", "uuid"),
    ("version_id", "int4"),
    ("customer_id", "uuid"),
    ("profile_id", "uuid"),
    ("entry_key", "varchar"),
    ("status", "int2"),
    ("step", "int2"),
    ("state", "int2"),
    ("seq", "int4"),
    ("timed_out_step", "int2"),
    ("entered_at", "timestamptz"),
    ("stepped_at", "timestamptz"),
    ("due_at", "timestamptz"),
    ("ends_at", "timestamptz"),
    ("waits_until", "timestamptz"),
    ("ended_at", "timestamptz"),
)
_CONTEXT = (
    ("run_id", "int8"),
    ("event_id", "int8"),
    ("event_received_at", "timestamptz"),
    ("occurred_at", "timestamptz"),
    ("message_id", "varchar"),
    ("consent_entry_id", "int8"),
    ("variables", "jsonb"),
)
_TRANSITION = (
    ("run_id", "int8"),
    ("seq", "int4"),
    ("at", "timestamptz"),
    ("step_from", "int2"),
    ("step_to", "int2"),
    ("state_to", "int2"),
    ("cause", "int2"),
    ("branch", "int2"),
    ("event_id", "int8"),
    ("event_received_at", "timestamptz"),
    ("version_from", "int4"),
)
_REFUSAL = (
    ("journey_id", "uuid"),
    ("version_id", "int4"),
    ("profile_id", "uuid"),
    ("entry_key", "varchar"),
    ("event_id", "int8"),
    ("event_received_at", "timestamptz"),
    ("reason", "varchar"),
    ("consent_entry_id", "int8"),
    ("live_run_id", "int8"),
    ("exit_rule", "int2"),
    ("counted", "int2"),
    ("most", "int2"),
    ("at", "timestamptz"),
)
_SEEN = (("run_id", "int8"), ("seq", "int4"), ("traits", "jsonb"), ("facts", "jsonb"))

_UPDATE_RUNS = """
    UPDATE journeys_run r SET status = u.status, step = u.step, state = u.state, seq = u.seq,
        timed_out_step = u.timed_out_step, stepped_at = u.stepped_at, due_at = u.due_at,
        waits_until = u.waits_until, ended_at = u.ended_at, rests_due_at = NULL
    FROM unnest(%b::bigint[], %b::smallint[], %b::smallint[], %b::smallint[], %b::int[], %b::smallint[],
                %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[])
        AS u(id, status, step, state, seq, timed_out_step, stepped_at, due_at, waits_until, ended_at)
    WHERE r.id = u.id
"""
_REMEMBER_ENTRY = """
    INSERT INTO journeys_entrymemory AS m (journey_id, profile_id, entry_key, last_entered_at)
    SELECT DISTINCT u.journey_id, u.profile_id, u.entry_key, %b::timestamptz
    FROM unnest(%b::uuid[], %b::uuid[], %b::text[]) AS u(journey_id, profile_id, entry_key) ORDER BY 1, 2, 3
    ON CONFLICT (journey_id, profile_id, entry_key) DO UPDATE SET last_entered_at = excluded.last_entered_at
"""
_REMEMBER_END = """
    UPDATE journeys_entrymemory m SET last_ended_at = %b
    FROM unnest(%b::uuid[], %b::uuid[], %b::text[]) AS u(journey_id, profile_id, entry_key)
    WHERE m.journey_id = u.journey_id AND m.profile_id = u.profile_id AND m.entry_key = u.entry_key
"""


_NEW_IDS = """
    SELECT nextval(s.sequence)
    FROM (SELECT pg_get_serial_sequence('journeys_run', 'id')::regclass AS sequence OFFSET 0) s, generate_series(1, %b)
"""
_NO_EVENT = (None, None)


def write(cursor: Cursor[Any], work: Work, now: datetime) -> None:
    """Write all of it within the stage's transaction."""
    # What ends makes room first: the same event may end a run and begin the next of its key.
    _write_changed(cursor, list(work.changed.values()))
    _write_entered(cursor, work, now)
    _write_moves(cursor, work.moves, now)
    send(cursor, work.sends, work.choices, now)
    say(cursor, work.told, now)
    if work.asked:
        note(cursor, work.asked, now)
    keep_exposures(cursor, [_exposure(drawn) for drawn in work.drawn], now)
    if work.moves:
        tell_segments(cursor, work.moves, work.ended, now)
    if work.kept:
        write_variables(cursor, work.kept)
    if work.seen:
        copy_rows(cursor, "journeys_ruleinputs", _SEEN, map(_seen_row, work.seen))
    if work.ended:
        cursor.execute(_REMEMBER_END, [now, *_memory_keys(work.ended)], prepare=True)
    _look_back(cursor, work, now)
    if work.refusals:
        copy_rows(
            cursor,
            "journeys_entryrefusal",
            _REFUSAL,
            (
                (r.journey_id, r.version_id, r.profile_id, r.entry_key, r.event_id, r.received_at, r.reason.value,
                 r.consent_entry_id, r.live_run.id if r.live_run else None, r.exit_rule,
                 r.counted, r.most, now)
                for r in work.refusals
            ),
        )  # fmt: skip


def _look_back(cursor: Cursor[Any], work: Work, now: datetime) -> None:
    """Queue those to look back who are just to be seen, and of the others those of whom there is something to find."""
    known = {run.id for run in work.parked} if work.holds_runs else set()
    known -= {run.id for run in work.entered}
    found = glance(cursor, known, now)
    looking = [run.id for run in work.parked if run.id not in known] + found
    if looking:
        have_look_back(cursor, looking)


def _write_entered(cursor: Cursor[Any], work: Work, now: datetime) -> None:
    if not work.entered:
        return
    origins = {id(run): work.origins.pop(id(run)) for run in work.entered}
    ids = cursor.execute(_NEW_IDS, [len(work.entered)], prepare=True).fetchall()
    for run, (id_,) in zip(work.entered, ids, strict=True):
        run.id = id_
    copy_rows(cursor, "journeys_run", _RUN, (_run_row(run) for run in work.entered))
    copy_rows(
        cursor,
        "journeys_runcontext",
        _CONTEXT,
        (
            (run.id, o.event_id, o.received_at, o.began.occurred_at, o.began.message_id, o.consent_entry_id,
             Jsonb(o.variables, orjson.dumps))
            for run in work.entered
            for o in (origins[id(run)],)
        ),
    )  # fmt: skip
    cursor.execute(_REMEMBER_ENTRY, [now, *_memory_keys(work.entered)], prepare=True)


def _memory_keys(runs: Sequence[RunState]) -> tuple[list[UUID], list[UUID], list[str]]:
    return (
        [run.version.journey_id for run in runs],
        [run.profile_id for run in runs],
        [run.entry_key for run in runs],
    )


def _run_row(run: RunState) -> tuple[Any, ...]:
    return (
        run.id, run.version.journey_id, run.version.id, run.customer_id, run.profile_id, run.entry_key, run.status,
        run.step, run.state, run.seq, run.timed_out_step, run.entered_at, run.stepped_at, run.due_at, run.ends_at,
        run.waits_until, run.ended_at,
    )  # fmt: skip


def _write_changed(cursor: Cursor[Any], runs: Sequence[RunState]) -> None:
    if not runs:
        return
    rows = [
        (
            run.id,
            run.status,
            run.step,
            run.state,
            run.seq,
            run.timed_out_step,
            run.stepped_at,
            run.due_at,
            run.waits_until,
            run.ended_at,
        )
        for run in runs
    ]
    cursor.execute(_UPDATE_RUNS, [list(column) for column in zip(*rows, strict=True)], prepare=True)


def _write_moves(cursor: Cursor[Any], moves: Sequence[Moved], now: datetime) -> None:
    if moves:
        copy_rows(
            cursor,
            "journeys_transition",
            _TRANSITION,
            (
                (m.run.id, m.seq, now, m.step_from, m.step_to, m.state_to, int(m.cause), m.branch,
                 *(m.event or _NO_EVENT), m.version_from)
                for m in moves
            ),
        )  # fmt: skip


def _seen_row(seen: Seen) -> tuple[Any, ...]:
    facts = None if seen.facts is None else Jsonb(seen.facts, orjson.dumps)
    return seen.run.id, seen.seq, Jsonb(seen.traits, orjson.dumps), facts


def _exposure(drawn: Drawn) -> NewExposure:
    run, lot = drawn.run, drawn.lot
    return NewExposure(
        brand_id=run.version.brand_id,
        scope_id=run.journey_id,
        key=run.version.steps[drawn.step].id,
        unit=f"run:{run.id}" if lot.is_fresh else str(run.profile_id),
        arm=lot.arm,
        is_holdout=lot.is_holdout,
        profile_id=run.profile_id,
        run_id=run.id,
    )
