"""What people decide of who is who, written as edges and followed at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from customers import bells, internal, kinds
from customers.awaited import names_under_lock
from customers.consumers import Resolved
from customers.consumers import tell as tell_consumers
from customers.models import Assurance, EdgeKind, Source
from customers.pg import raw_cursor
from customers.resolve.component import Component, Move, closure, mark, regroup, write_customers, write_moves
from customers.resolve.graph import Evidence, Node
from customers.resolve.stage import of_moves
from customers.resolve.traits import refresh

# Of what people decided the latest stands.
_DECIDE = """
    INSERT INTO customers_edge AS e
        (low_id, high_id, kind, assurance, occurred_at, source_id, message_id, skipped, recorded_at)
    SELECT u.low, u.high, u.kind, %b, %b, %b, %b, false, %b
    FROM unnest(%b::uuid[], %b::uuid[], %b::text[]) AS u(low, high, kind)
    ON CONFLICT (low_id, high_id, kind, assurance) DO UPDATE
        SET occurred_at = excluded.occurred_at, source_id = excluded.source_id, message_id = excluded.message_id,
            recorded_at = excluded.recorded_at
        WHERE e.occurred_at < excluded.occurred_at
"""
_CUSTOMERS_OF = "SELECT id, customer_id FROM customers_profile WHERE id = ANY(%b)"

# (lower profile, higher profile, kind of edge)
Tie = tuple[UUID, UUID, str]


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what of whom. `reference` tells where: a review, a page."""

    by: str
    reference: str
    now: datetime
    source_id: UUID

    @property
    def message_id(self) -> str:
        return f"{self.reference}:{self.by}"[:100]


class NothingToSplit(ValueError):
    """The profiles are all of one customer, or of several: there is no line to cut along."""


def decision(brand_id: UUID, by: Any, reference: str, now: datetime) -> Decision:
    """A decision of somebody on the staff, as evidence of the brand's reserved source."""
    source, _made = Source.objects.get_or_create(
        brand_id=brand_id, key=Source.RESERVED_KEY, defaults={"name": "Trilha", "namespace": brand_id}
    )
    return Decision(str(getattr(by, "pk", by)), reference, now, source.pk)


@transaction.atomic
def join(one: UUID, other: UUID, made: Decision) -> list[Move]:
    """The customers of these two profiles are one person; return who moved. What they have of a kind that a person has
    once, they have under two names from now on."""
    known = kinds.current(made.now)
    with raw_cursor() as cursor:
        component = closure(cursor, known, [one, other], {})
        if tied := ties(component, one, other):
            _decide(cursor, tied, made)
        return follow(cursor, closure(cursor, known, [one, other], {}), made.now)


@transaction.atomic
def split(out: Collection[UUID], made: Decision) -> list[Move]:
    """These profiles are not the person they are held for: every tie between them and the others is cut."""
    known = kinds.current(made.now)
    with raw_cursor() as cursor:
        component = closure(cursor, known, out, {})
        _decide(cursor, crossing(component, out), made)
        return follow(cursor, closure(cursor, known, out, {}), made.now)


@transaction.atomic
def exempt(profile: UUID, made: Decision) -> list[Move]:
    """This identifier is one person's, however many it was seen with: it joins again."""
    with raw_cursor() as cursor:
        cursor.execute(
            "UPDATE customers_identifier SET exempt = true, shared_at = NULL WHERE profile_id = %b", [profile]
        )
        return follow(cursor, closure(cursor, kinds.current(made.now), [profile], {}, [profile]), made.now)


def ties(component: Component, one: UUID, other: UUID) -> list[Tie]:
    """What makes one of two customers: the two profiles joined, and two values that a person has once told to be
    names of one thing."""
    mine, theirs = (_side(component, profile) for profile in (one, other))
    by_id = {node.id: node for node in component.nodes}
    found = {_tie(one, other, _kind_between(by_id[one], by_id[other]))}
    found |= {
        _tie(left.id, right.id, EdgeKind.ALIAS)
        for left in mine
        for right in theirs
        if left.kind == right.kind and left.most == 1
    }
    # Somebody else may have made them one meanwhile: nothing is tied to itself.
    return sorted(tie for tie in found if tie[0] != tie[1])


def _side(component: Component, profile: UUID) -> list[Node]:
    """The nodes of the profile's customer."""
    customer = component.homes[profile].customer_id
    homes = component.homes
    return [node for node in component.nodes if node.id in homes and homes[node.id].customer_id == customer]


def _kind_between(one: Node, other: Node) -> EdgeKind:
    return EdgeKind.ALIAS if one.kind == other.kind and one.most == 1 else EdgeKind.JOIN


def _tie(one: UUID, other: UUID, kind: EdgeKind) -> Tie:
    return (*((one, other) if one < other else (other, one)), kind.value)


def crossing(component: Component, out: Collection[UUID]) -> list[Tie]:
    """Where a customer is cut in two: along every edge between `out` and the rest of them."""
    inside = set(out)
    customers = {component.homes[profile].customer_id for profile in inside if profile in component.homes}
    rest = {profile for profile, home in component.homes.items() if home.customer_id in customers} - inside
    if len(customers) != 1 or not rest:
        raise NothingToSplit
    return sorted(
        {
            _tie(edge.low, edge.high, EdgeKind.SPLIT)
            for edge in component.edges
            if edge.kind != EdgeKind.SPLIT
            and ((edge.low in inside and edge.high in rest) or (edge.low in rest and edge.high in inside))
        }
    )


def evidence(found: Sequence[Tie], made: Decision) -> list[Evidence]:
    """The decision's edges as the graph sees them, before they are written."""
    return [
        Evidence(-n, low, high, kind, int(Assurance.PERSON), made.now, made.source_id, made.message_id)
        for n, (low, high, kind) in enumerate(found, 1)
    ]


def _decide(cursor: Cursor[Any], found: Sequence[Tie], made: Decision) -> None:
    values = [int(Assurance.PERSON), made.now, made.source_id, made.message_id, made.now]
    cursor.execute(_DECIDE, [*values, *(list(column) for column in zip(*found, strict=True))])


def follow(cursor: Cursor[Any], component: Component, now: datetime) -> list[Move]:
    """Write what follows from a component's edges as they are now, and tell whoever must know."""
    awaited = names_under_lock()
    grouped = regroup(component)
    mark(cursor, grouped)
    if not grouped.moves:
        return []
    regrouped = {one for move in grouped.moves for one in (move.from_id, move.to_id)}
    write_customers(cursor, regrouped, now)
    write_moves(cursor, grouped.moves, regrouped, now)
    refresh(cursor, regrouped, compare=False)
    tell_consumers(Resolved([], grouped.moves, now))
    internal.tell(cursor, of_moves(grouped.moves), awaited, now)
    bells.ring("engine")
    return grouped.moves


def customers_of(profiles: Collection[UUID]) -> dict[UUID, UUID]:
    with raw_cursor() as cursor:
        return dict(cursor.execute(_CUSTOMERS_OF, [list(profiles)]).fetchall())
