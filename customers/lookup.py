"""Who a partner means: a person by an identifier or by the customer's id, if its sources ever named them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from customers import kinds
from customers.identifiers import IdentifierError
from customers.ids import NIL
from customers.models import Customer, Event, EventPayload, Identifier, Source
from customers.partner import Partner


@dataclass(frozen=True, slots=True)
class Known:
    """A person as a partner knows them: by this profile, of its own naming; `email` if that is what it named."""

    customer_id: UUID
    profile_id: UUID
    email: str = ""


def by_identifier(partner: Partner, kind: str, value: str, now: datetime) -> Known | None:
    """Raises IdentifierError for what identifies nobody."""
    known = kinds.current(now).get(kind)
    if known is None:
        raise IdentifierError("unknown_identifier_kind", "There is no such kind of identifier.", "See the guide.")
    compared, _original = known.read(value)
    namespaces = [NIL] if known.organisation_wide else _namespaces(partner)
    named = Identifier.objects.visible_to(partner).filter(
        value=compared, kind_id=kind, namespace__in=namespaces, closed_at=None
    )
    row = named.order_by("id").values_list("profile__customer_id", "profile_id").first()
    return Known(*row, email=compared if kind == "email" else "") if row else None


def by_values(partner: Partner, kind: str, values: Collection[str], now: datetime) -> dict[str, UUID]:
    """The customers of these values, as they are compared; of a kind that there is."""
    return {value: one.customer_id for value, one in known_by_values(partner, kind, values, now).items()}


def known_by_values(partner: Partner, kind: str, values: Collection[str], now: datetime) -> dict[str, Known]:
    """The same, as the partner knows them."""
    wide = kinds.current(now)[kind].organisation_wide
    named = Identifier.objects.visible_to(partner).filter(
        value__in=values, kind_id=kind, namespace__in=[NIL] if wide else _namespaces(partner), closed_at=None
    )
    rows = named.order_by("-id").values_list("value", "profile__customer_id", "profile_id")
    return {value: Known(customer, profile, value if kind == "email" else "") for value, customer, profile in rows}


def by_customer(partner: Partner, customer_id: UUID) -> Known | None:
    """By the strongest identifier that the partner gave of them."""
    named = Identifier.objects.visible_to(partner).filter(profile__customer_id=customer_id, closed_at=None)
    profile_id = named.order_by("kind__rank", "value", "id").values_list("profile_id", flat=True).first()
    return Known(customer_id, profile_id) if profile_id else None


def known_customers(partner: Partner, customer_ids: Collection[UUID]) -> dict[UUID, Known]:
    """Of many, each by the strongest identifier that the partner gave of them."""
    named = Identifier.objects.visible_to(partner).filter(profile__customer_id__in=customer_ids, closed_at=None)
    # The strongest comes last, and stays.
    rows = named.order_by("-kind__rank", "-value", "-id").values_list("profile__customer_id", "profile_id")
    return {customer: Known(customer, profile) for customer, profile in rows}


def customer(partner: Partner, customer_id: UUID) -> Customer | None:
    return Customer.objects.visible_to(partner).filter(pk=customer_id).first()


def identifiers(partner: Partner, customer_id: UUID) -> list[Identifier]:
    """What the partner itself called them by."""
    rows = Identifier.objects.visible_to(partner).filter(profile__customer_id=customer_id, closed_at=None)
    return list(rows.order_by("kind__rank", "value", "id"))


# An interval of a trait begins with each word on it, so the latest begun is what the sources last said.
_TRAITS = """
    SELECT DISTINCT ON (t.name) t.name, t.value
    FROM customers_profile p JOIN customers_trait t ON t.profile_id = p.id
    WHERE p.customer_id = %s AND EXISTS (
        SELECT 1 FROM customers_event e WHERE e.id = t.event_id AND e.source_id = ANY(%s)
    )
    ORDER BY t.name, t.valid_from DESC, t.event_id DESC
"""


def traits(partner: Partner, customer_id: UUID) -> dict[str, Any]:
    """What the partner's own sources last said of them; what others said is not theirs to know."""
    with connection.cursor() as cursor:
        cursor.execute(_TRAITS, [customer_id, partner.source_ids])
        rows = cursor.fetchall()
    # Django has jsonb come as text.
    return {name: None if value is None else orjson.loads(value) for name, value in rows}


def contents(events: Collection[Event]) -> dict[int, Mapping[str, Any]]:
    """What each of these events says, by its id; nothing of those whose payload was erased."""
    rows = EventPayload.objects.filter(
        event_id__in=[event.pk for event in events], received_at__in={event.received_at for event in events}
    )
    return {row.event_id: row.payload.get("properties") or row.payload.get("traits") or {} for row in rows}


def _namespaces(partner: Partner) -> list[UUID]:
    return list(Source.objects.filter(pk__in=partner.source_ids).values_list("namespace", flat=True))
