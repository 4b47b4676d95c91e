"""Traits of a batch: kept with their time per profile, and the winners cached on the customer."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import Cursor

from customers.consumers import ResolvedEvent
from customers.places import LOCALE, zones
from customers.resolve.incoming import TELLING
from customers.rules.values import added_to
from customers.winner import FITS, ORDER

# Repeated values are kept too: a late arrival between two equal ones would else seem to be the last word.
_ADD = """
    INSERT INTO customers_trait (profile_id, name, value, valid_from, recorded_at, event_id, source_id)
    SELECT u.profile_id, u.name, u.value::jsonb, u.valid_from, u.recorded_at, u.event_id, u.source_id
    FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::timestamptz[], %b::timestamptz[], %b::bigint[], %b::uuid[])
        AS u(profile_id, name, value, valid_from, recorded_at, event_id, source_id)
    ON CONFLICT DO NOTHING
"""

_LOCK = "SELECT 1 FROM customers_customer WHERE id = ANY(%b) ORDER BY id FOR UPDATE"
_LOCK_AND_READ = "SELECT id, traits FROM customers_customer WHERE id = ANY(%b) ORDER BY id FOR UPDATE"

# What is no zone, locale or country is kept as a trait and used for nothing.
_CACHE = f"""
    UPDATE customers_customer c
    SET traits = w.traits,
        zone = CASE WHEN w.traits ->> 'timezone' = ANY(%b::text[]) THEN w.traits ->> 'timezone' ELSE '' END,
        locale = coalesce(substring(w.traits ->> 'locale' FROM '{LOCALE}'), ''),
        country = upper(coalesce(
            substring(w.traits ->> 'country' FROM '^[A-Za-z]{{2}}$'),
            substring(w.traits #>> '{{address,country}}' FROM '^[A-Za-z]{{2}}$'), ''))
    FROM (
        SELECT u.id, coalesce(jsonb_object_agg(t.name, t.value) FILTER (WHERE t.name IS NOT NULL), '{{}}') AS traits
        FROM unnest(%b::uuid[]) AS u(id)
        LEFT JOIN LATERAL (
            SELECT DISTINCT ON (t.name) t.name, t.value
            FROM customers_profile p JOIN customers_trait t ON t.profile_id = p.id
            LEFT JOIN customers_traitdefinition d ON d.name = t.name
            WHERE p.customer_id = u.id AND {FITS}
            ORDER BY t.name, {ORDER}
        ) t ON true
        GROUP BY u.id
    ) w
    WHERE c.id = w.id AND c.traits IS DISTINCT FROM w.traits
"""


class Changed(NamedTuple):
    """What a customer was said to be until now, and from now on."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        return sorted(
            name
            for name in self.before.keys() | self.after.keys()
            if self.before.get(name) != self.after.get(name) or (name in self.before) != (name in self.after)
        )


def told(event: ResolvedEvent) -> dict[str, Any]:
    """What the event says of somebody; that they belong to a group is a trait of theirs, too."""
    if event.kind not in TELLING:
        return {}
    payload = event.payload()
    traits: dict[str, Any] = payload.get("traits") or {}
    if event.kind == "group":
        return {"group": {**traits, "id": payload.get("group")}}
    return traits


def added_by(event: ResolvedEvent) -> Mapping[str, int | float]:
    """What is to be added to traits; no door takes it, only what is said inside has it."""
    if event.kind not in TELLING or '"added"' not in event.payload_text:
        return {}
    more: Mapping[str, int | float] = event.payload().get("added") or {}
    return more


def write_traits(
    cursor: Cursor[Any], events: Sequence[ResolvedEvent], regrouped: Collection[UUID], *, compare: bool
) -> dict[UUID, Changed]:
    """Record what these messages say, and refresh the cached traits of everybody concerned; where somebody wants to
    know, return what changed."""
    telling = [event for event in events if event.kind in TELLING]
    rows, concerned = [], {*regrouped, *(event.customer_id for event in telling)}
    said = _with_sums(cursor, telling, concerned)
    for event, traits in zip(telling, said, strict=True):
        if traits:
            rows += [
                (
                    event.profile_id,
                    name[:120],
                    orjson.dumps(value).decode(),
                    # A clock that is ahead must not outlast what is said later.
                    min(event.occurred_at, event.received_at),
                    event.received_at,
                    event.id,
                    event.source_id,
                )
                for name, value in traits.items()
            ]
    if rows:
        cursor.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])
    return refresh(cursor, concerned, compare=compare)


def _with_sums(
    cursor: Cursor[Any], telling: Sequence[ResolvedEvent], concerned: Iterable[UUID]
) -> list[dict[str, Any]]:
    """What each message says; numbers that are added make what was known until then another value."""
    said = [told(event) for event in telling]
    added = [added_by(event) for event in telling]
    if not any(added):
        return said
    # All of them, in the order of refresh.
    known = dict(cursor.execute(_LOCK_AND_READ, [sorted(concerned)]).fetchall())
    for event, traits, more in zip(telling, said, added, strict=True):
        before = known.setdefault(event.customer_id, {})
        traits.update(added_to(before, more))
        before.update(traits)
    return said


def refresh(cursor: Cursor[Any], customers: Iterable[UUID], *, compare: bool) -> dict[UUID, Changed]:
    """Cache anew what these customers were said to be."""
    ordered = sorted(customers)
    if not ordered:
        return {}
    # Locked first: a statement begun after the lock sees the traits of whoever held it before.
    if not compare:
        cursor.execute(_LOCK, [ordered])
        cursor.execute(_CACHE, [zones(), ordered])
        return {}
    before = dict(cursor.execute(_LOCK_AND_READ, [ordered]).fetchall())
    changed = cursor.execute(f"{_CACHE} RETURNING c.id, c.traits", [zones(), ordered]).fetchall()
    return {id_: Changed(before[id_], after) for id_, after in changed}
