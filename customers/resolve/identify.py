"""Identifiers of a batch to profiles: found, or made; a shared device's second log-in gets a profile of its own."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.ids import new_id
from customers.kinds import ANONYMOUS_ID, USER_ID
from customers.resolve.incoming import Batch, Incoming, Named
from customers.work import TryAgain


class RotationRaced(TryAgain):
    """Another worker moved this anonymous id to a new profile meanwhile; the batch is tried again."""


@dataclass(slots=True)
class Profiles:
    """Which profile each identifier of the batch stands for, and the new ones not yet written."""

    by_name: dict[Named, UUID] = field(default_factory=dict)
    customer: dict[UUID, UUID] = field(default_factory=dict)
    made: dict[UUID, Named] = field(default_factory=dict)
    # Those whose identifier is shared by too many people to tell anybody from anybody.
    shared: set[UUID] = field(default_factory=set)
    # Per message, the profiles of `named` in the same order, and of `former`: rotation makes them differ in a batch.
    of_message: dict[int, list[UUID]] = field(default_factory=dict)
    of_former: dict[int, list[UUID]] = field(default_factory=dict)


_FIND = """
    SELECT k.n, i.profile_id, p.customer_id, i.shared_at IS NOT NULL
    FROM unnest(%b::uuid[], %b::text[], %b::text[]) WITH ORDINALITY AS k(namespace, kind, value, n)
    JOIN customers_identifier i
      ON i.value = k.value AND i.kind_id = k.kind AND i.namespace = k.namespace AND i.closed_at IS NULL
    LEFT JOIN customers_profile p ON p.id = i.profile_id
"""

_ADD = """
    INSERT INTO customers_identifier (namespace, kind_id, value, original, profile_id, opened_at)
    SELECT * FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::text[], %b::uuid[], %b::timestamptz[])
    ON CONFLICT (value, kind_id, namespace) WHERE closed_at IS NULL DO NOTHING
    RETURNING profile_id
"""

# The user each anonymous profile was already seen with.
_BOUND = """
    SELECT e.anonymous, e.person FROM (
        SELECT low AS anonymous, high AS person FROM (SELECT low_id AS low, high_id AS high, kind
            FROM customers_edge WHERE low_id = ANY(%b)) l WHERE kind = 'join'
        UNION ALL
        SELECT high_id, low_id FROM customers_edge WHERE high_id = ANY(%b) AND kind = 'join'
    ) e JOIN customers_identifier i ON i.profile_id = e.person AND i.kind_id = 'user_id'
"""


def profiles_of(cursor: Cursor[Any], batch: Batch, now: datetime) -> Profiles:
    """Find or make the profile of every identifier named in the batch, and settle shared devices."""
    profiles = Profiles()
    named = sorted(
        {one for message in batch.messages for one in (*message.named, *message.former)},
        key=lambda one: (one.value, one.kind, one.namespace),
    )
    _find(cursor, profiles, named)
    _add(cursor, profiles, [one for one in named if one not in profiles.by_name], batch.originals, now)
    _settle(cursor, profiles, batch, now)
    return profiles


def _find(cursor: Cursor[Any], profiles: Profiles, named: Collection[Named]) -> None:
    if not named:
        return
    ordered = list(named)
    columns = [list(column) for column in zip(*ordered, strict=True)]
    for n, profile, customer, is_shared in cursor.execute(_FIND, columns, prepare=True).fetchall():
        profiles.by_name[ordered[n - 1]] = profile
        profiles.customer[profile] = customer
        if is_shared:
            profiles.shared.add(profile)


def _add(
    cursor: Cursor[Any], profiles: Profiles, missing: list[Named], originals: dict[Named, str], now: datetime
) -> None:
    if not missing:
        return
    wanted = {new_id(): one for one in missing}
    rows = [(*one, originals[one], profile, now) for profile, one in wanted.items()]
    cursor.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])
    for (profile,) in cursor.fetchall():
        profiles.made[profile] = wanted[profile]
        profiles.by_name[wanted[profile]] = profile
    # The insert waited for whoever came first, so theirs can be seen now.
    _find(cursor, profiles, [one for one in missing if one not in profiles.by_name])


def _settle(cursor: Cursor[Any], profiles: Profiles, batch: Batch, now: datetime) -> None:
    """Give every message its profiles; a log-in by a second user closes the anonymous id's row (BAD_INPUTS 55)."""
    bound = _bound(cursor, profiles, batch.messages)
    for message in batch.messages:
        user = next((one for one in message.named if one.kind == USER_ID), None)
        if user is not None:
            for one in (*message.named, *message.former):
                if one.kind == ANONYMOUS_ID:
                    _bind(cursor, profiles, bound, one, profiles.by_name[user], batch.originals[one], now)
        if profiles.shared and len(message.named) > 1:
            # What tells nobody from anybody is nobody's strongest name.
            message.named.sort(key=lambda one: profiles.by_name[one] in profiles.shared)
        profiles.of_message[message.id] = [profiles.by_name[one] for one in message.named]
        if message.former:
            profiles.of_former[message.id] = [profiles.by_name[one] for one in message.former]


def _bound(cursor: Cursor[Any], profiles: Profiles, messages: Iterable[Incoming]) -> dict[UUID, UUID]:
    devices = {
        profiles.by_name[one]
        for message in messages
        if any(other.kind == USER_ID for other in message.named)
        for one in (*message.named, *message.former)
        if one.kind == ANONYMOUS_ID
    } - profiles.made.keys()
    if not devices:
        return {}
    return dict(cursor.execute(_BOUND, [list(devices), list(devices)]).fetchall())


def _bind(
    cursor: Cursor[Any],
    profiles: Profiles,
    bound: dict[UUID, UUID],
    device: Named,
    user: UUID,
    original: str,
    now: datetime,
) -> None:
    current = profiles.by_name[device]
    if bound.setdefault(current, user) == user:
        return
    closed = cursor.execute(
        "UPDATE customers_identifier SET closed_at = %s WHERE profile_id = %s AND closed_at IS NULL",
        [now, current],
    )
    if closed.rowcount != 1:
        raise RotationRaced
    del profiles.by_name[device]
    _add(cursor, profiles, [device], {device: original}, now)
    bound[profiles.by_name[device]] = user
