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
from customers.resolve.graph import Evidence
from customers.resolve.stage import of_moves
from customers.resolve.traits import refresh

# Of what people decided the latest stands.
_DECIDE = """
    INSERT INTO customers_edge AS e
        (low_id, high_id, kind, assurance, occurred_at, source_id, message_id, skipped, recorded_at)
    SELECT u.low, u.high, %b, %b, %b, %b, %b, false, %b FROM unnest(%b::uuid[], %b::uuid[]) AS u(low, high)
    ON CONFLICT (low_id, high_id, kind, assurance) DO UPDATE
        SET occurred_at = excluded.occurred_at, source_id = excluded.source_id, message_id = excluded.message_id,
            recorded_at = excluded.recorded_at
        WHERE e.occurred_at < excluded.occurred_at
"""
_CUSTOMERS_OF = "SELECT id, customer_id FROM customers_profile WHERE id = ANY(%b)"

Pair = tuple[UUID, UUID]


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
    """These two profiles are one person's; return who moved. Two who were told apart before are joined anew."""
    pair = ordered(one, other)
    return _follow([pair], EdgeKind.JOIN, made)


@transaction.atomic
def split(out: Collection[UUID], made: Decision) -> list[Move]:
    """These profiles are not the person they are held for: every tie between them and the others is cut."""
    with raw_cursor() as cursor:
        component = closure(cursor, kinds.current(made.now), out, {})
    return _follow(crossing(component, out), EdgeKind.SPLIT, made)


@transaction.atomic
def exempt(profile: UUID, made: Decision) -> list[Move]:
    """This identifier is one person's, however many it was seen with: it joins again."""
    with raw_cursor() as cursor:
        cursor.execute(
            "UPDATE customers_identifier SET exempt = true, shared_at = NULL WHERE profile_id = %b", [profile]
        )
        return follow(cursor, closure(cursor, kinds.current(made.now), [profile], {}, [profile]), made.now)


def crossing(component: Component, out: Collection[UUID]) -> list[Pair]:
    """The pairs along which a customer is cut in two: those of every followed edge between `out` and the rest."""
    inside = set(out)
    customers = {component.homes[profile].customer_id for profile in inside if profile in component.homes}
    rest = {profile for profile, home in component.homes.items() if home.customer_id in customers} - inside
    if len(customers) != 1 or not rest:
        raise NothingToSplit
    return sorted(
        {
            (edge.low, edge.high)
            for edge in component.edges
            if edge.kind != EdgeKind.SPLIT
            and ((edge.low in inside and edge.high in rest) or (edge.low in rest and edge.high in inside))
        }
    )


def evidence(pairs: Sequence[Pair], kind: str, made: Decision) -> list[Evidence]:
    """The decision's edges as the graph sees them, before they are written."""
    return [
        Evidence(-n, low, high, kind, int(Assurance.PERSON), made.now, made.source_id, made.message_id)
        for n, (low, high) in enumerate(pairs, 1)
    ]


def _follow(pairs: Sequence[Pair], kind: EdgeKind, made: Decision) -> list[Move]:
    with raw_cursor() as cursor:
        low, high = ([pair[side] for pair in pairs] for side in (0, 1))
        values = [kind.value, int(Assurance.PERSON), made.now, made.source_id, made.message_id, made.now]
        cursor.execute(_DECIDE, [*values, low, high])
        touched = {profile for pair in pairs for profile in pair}
        return follow(cursor, closure(cursor, kinds.current(made.now), touched, {}), made.now)


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


def ordered(one: UUID, other: UUID) -> Pair:
    return (one, other) if one < other else (other, one)


def customers_of(profiles: Collection[UUID]) -> dict[UUID, UUID]:
    with raw_cursor() as cursor:
        return dict(cursor.execute(_CUSTOMERS_OF, [list(profiles)]).fetchall())
