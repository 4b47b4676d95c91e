"""A component of the identity graph, locked whole, grouped anew, and what follows from that written."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from customers.kinds import Kinds
from customers.pg import copy_rows
from customers.resolve.graph import Evidence, Node, group
from customers.resolve.incoming import Named

_PROFILES = """
    SELECT p.id, p.customer_id, p.customer_since, i.kind_id, i.namespace, i.value, i.shared_at IS NOT NULL
    FROM customers_profile p JOIN customers_identifier i ON i.profile_id = p.id
    WHERE p.id = ANY(%b) OR p.customer_id = ANY(%b) ORDER BY p.id
"""
_LOCK_PROFILES = f"{_PROFILES} FOR UPDATE OF p"
_EDGES = """
    SELECT id, low_id, high_id, kind, assurance, occurred_at, source_id, message_id, skipped
    FROM customers_edge WHERE low_id = ANY(%b) OR high_id = ANY(%b)
"""


class Home(NamedTuple):
    """Where a profile is now, and since when."""

    customer_id: UUID
    since: datetime


class Move(NamedTuple):
    """A profile that changes its customer; it had been with the former since `was_since`."""

    profile_id: UUID
    from_id: UUID
    to_id: UUID
    was_since: datetime


@dataclass(slots=True)
class Component:
    """`homes` are of the profiles that exist already; `nodes` also has those about to be made."""

    homes: dict[UUID, Home]
    nodes: list[Node]
    edges: list[Evidence]
    # Edges that were not followed so far, by id.
    skipped: set[int]


@dataclass(slots=True)
class Grouped:
    """Whose customer each profile is, what moves for that, and which edges change their mark."""

    customer: dict[UUID, UUID]
    moves: list[Move]
    turned: list[int] = field(default_factory=list)


def closure(
    cursor: Cursor[Any],
    kinds: Kinds,
    touched: Collection[UUID],
    made: Mapping[UUID, Named],
    opened: Collection[UUID] = (),
) -> Component:
    """Lock everybody the touched profiles may belong with, by any edge, skipped ones included.

    The first look locks nothing: whoever locked the profile at hand and then its customer's others would wait in a
    circle for whoever came from another of them. Waiting for a lock may show that another worker has just moved a
    profile; so look again until nothing new comes into view. Nobody is reached by way of a shared identifier, but of
    those in `opened`, which have just come to be shared or cease to be.
    """
    ids, customers, look = set(touched), set[UUID](), _PROFILES
    while True:
        rows = cursor.execute(look, [list(ids), list(customers)]).fetchall()
        closed = {row[0] for row in rows if row[6]} - set(opened)
        seen = {row[0] for row in rows} | ids
        from_here = list(seen - closed)
        edges = cursor.execute(_EDGES, [from_here, from_here]).fetchall()
        reached = seen | {edge[1] for edge in edges} | {edge[2] for edge in edges}
        homes = {row[1] for row in rows if row[0] not in closed}
        # Who is not there yet cannot be locked.
        if reached == ids and homes <= customers and (look is _LOCK_PROFILES or not rows):
            break
        ids, customers, look = reached, customers | homes, _LOCK_PROFILES
    nodes = [_node(kinds, row[0], Named(row[4], row[3], row[5]), row[6]) for row in rows]
    nodes += [_node(kinds, profile, named, False) for profile, named in made.items() if profile in ids]
    # Who is being erased has no name any more; an edge to them, come in at the same time, leads to nobody.
    there = {node.id for node in nodes}
    edges = [edge for edge in edges if edge[1] in there and edge[2] in there]
    return Component(
        homes={row[0]: Home(row[1], row[2]) for row in rows},
        nodes=nodes,
        edges=[Evidence(*edge[:8]) for edge in edges],
        skipped={edge[0] for edge in edges if edge[8]},
    )


def _node(kinds: Kinds, profile: UUID, named: Named, shared: bool) -> Node:
    kind = kinds.get(named.kind)
    most, typed = (kind.most, kind.is_typed) if kind else (None, False)
    return Node(profile, (named.kind, named.namespace), named.value, most, shared, typed)


def regroup(component: Component, more: Iterable[Evidence] = ()) -> Grouped:
    """What follows from the component's edges, and from `more` that are not written yet."""
    grouping = group(component.nodes, [*component.edges, *more])
    moves = [
        Move(profile, home.customer_id, grouping.customer[profile], home.since)
        for profile, home in sorted(component.homes.items())
        if grouping.customer[profile] != home.customer_id
    ]
    known = {edge.id for edge in component.edges}
    return Grouped(grouping.customer, moves, sorted((grouping.skipped & known) ^ component.skipped))


def mark(cursor: Cursor[Any], grouped: Grouped) -> None:
    """Mark the edges that are followed or skipped from now on."""
    if grouped.turned:
        cursor.execute("UPDATE customers_edge SET skipped = NOT skipped WHERE id = ANY(%b)", [grouped.turned])


def write_customers(cursor: Cursor[Any], customers: Collection[UUID], now: datetime) -> None:
    """Have a row for each; one that was emptied by a merge is there still."""
    cursor.execute(
        "INSERT INTO customers_customer (id, created_at, traits, zone, locale, country)"
        " SELECT id, %b, '{}', '', '', '' FROM unnest(%b::uuid[]) AS u(id) ON CONFLICT DO NOTHING",
        [now, sorted(customers)],
    )


def write_moves(cursor: Cursor[Any], moves: Collection[Move], also_locked: Collection[UUID], now: datetime) -> None:
    """Change the one attribution that merging changes, keep that it was, and tell whoever keeps a copy of it.

    Whoever keeps a copy of customer_id locks the customer before writing one. All that this transaction will ever
    lock of customers is locked at once, in order, lest two of them wait for each other.
    """
    if not moves:
        return
    cursor.execute(
        "SELECT 1 FROM customers_customer WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE",
        [sorted({one for move in moves for one in (move.from_id, move.to_id)} | set(also_locked))],
    )
    cursor.execute(
        "UPDATE customers_profile p SET customer_id = u.customer_id, customer_since = %b"
        " FROM unnest(%b::uuid[], %b::uuid[]) AS u(id, customer_id) WHERE p.id = u.id",
        [now, [move.profile_id for move in moves], [move.to_id for move in moves]],
    )
    copy_rows(
        cursor,
        "customers_profilemove",
        (
            ("profile_id", "uuid"),
            ("from_customer_id", "uuid"),
            ("to_customer_id", "uuid"),
            ("was_since", "timestamptz"),
            ("at", "timestamptz"),
        ),
        ((*move, now) for move in moves),
    )
    copy_rows(
        cursor,
        "customers_merge_queue",
        (
            ("profile_id", "uuid"),
            ("from_customer_id", "uuid"),
            ("to_customer_id", "uuid"),
            ("queued_at", "timestamptz"),
        ),
        ((*move[:3], now) for move in moves),
    )
