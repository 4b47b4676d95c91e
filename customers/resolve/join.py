"""Edges of a batch, and the customers that follow from them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.kinds import Kinds
from customers.models import EdgeKind
from customers.pg import copy_rows
from customers.resolve.component import Move, closure, mark, regroup, write_customers, write_moves
from customers.resolve.identify import Profiles
from customers.resolve.incoming import TELLING, Batch, Incoming

# An earlier piece of evidence replaces a later one, so the rows do not depend on the order of arrival.
_ADD_EDGES = """
    INSERT INTO customers_edge AS e
        (low_id, high_id, kind, assurance, occurred_at, source_id, message_id, skipped, recorded_at)
    SELECT u.low, u.high, u.kind, u.assurance, u.occurred_at, u.source_id, u.message_id, false, %b
    FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::smallint[], %b::timestamptz[], %b::uuid[], %b::text[])
        AS u(low, high, kind, assurance, occurred_at, source_id, message_id)
    ON CONFLICT (low_id, high_id, kind, assurance) DO UPDATE
        SET occurred_at = excluded.occurred_at, source_id = excluded.source_id, message_id = excluded.message_id
        WHERE (excluded.occurred_at, excluded.source_id, excluded.message_id)
            < (e.occurred_at, e.source_id, e.message_id)
    RETURNING low_id, high_id
"""
# What is seen with more people than its kind may be is shared from now on, unless somebody decided otherwise. People
# are told by identifiers of which each has one.
_SHARE = """
    UPDATE customers_identifier i SET shared_at = %b
    FROM unnest(%b::uuid[], %b::bigint[]) AS u(profile_id, most)
    WHERE i.profile_id = u.profile_id AND i.shared_at IS NULL AND NOT i.exempt AND u.most < (
        SELECT count(*) FROM (
            SELECT e.high_id AS id FROM customers_edge e WHERE e.low_id = u.profile_id AND e.kind <> 'split'
            UNION
            SELECT e.low_id FROM customers_edge e WHERE e.high_id = u.profile_id AND e.kind <> 'split'
        ) others JOIN customers_identifier n ON n.profile_id = others.id AND n.kind_id = ANY(%b)
    )
    RETURNING i.profile_id
"""

Row = tuple[UUID, UUID, str, int, datetime, UUID, str]


def join(cursor: Cursor[Any], batch: Batch, profiles: Profiles, now: datetime) -> list[Move]:
    """Write the batch's edges, regroup what they touch, write the new profiles; return who moved."""
    changed = _add_edges(cursor, batch, profiles, now)
    touched = {profile for pair in changed for profile in pair} | profiles.made.keys()
    if not touched:
        return []
    opened = _share(cursor, batch.kinds, profiles, touched - profiles.made.keys(), now)
    component = closure(cursor, batch.kinds, touched, profiles.made, opened)
    grouped = regroup(component)
    mark(cursor, grouped)
    write_customers(cursor, set(grouped.customer.values()), now)
    _write_made(cursor, batch.messages, profiles, grouped.customer, now)
    write_moves(cursor, grouped.moves, _told_about(batch.messages, profiles, grouped.customer), now)
    profiles.customer.update(grouped.customer)
    return grouped.moves


def _add_edges(cursor: Cursor[Any], batch: Batch, profiles: Profiles, now: datetime) -> list[tuple[UUID, UUID]]:
    edges: dict[tuple[UUID, UUID, str, int], Row] = {}
    for message in batch.messages:
        for row in _edges(message, profiles):
            key = row[:4]
            if key not in edges or row[4:] < edges[key][4:]:
                edges[key] = row
    if not edges:
        return []
    columns = zip(*(edges[key] for key in sorted(edges)), strict=True)
    return cursor.execute(_ADD_EDGES, [now, *(list(column) for column in columns)]).fetchall()


def _edges(message: Incoming, profiles: Profiles) -> Iterable[Row]:
    """From the strongest that the message names to each of the others; none to or from what is shared."""
    first, *others = profiles.of_message[message.id]
    if first in profiles.shared or not (others or message.former):
        return
    for profile in others:
        if profile not in profiles.shared:
            yield _edge(message, (first, profile), EdgeKind.JOIN)
    for named, profile in zip(message.former, profiles.of_former.get(message.id, ()), strict=True):
        if profile != first and profile not in profiles.shared:
            kind = EdgeKind.ALIAS if named.kind == message.named[0].kind else EdgeKind.JOIN
            yield _edge(message, (first, profile), kind)


def _edge(message: Incoming, pair: tuple[UUID, UUID], kind: EdgeKind) -> Row:
    low, high = sorted(pair)
    return (low, high, kind.value, message.sureness, message.occurred_at, message.source_id, message.message_id)


def _share(
    cursor: Cursor[Any], kinds: Kinds, profiles: Profiles, touched: Collection[UUID], now: datetime
) -> list[UUID]:
    """Find those of the touched that have come to be shared by too many; return them."""
    limits = {
        profile: most
        for named, profile in profiles.by_name.items()
        if profile in touched and (most := kinds[named.kind].most_people) is not None
    }
    if not limits:
        return []
    single = [kind.key for kind in kinds.values() if kind.most == 1]
    rows = cursor.execute(_SHARE, [now, list(limits), list(limits.values()), single]).fetchall()
    found = [row[0] for row in rows]
    profiles.shared.update(found)
    return found


def _write_made(
    cursor: Cursor[Any], messages: Iterable[Incoming], profiles: Profiles, customer: dict[UUID, UUID], now: datetime
) -> None:
    """Write the new profiles. They belong to their customer since they were first named: what is granted later
    in the same breath is granted by the whole person."""
    if not profiles.made:
        return
    named_at: dict[UUID, datetime] = {}
    for message in messages:
        for profile in (*profiles.of_message[message.id], *profiles.of_former.get(message.id, ())):
            if profile in profiles.made:
                named_at[profile] = min(message.at, named_at.get(profile, message.at))
    copy_rows(
        cursor,
        "customers_profile",
        (("id", "uuid"), ("customer_id", "uuid"), ("customer_since", "timestamptz"), ("created_at", "timestamptz")),
        ((profile, customer[profile], named_at[profile], now) for profile in profiles.made),
    )


def _told_about(messages: Iterable[Incoming], profiles: Profiles, customer: dict[UUID, UUID]) -> set[UUID]:
    """The customers whose traits the batch tells, which will be locked for that in a moment."""
    strongest = (profiles.of_message[message.id][0] for message in messages if message.kind in TELLING)
    return {customer.get(profile) or profiles.customer[profile] for profile in strongest}
