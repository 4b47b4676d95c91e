"""The same rows by SQL that knows beforehand what becomes of whom: the most PostgreSQL could write.

One transaction a batch and stage, wholly inside the server: nothing is read, decided or queued.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from bench.database import durability
from bench.engine.tables import check, clear
from bench.journey import PATIENCE, PAUSE, REST, SIGN_UP, STEPS_TAKEN, T0
from bench.measure import Side
from bench.people import key
from journeys.models import JourneyVersion

BATCH = 1000
_SOME = "generate_series(%(first)s::int, %(last)s::int) n"
_EVEN, _ODD = "n %% 2 = 0", "n %% 2 = 1"
_VARIABLES = """jsonb_build_object(
    'plan', 'pro', 'referred', n %% 2 = 0, 'campaign', 'spring', 'page', '/sign-up', 'ref', n)"""

_RUN = f"""
    INSERT INTO journeys_run (id, journey_id, version_id, customer_id, profile_id, entry_key, status, step, state,
        seq, entered_at, stepped_at, due_at)
    SELECT n, %(journey)s, %(version)s, {key(0)}, {key(0)}, '', 1, 3, 0, 3, %(now)s, %(now)s, %(due)s FROM {_SOME}
"""
_CONTEXT = f"""
    INSERT INTO journeys_runcontext
        (run_id, event_id, event_received_at, occurred_at, message_id, consent_entry_id, variables)
    SELECT n, n, %(now)s, %(now)s, '{SIGN_UP}' || n, n, {_VARIABLES} FROM {_SOME}
"""
_SEEN = f"""
    INSERT INTO journeys_ruleinputs (run_id, seq, traits)
    SELECT n, 2, jsonb_build_object('plan', 'pro', 'seats', n %% 20, 'country', 'BR') FROM {_SOME}
"""
_MEMORY = f"""
    INSERT INTO journeys_entrymemory (journey_id, profile_id, entry_key, last_entered_at)
    SELECT %(journey)s, {key(0)}, '', %(now)s FROM {_SOME}
"""
_MEMORY_END = f"""
    UPDATE journeys_entrymemory SET last_ended_at = %(now)s
    FROM {_SOME} WHERE journey_id = %(journey)s AND profile_id = {key(0)} AND entry_key = ''
"""


def _moves(who: str, *moves: str) -> str:
    """`moves` are (seq, from, to, state, cause, branch, event) in SQL."""
    return f"""
        INSERT INTO journeys_transition
            (run_id, seq, at, step_from, step_to, state_to, cause, branch, event_id, event_received_at)
        SELECT n, m.seq, %(now)s, m.step_from, m.step_to, m.state, m.cause, m.branch, m.event,
            CASE WHEN m.event IS NULL THEN NULL ELSE %(now)s::timestamptz END
        FROM {_SOME}, LATERAL (VALUES {", ".join(moves)}) m(seq, step_from, step_to, state, cause, branch, event)
        WHERE {who}
    """


def _messages(who: str, visit: int, step: str) -> Sequence[str]:
    id_ = key(visit, "n")
    return (
        f"""
        INSERT INTO channels_message (id, brand_id, origin_kind, origin_id, visit, copy_key, scope_id, channel,
            connector_id, template_version_id, purpose_id, profile_id, address_id, created_at, due_at, expires_at,
            entry_consent_id, state, reason, detail, attempts, crashes, provider_id)
        SELECT {id_}, %(brand)s, 'run', n::text, {visit}, %(journey)s::text || ':' || {step} || ':', %(journey)s,
            'email', %(connector)s, %(template)s, %(purpose)s, {key(1)}, {key(2)}, %(now)s, %(now)s,
            %(now)s::timestamptz + interval '24 hours', n, 'queued', '', '', 0, 0, ''
        FROM {_SOME} WHERE {who}
        """,
        f"""
        INSERT INTO channels_messagecontent (message_id, context, subject, body)
        SELECT {id_}, {_VARIABLES}, '', '' FROM {_SOME} WHERE {who}
        """,
    )


def _park(who: str, step: int, state: int, seq: int, timed_out: str = "NULL") -> str:
    return f"""
        UPDATE journeys_run SET step = {step}, state = {state}, seq = {seq}, timed_out_step = {timed_out},
            stepped_at = %(now)s, due_at = %(due)s
        FROM {_SOME} WHERE id = n AND {who}
    """


_DONE = f"""
    UPDATE journeys_run SET status = 2, step = 7, state = 2, seq = 7, due_at = NULL, ended_at = %(now)s
    FROM {_SOME} WHERE id = n
"""
_WATCH = f"""
    INSERT INTO journeys_cancelwatch (message_id, run_id, version_id, step)
    SELECT {key(5)}, n, %(version)s, 4 FROM {_SOME} WHERE {_ODD}
"""
_WELCOME = "CASE n %% 3 WHEN 0 THEN 1 ELSE 2 END"
_BRANCH = "CASE n %% 3 WHEN 0 THEN 6 ELSE 7 END, CASE n %% 3 WHEN 0 THEN 0 END"

ENTER = (
    _RUN,
    _CONTEXT,
    _SEEN,
    _MEMORY,
    _moves(
        "true",
        "(1, NULL::int, 0, 0, 1, NULL::int, n)",
        f"(2, 0, {_WELCOME}, 0, {_BRANCH}, NULL)",
        f"(3, {_WELCOME}, 3, 0, 2, NULL, NULL)",
    ),
    *_messages("true", 2, "CASE n %% 3 WHEN 0 THEN 'welcome_pro' ELSE 'welcome_free' END"),
)
HOLD = (_park("true", 4, 0, 4), _moves("true", "(4, 3, 4, 0, 4, NULL::int, NULL::bigint)"))
LOGGED_IN = (
    _park(_EVEN, 6, 1, 6),
    _moves(_EVEN, "(5, 4, 5, 1, 3, 0, n)", "(6, 5, 6, 1, 2, NULL, NULL)"),
    *_messages(_EVEN, 5, "'tips'"),
)
TIMED_OUT = (
    _park(_ODD, 6, 1, 6, "4"),
    _moves(_ODD, "(5, 4, 5, 1, 5, NULL::int, NULL::bigint)", "(6, 5, 6, 1, 2, NULL, NULL)"),
    *_messages(_ODD, 5, "'tips'"),
    _WATCH,
)
END = (_DONE, _moves("true", "(7, 6, 7, 2, 4, NULL::int, NULL::bigint)"), _MEMORY_END)


class ByHand:
    def __init__(self, connection: "Connection[Any]", version: JourneyVersion, runs: int) -> None:
        self.connection = connection
        self.runs = runs
        self.keys = {
            "journey": version.journey_id,
            "version": version.pk,
            "brand": version.journey.brand_id,
            "connector": next(iter(version.bindings["connectors"].values())),
            "template": next(iter(version.bindings["templates"].values())),
            "purpose": next(iter(version.bindings["purposes"].values())),
        }

    def side(self) -> Side:
        return Side(
            label="SQL without evaluation",
            run=self.run,
            rows=self.runs * STEPS_TAKEN,
            batch=BATCH,
            processes=1,
            connections=1,
            durability=durability(self.connection),
        )

    def run(self) -> float:
        clear(self.connection)
        began = time.perf_counter()
        self._stage(ENTER, T0, T0 + PAUSE)
        self._stage(HOLD, T0 + PAUSE, T0 + PAUSE + PATIENCE)
        # Every second person logs in: two thousand numbers make a batch of a thousand.
        self._stage(LOGGED_IN, T0 + 2 * PAUSE, T0 + 2 * PAUSE + REST, 2 * BATCH)
        self._stage(TIMED_OUT, T0 + PAUSE + PATIENCE, T0 + PAUSE + PATIENCE + REST, 2 * BATCH)
        self._stage(END, T0 + PAUSE + PATIENCE + REST, None)
        seconds = time.perf_counter() - began
        check(self.connection, self.runs)
        return self.runs * STEPS_TAKEN / seconds

    def _stage(self, statements: Sequence[str], now: datetime, due: datetime | None, numbers: int = BATCH) -> None:
        values = {**self.keys, "now": now, "due": due}
        for first in range(1, self.runs + 1, numbers):
            some = values | {"first": first, "last": min(first + numbers - 1, self.runs)}
            with self.connection.transaction():
                for statement in statements:
                    self.connection.execute(statement.encode(), some, prepare=True)
