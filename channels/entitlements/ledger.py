"""The ledger's verbs: grant, use, revoke. Each is one transaction's part, holds the grants it changes, and does under
one idempotency key what it does once.

Whatever is used is taken from certain grants, each of its profile's own. So a merge puts balances together and an
unmerge takes them apart, and neither ever leaves less than nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from channels.entitlements.telling import GRANTED, REVOKED, USED, Happened, tell
from channels.models import EntitlementEntry, Origin
from customers.ids import new_id

Kind = EntitlementEntry.Kind


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, and the key under which it is done once."""

    origin: Origin
    origin_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Grant:
    brand_id: UUID
    profile_id: UUID
    key: str
    act: Act
    quantity: int | None = None
    expires_at: datetime | None = None
    reason: str = ""
    # Of a journey's: what it stands in.
    scope_id: UUID | None = None
    step_id: str = ""
    entry_key: str = ""
    # Its own if it is new, so that whoever writes several things at once can speak of it.
    id: UUID = field(default_factory=new_id, compare=False)


@dataclass(frozen=True, slots=True)
class Revoking:
    """What is taken back by one act."""

    ids: Collection[UUID]
    act: Act
    reason: str


@dataclass(frozen=True, slots=True)
class Used:
    """What was taken of one grant; `remaining` None: it is not counted."""

    entitlement_id: UUID
    quantity: int
    remaining: int | None


class NotEnough(Exception):
    """Less is left than was to be used; nothing was."""

    def __init__(self, left: int) -> None:
        self.left = left
        super().__init__(left)


class KeyTaken(Exception):
    """The idempotency key came with something else before."""


_GRANT: Final = """
    INSERT INTO channels_entitlement (id, brand_id, profile_id, key, quantity, remaining, state, granted_at, expires_at,
        origin, origin_id, scope_id, step_id, entry_key, idempotency_key, reason, ended_reason)
    SELECT u.id, u.brand_id, u.profile_id, u.key, u.quantity, u.quantity, 'open', %b::timestamptz, u.expires_at,
        u.origin, u.origin_id, u.scope_id, u.step_id, u.entry_key, u.act, u.reason, ''
    FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::int[], %b::timestamptz[], %b::text[], %b::text[],
                %b::uuid[], %b::text[], %b::text[], %b::text[], %b::text[])
        AS u(id, brand_id, profile_id, key, quantity, expires_at, origin, origin_id, scope_id, step_id, entry_key,
             act, reason)
    ORDER BY u.brand_id, u.act
    ON CONFLICT (brand_id, idempotency_key) DO NOTHING RETURNING id
"""
_HOLD: Final = """
    SELECT c.id FROM customers_customer c JOIN customers_profile p ON p.customer_id = c.id WHERE p.id = %b
    FOR NO KEY UPDATE OF c
"""
_BEFORE: Final = """
    SELECT e.id, e.profile_id, e.key, e.quantity, e.expires_at FROM channels_entitlement e
    WHERE e.brand_id = %b AND e.idempotency_key = %b
"""
_ENTRIES: Final = """
    INSERT INTO channels_entitlemententry
        (brand_id, entitlement_id, kind, quantity, remaining, at, origin, origin_id, idempotency_key)
    SELECT e.brand_id, e.id, u.kind, u.quantity, u.remaining, %b::timestamptz, u.origin, u.origin_id, u.act
    FROM unnest(%b::uuid[], %b::text[], %b::int[], %b::int[], %b::text[], %b::text[], %b::text[])
        AS u(id, kind, quantity, remaining, origin, origin_id, act)
    JOIN channels_entitlement e ON e.id = u.id ORDER BY e.id
    RETURNING id, entitlement_id
"""
# Rows by ascending id; who waited for another's change sees what that left.
_LOCK: Final = """
    SELECT e.id, e.remaining, e.quantity IS NOT NULL AS is_counted, e.expires_at FROM channels_entitlement e
    WHERE e.profile_id IN (SELECT p.id FROM customers_profile p WHERE p.customer_id = %b)
      AND e.brand_id = %b AND e.key = %b AND e.state = 'open' AND (e.expires_at IS NULL OR e.expires_at > %b)
    ORDER BY e.id FOR UPDATE OF e
"""
_USED_BEFORE: Final = """
    SELECT n.entitlement_id, coalesce(n.quantity, 0), n.remaining, e.key, p.customer_id
    FROM channels_entitlemententry n JOIN channels_entitlement e ON e.id = n.entitlement_id
    JOIN customers_profile p ON p.id = e.profile_id
    WHERE n.brand_id = %b AND n.idempotency_key = %b AND n.kind = 'use' ORDER BY n.id
"""
_TAKE: Final = """
    UPDATE channels_entitlement e SET remaining = u.remaining,
        state = CASE WHEN u.remaining = 0 THEN 'used' ELSE 'open' END,
        ended_at = CASE WHEN u.remaining = 0 THEN %b::timestamptz END
    FROM unnest(%b::uuid[], %b::int[]) AS u(id, remaining) WHERE e.id = u.id
"""
_REVOKE: Final = """
    WITH asked AS (
        SELECT DISTINCT ON (u.id) u.id, u.n, w.reason
        FROM unnest(%b::uuid[], %b::int[]) AS u(id, n)
        JOIN unnest(%b::text[]) WITH ORDINALITY AS w(reason, n) ON w.n = u.n + 1 ORDER BY u.id, u.n
    ), open AS (
        SELECT e.id, e.remaining FROM channels_entitlement e
        WHERE e.id = ANY(%b) AND e.state = 'open' ORDER BY e.id FOR UPDATE
    )
    UPDATE channels_entitlement e SET state = 'revoked', ended_at = %b, ended_reason = a.reason,
        remaining = CASE WHEN e.quantity IS NOT NULL THEN 0 END
    FROM open o JOIN asked a ON a.id = o.id WHERE e.id = o.id
    RETURNING e.id, a.n, o.remaining, e.quantity IS NOT NULL
"""


def grant(cursor: Cursor[Any], grants: Sequence[Grant], now: datetime) -> list[UUID]:
    """Grant all of it, each once however often it is asked; return the ids of those that are new."""
    if not grants:
        return []
    by_id = {one.id: one for one in grants}
    columns = zip(*(_row(id_, one) for id_, one in by_id.items()), strict=True)
    made = {row[0] for row in cursor.execute(_GRANT, [now, *map(list, columns)]).fetchall()}
    new = {id_: one for id_, one in by_id.items() if id_ in made}
    write(cursor, [(id_, Kind.GRANT, one.quantity, one.quantity, one.act) for id_, one in new.items()], GRANTED, now)
    return list(new)


def grant_one(cursor: Cursor[Any], one: Grant, now: datetime) -> tuple[UUID, bool]:
    """Its id, and whether it is new; the customer is held, as by steps that look at what there is before they grant.
    Raises KeyTaken where the key came with another grant."""
    cursor.execute(_HOLD, [one.profile_id])
    made = grant(cursor, [one], now)
    if made:
        return made[0], True
    row = cursor.execute(_BEFORE, [one.brand_id, one.act.key]).fetchone()
    if row is None or row[1:] != (one.profile_id, one.key, one.quantity, one.expires_at):
        raise KeyTaken
    return row[0], False


def use(
    cursor: Cursor[Any], customer_id: UUID, brand_id: UUID, key: str, quantity: int, act: Act, now: datetime
) -> tuple[list[Used], bool]:
    """What it was taken from, of all the customer's grants the ones that end first, and whether it was taken just now.
    Raises NotEnough and takes nothing, or KeyTaken."""
    grants = cursor.execute(_LOCK, [customer_id, brand_id, key, now]).fetchall()
    before = cursor.execute(_USED_BEFORE, [brand_id, act.key]).fetchall()
    if before:
        if {row[3:] for row in before} != {(key, customer_id)} or sum(row[1] for row in before) != quantity:
            raise KeyTaken
        return [Used(*row[:3]) for row in before], False
    taken = _shares(grants, quantity)
    counted = [one for one in taken if one.remaining is not None]
    if counted:
        cursor.execute(_TAKE, [now, [one.entitlement_id for one in counted], [one.remaining for one in counted]])
    write(cursor, [(one.entitlement_id, Kind.USE, one.quantity, one.remaining, act) for one in taken], USED, now)
    return taken, True


def _shares(grants: Sequence[tuple[UUID, int | None, bool, datetime | None]], quantity: int) -> list[Used]:
    """What is not counted is used first, then what ends first."""
    free = [id_ for id_, _remaining, is_counted, _until in grants if not is_counted]
    if free:
        return [Used(free[0], quantity, None)]
    ending = sorted((one for one in grants if one[3] is not None), key=lambda one: (one[3], one[0]))
    ordered = [*ending, *(one for one in grants if one[3] is None)]
    taken, wanted = [], quantity
    for id_, remaining, _is_counted, _until in ordered:
        share = min(remaining or 0, wanted)
        if share:
            taken.append(Used(id_, share, (remaining or 0) - share))
            wanted -= share
    if wanted:
        raise NotEnough(quantity - wanted)
    return taken


def revoke(cursor: Cursor[Any], ids: Collection[UUID], act: Act, reason: str, now: datetime) -> int:
    """Take back what is left of these; return how many were open."""
    return revoke_all(cursor, [Revoking(ids, act, reason)], now)


def revoke_all(cursor: Cursor[Any], revokings: Sequence[Revoking], now: datetime) -> int:
    """The same for several acts at once; what two of them name is taken back by the first."""
    named = [(id_, n) for n, one in enumerate(revokings) for id_ in one.ids]
    if not named:
        return 0
    ids, numbers = map(list, zip(*named, strict=True))
    rows = cursor.execute(_REVOKE, [ids, numbers, [one.reason for one in revokings], ids, now]).fetchall()
    entries = [(id_, Kind.REVOKE, left, 0 if counted else None, revokings[n].act) for id_, n, left, counted in rows]
    write(cursor, entries, REVOKED, now)
    return len(rows)


def write(
    cursor: Cursor[Any],
    entries: Sequence[tuple[UUID, str, int | None, int | None, Act]],
    name: str,
    now: datetime,
) -> None:
    """Enter (entitlement, kind, quantity, remaining, act), and tell whoever waits for it."""
    if not entries:
        return
    rows = [
        (id_, str(kind), quantity, left, act.origin.value, act.origin_id, act.key)
        for id_, kind, quantity, left, act in entries
    ]
    made = cursor.execute(_ENTRIES, [now, *map(list, zip(*rows, strict=True))]).fetchall()
    number = {entitlement: id_ for id_, entitlement in made}
    told = [Happened(number[id_], id_, quantity, left, act.origin) for id_, _kind, quantity, left, act in entries]
    tell(cursor, name, told, now)


def _row(id_: UUID, one: Grant) -> tuple[Any, ...]:
    return (
        id_, one.brand_id, one.profile_id, one.key, one.quantity, one.expires_at, one.act.origin.value,
        one.act.origin_id, one.scope_id, one.step_id, one.entry_key, one.act.key, one.reason,
    )  # fmt: skip
