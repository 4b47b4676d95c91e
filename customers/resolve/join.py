"""Edges of a batch, and the customers that follow from them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.models import Assurance, EdgeKind
from customers.pg import copy_rows
from customers.resolve.graph import Evidence, Node, group
from customers.resolve.identify import Profiles
from customers.resolve.incoming import Batch, Incoming, Named

# An earlier piece of evidence replaces a later one, so the rows do not depend on the order of arrival.
_ADD_EDGES = """
    INSERT INTO customers_edge AS e
        (low_id, high_id, kind, assurance, occurred_at, source_id, message_id, skipped, recorded_at)
    SELECT u.low, u.high, 'join', u.assurance, u.occurred_at, u.source_id, u.message_id, false, %b
    FROM unnest(%b::uuid[], %b::uuid[], %b::smallint[], %b::timestamptz[], %b::uuid[], %b::text[])
        AS u(low, high, assurance, occurred_at, source_id, message_id)
    ON CONFLICT (low_id, high_id, kind, assurance) DO UPDATE
        SET occurred_at = excluded.occurred_at, source_id = excluded.source_id, message_id = excluded.message_id
        WHERE (excluded.occurred_at, excluded.source_id, excluded.message_id)
            < (e.occurred_at, e.source_id, e.message_id)
    RETURNING low_id, high_id
"""

_LOCK_PROFILES = """
    SELECT p.id, p.customer_id, i.kind_id, i.namespace, i.value
    FROM customers_profile p JOIN customers_identifier i ON i.profile_id = p.id
    WHERE p.id = ANY(%b) OR p.customer_id = ANY(%b) ORDER BY p.id FOR UPDATE OF p
"""

_EDGES = """
    SELECT id, low_id, high_id, kind, assurance, occurred_at, source_id, message_id, skipped
    FROM customers_edge WHERE low_id = ANY(%b) OR high_id = ANY(%b)
"""

Row = tuple[UUID, UUID, int, datetime, UUID, str]


def join(cursor: Cursor[Any], batch: Batch, profiles: Profiles, now: datetime) -> set[UUID]:
    """Write the batch's edges, regroup what they touch, write the new profiles; return the customers changed."""
    changed = _add_edges(cursor, batch.messages, profiles, now)
    touched = {profile for pair in changed for profile in pair} | profiles.made.keys()
    if not touched:
        return set()
    return _regroup(cursor, batch, profiles, touched, now)


def _add_edges(
    cursor: Cursor[Any], messages: Iterable[Incoming], profiles: Profiles, now: datetime
) -> list[tuple[UUID, UUID]]:
    edges: dict[tuple[UUID, UUID, int], Row] = {}
    for message in messages:
        of_message = profiles.of_message[message.id]
        for named, profile in zip(message.named[1:], of_message[1:], strict=True):
            row = _edge(message, of_message[0], profile, named)
            key = row[:3]
            if key not in edges or row[3:] < edges[key][3:]:
                edges[key] = row
    if not edges:
        return []
    columns = zip(*(edges[key] for key in sorted(edges)), strict=True)
    return cursor.execute(_ADD_EDGES, [now, *(list(column) for column in columns)]).fetchall()


def _edge(message: Incoming, strongest: UUID, other: UUID, named: Named) -> Row:
    low, high = sorted((strongest, other))
    # An e-mail in traits is what somebody typed; two ids in one message is what the source itself saw.
    assurance = Assurance.CLAIMED if named.kind == "email" or message.named[0].kind == "email" else Assurance.OBSERVED
    return (low, high, int(assurance), message.occurred_at, message.source_id, message.message_id)


def _regroup(
    cursor: Cursor[Any], batch: Batch, profiles: Profiles, touched: Collection[UUID], now: datetime
) -> set[UUID]:
    current, nodes, edges = _closure(cursor, batch, profiles, touched)
    grouping = group(nodes, [edge for edge, _skipped in edges])
    _mark_skipped(cursor, edges, grouping.skipped)
    moved = [
        (profile, current[profile], customer)
        for profile, customer in sorted(grouping.customer.items())
        if profile in current and current[profile] != customer
    ]
    _write_customers(cursor, set(grouping.customer.values()), now)
    _write_made(cursor, batch.messages, profiles, grouping.customer, now)
    _move(cursor, moved, _told_about(batch.messages, profiles, grouping.customer), now)
    profiles.customer.update(grouping.customer)
    return {customer for _profile, _from, customer in moved} | {before for _profile, before, _to in moved}


def _closure(
    cursor: Cursor[Any], batch: Batch, profiles: Profiles, touched: Collection[UUID]
) -> tuple[dict[UUID, UUID], list[Node], list[tuple[Evidence, bool]]]:
    """Lock everybody the touched profiles may belong with, by any edge, skipped ones included.

    Waiting for a lock may show that another worker has just moved a profile; so look again until nothing new
    comes into view.
    """
    ids, customers = set(touched), set[UUID]()
    while True:
        rows = cursor.execute(_LOCK_PROFILES, [list(ids), list(customers)]).fetchall()
        seen = {row[0] for row in rows} | ids
        edges = cursor.execute(_EDGES, [list(seen), list(seen)]).fetchall()
        reached = seen | {edge[1] for edge in edges} | {edge[2] for edge in edges}
        homes = {row[1] for row in rows}
        if reached == ids and homes <= customers:
            break
        ids, customers = reached, customers | homes
    nodes = [_node(batch, row[0], Named(row[3], row[2], row[4])) for row in rows]
    nodes += [_node(batch, profile, named) for profile, named in profiles.made.items() if profile in ids]
    evidence = [(Evidence(edge[0], edge[1], edge[2], edge[3] == EdgeKind.JOIN, *edge[4:8]), edge[8]) for edge in edges]
    return {row[0]: row[1] for row in rows}, nodes, evidence


def _node(batch: Batch, profile: UUID, named: Named) -> Node:
    once = (named.kind, named.namespace) if batch.kinds[named.kind].one_per_person else None
    return Node(profile, once, named.value)


def _mark_skipped(cursor: Cursor[Any], edges: Iterable[tuple[Evidence, bool]], skipped: frozenset[int]) -> None:
    turned = [edge.id for edge, was in edges if was != (edge.id in skipped)]
    if turned:
        cursor.execute("UPDATE customers_edge SET skipped = NOT skipped WHERE id = ANY(%b)", [turned])


def _write_customers(cursor: Cursor[Any], customers: set[UUID], now: datetime) -> None:
    cursor.execute(
        "INSERT INTO customers_customer (id, created_at, traits, zone, locale)"
        " SELECT id, %b, '{}', '', '' FROM unnest(%b::uuid[]) AS u(id) ON CONFLICT DO NOTHING",
        [now, sorted(customers)],
    )


def _write_made(
    cursor: Cursor[Any], messages: Iterable[Incoming], profiles: Profiles, customer: dict[UUID, UUID], now: datetime
) -> None:
    """Write the new profiles. They belong to their customer since they were first named: what is granted later
    in the same breath is granted by the whole person."""
    if not profiles.made:
        return
    named_at: dict[UUID, datetime] = {}
    for message in messages:
        at = min(message.occurred_at, message.received_at)
        for profile in profiles.of_message[message.id]:
            named_at[profile] = min(at, named_at.get(profile, at))
    copy_rows(
        cursor,
        "customers_profile",
        (("id", "uuid"), ("customer_id", "uuid"), ("customer_since", "timestamptz"), ("created_at", "timestamptz")),
        ((profile, customer[profile], named_at[profile], now) for profile in profiles.made),
    )


def _told_about(messages: Iterable[Incoming], profiles: Profiles, customer: dict[UUID, UUID]) -> set[UUID]:
    """The customers whose traits the batch tells, which will be locked for that in a moment."""
    strongest = (profiles.of_message[message.id][0] for message in messages if message.kind == "identify")
    return {customer.get(profile) or profiles.customer[profile] for profile in strongest}


def _move(cursor: Cursor[Any], moved: list[tuple[UUID, UUID, UUID]], told: set[UUID], now: datetime) -> None:
    """Change the one attribution that merging changes, and tell whoever keeps a copy of it."""
    if not moved:
        return
    ids, before, after = (list(column) for column in zip(*moved, strict=True))
    # Whoever keeps a copy of customer_id locks the customer before writing one. All that this batch will ever
    # lock is locked at once, in order, lest two batches wait for each other.
    cursor.execute(
        "SELECT 1 FROM customers_customer WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE",
        [sorted({*before, *after, *told})],
    )
    cursor.execute(
        "UPDATE customers_profile p SET customer_id = u.customer_id, customer_since = %b"
        " FROM unnest(%b::uuid[], %b::uuid[]) AS u(id, customer_id) WHERE p.id = u.id",
        [now, ids, after],
    )
    columns = (
        ("profile_id", "uuid"),
        ("from_customer_id", "uuid"),
        ("to_customer_id", "uuid"),
        ("queued_at", "timestamptz"),
    )
    copy_rows(
        cursor,
        "customers_merge_queue",
        columns,
        ((*move, now) for move in zip(ids, before, after, strict=True)),
    )
