"""The journeys' send guard: the last look before a message goes, for what its customer did meanwhile (DESIGN §5)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import Cursor

from channels.guards import Answer, GuardAsk, Refuse, Wait
from channels.models import Reason
from customers.ids import hash64
from customers.pg import raw_cursor
from customers.registry import shapes
from customers.rules import Facts, Rule
from customers.rules import parse as parse_rule
from journeys.compiling import version
from journeys.models import EXITS, Run
from journeys.moves import KEEPS_MESSAGES, began_waiting
from journeys.steps.base import ANY_KEY, EventMatch
from journeys.version import Version, key_of

UNRESOLVED_SECONDS = 1.0
# Nothing is accepted longer before it occurs, so partitions older than that need no look.
AHEAD = timedelta(days=1)
# Messages that may tie another profile's deeds to this customer.
_TYING = frozenset({"identify", "alias"})

_RUN = """
    SELECT u.message_id, r.status, r.entry_key, w.version_id, w.step, c.occurred_at, c.message_id, c.event_id, EXISTS (
        SELECT 1 FROM journeys_transition t JOIN channels_message m ON m.id = u.message_id AND m.visit < t.seq
        WHERE t.run_id = r.id AND t.version_from IS NOT NULL AND t.branch & %s = 0
    )
    FROM unnest(%s::uuid[], %s::bigint[]) AS u(message_id, run_id)
    JOIN journeys_run r ON r.id = u.run_id JOIN journeys_runcontext c ON c.run_id = r.id
    LEFT JOIN journeys_cancelwatch w ON w.message_id = u.message_id
"""
_BY_THE_END = """
    SELECT 1 FROM channels_message m JOIN journeys_transition t ON t.run_id = m.origin_id::bigint
    WHERE m.id = %s AND t.run_id = %s AND t.cause = ANY(%s) AND t.step_to IS NOT NULL AND t.seq <= m.visit
"""
_GONE = Refuse(Reason.ENDED)
_ENDED = (Run.Status.EXITED, Run.Status.EXPIRED)
# Whose profile it is may change between two statements, so each asks anew.
_IDENTIFIERS = """
    SELECT i.namespace, i.kind_id, i.value
    FROM customers_profile me JOIN customers_profile p ON p.customer_id = me.customer_id
    JOIN customers_identifier i ON i.profile_id = p.id AND i.closed_at IS NULL
    WHERE me.id = %s
"""
_INBOX = """
    SELECT least(i.occurred_at, i.received_at), i.message_id, s.brand_id, i.name, i.payload, i.kind,
        i.schema_version_id
    FROM customers_inbox i JOIN customers_source s ON s.id = i.source_id
    WHERE i.identifier_keys && %s::bigint[]
"""
# Matched or not, whoever of the customer's profiles did it; what has resumed a wait of this run is spent.
_EVENTS = """
    SELECT least(e.occurred_at, e.received_at), e.message_id, e.brand_id, e.name,
        coalesce(y.payload -> 'properties', y.payload -> 'traits', '{}'), e.id, e.schema_version_id
    FROM customers_profile me JOIN customers_profile p ON p.customer_id = me.customer_id
    JOIN customers_event e ON e.profile_id = p.id AND e.occurred_at >= %s AND e.received_at >= %s AND e.name = ANY(%s)
    LEFT JOIN customers_eventpayload y ON y.event_id = e.id AND y.received_at = e.received_at
    WHERE me.id = %s AND NOT e.historical AND e.id IS DISTINCT FROM %s
      AND NOT EXISTS (SELECT 1 FROM journeys_transition t WHERE t.run_id = %s AND t.event_id = e.id)
"""
_TRAITS = """
    SELECT c.traits FROM customers_profile me JOIN customers_customer c ON c.id = me.customer_id WHERE me.id = %s
"""


class _Happened(NamedTuple):
    occurred_at: datetime
    message_id: str
    brand_id: UUID
    name: str
    properties: dict[str, Any]
    # None while it is still in the inbox.
    event_id: int | None = None

    def refusal(self) -> Refuse:
        event = {"id": self.event_id, "name": self.name, "message_id": self.message_id}
        return Refuse(Reason.ACTED, because={"event": event | {"occurred_at": self.occurred_at.isoformat()}})


@dataclass(frozen=True, slots=True)
class _Window:
    """Which events make the message needless: of these names, after this moment, of this key."""

    of: Version
    matches: Sequence[tuple[EventMatch, Rule | None]]
    after: tuple[datetime, str]
    entry_key: str
    traits: Mapping[str, Any]

    def refusal(self, happened: Iterable[_Happened]) -> Refuse | None:
        """By the first of these that makes the message needless."""
        return next((event.refusal() for event in happened if self.holds(event)), None)

    def holds(self, event: _Happened) -> bool:
        if event.brand_id != self.of.brand_id or (event.occurred_at, event.message_id) <= self.after:
            return False
        facts = Facts(traits=self.traits, properties=event.properties)
        return any(self._is(match, rule, facts) for match, rule in self.matches if match.event == event.name)

    def _is(self, match: EventMatch, rule: Rule | None, facts: Facts) -> bool:
        if match.key not in (None, ANY_KEY) and key_of(facts.properties, str(match.key)) != self.entry_key:
            return False
        return rule is None or rule.holds(facts)


def guard(ask: GuardAsk) -> Answer:
    """Refuse when the run ended otherwise or its customer acted; wait while an identity is being resolved."""
    return guard_all([ask])[0]


def guard_all(asks: Sequence[GuardAsk]) -> list[Answer]:
    """The same of many: their runs are read at once, and what was done only of those that watch for it."""
    with raw_cursor() as cursor:
        given = [KEEPS_MESSAGES, [ask.message_id for ask in asks], [int(ask.origin_id) for ask in asks]]
        rows = {row[0]: row[1:] for row in cursor.execute(_RUN, given, prepare=True).fetchall()}
        # A run that is gone was erased, and its message with it.
        return [_judged(cursor, ask, rows[ask.message_id]) if ask.message_id in rows else _GONE for ask in asks]


def _judged(cursor: Cursor[Any], ask: GuardAsk, row: Sequence[Any]) -> Answer:
    status, entry_key, watched, step, occurred_at, message_id, event_id, was_left = row
    if status == Run.Status.MERGED:
        return Refuse(Reason.MERGED)
    if status in _ENDED and not _was_made_by_the_end(cursor, ask):
        return Refuse(Reason.ENDED)
    if was_left:
        return Refuse(Reason.MOVED)
    if watched is None:
        return None
    of = version(watched)
    after = (occurred_at, message_id)
    if of.looks_back_to_step(step):
        began = began_waiting(cursor, int(ask.origin_id), of.steps[step].id)
        after = (began or occurred_at, "")
    matches = [(match, parse_rule(match.rule) if match.rule else None) for match in of.cancels(step)]
    window = _Window(of, matches, after, entry_key, _traits(cursor, ask, matches))
    # From its beginning to its end, the way an event takes: what leaves the inbox meanwhile is found among the events.
    # Then the beginning once more, for what came in while the events were read.
    return _on_its_way(cursor, ask, window) or _acted(cursor, ask, window, event_id) or _on_its_way(cursor, ask, window)


def _was_made_by_the_end(cursor: Cursor[Any], ask: GuardAsk) -> bool:
    """Whether the message is one of those that the end itself had made, by its last step."""
    cursor.execute(_BY_THE_END, [ask.message_id, int(ask.origin_id), [cause.value for cause in EXITS]])
    return cursor.fetchone() is not None


def _traits(cursor: Cursor[Any], ask: GuardAsk, matches: Sequence[tuple[EventMatch, Rule | None]]) -> Mapping[str, Any]:
    if not any(rule is not None and "traits" in rule.inputs for _match, rule in matches):
        return {}
    row = cursor.execute(_TRAITS, [ask.profile_id]).fetchone()
    return row[0] if row else {}


def _acted(cursor: Cursor[Any], ask: GuardAsk, window: _Window, entry_event: int | None) -> Refuse | None:
    names = sorted({match.event for match, _rule in window.matches})
    since = window.after[0]
    asked = [since, since - AHEAD, names, ask.profile_id, entry_event, int(ask.origin_id)]
    cursor.execute(_EVENTS, asked, prepare=True)
    return window.refusal(
        _Happened._make([*place, shapes.said(said, version_id), event_id])
        for *place, said, event_id, version_id in cursor.fetchall()
    )


def _on_its_way(cursor: Cursor[Any], ask: GuardAsk, window: _Window) -> Answer:
    """What is accepted but not resolved, found by the hashes of the customer's identifiers."""
    if cursor.execute("SELECT 1 FROM customers_inbox LIMIT 1", prepare=True).fetchone() is None:
        return None
    keys = _keys(cursor, ask)
    rows = cursor.execute(_INBOX, [sorted(keys)]).fetchall()
    refusal = window.refusal(_Happened._make([*row[:4], _inside(row[4], row[6]), None]) for row in rows)
    if refusal is not None:
        return refusal
    if any(row[5] in _TYING for row in rows) or _keys(cursor, ask) != keys:
        return Wait(UNRESOLVED_SECONDS, Reason.UNRESOLVED)
    return None


def _keys(cursor: Cursor[Any], ask: GuardAsk) -> set[int]:
    identifiers = cursor.execute(_IDENTIFIERS, [ask.profile_id]).fetchall()
    return {hash64(str(namespace), kind, value) for namespace, kind, value in identifiers}


def _inside(payload: str, version_id: int | None) -> dict[str, Any]:
    decoded = orjson.loads(payload)
    return shapes.said(decoded.get("properties") or decoded.get("traits"), version_id)
