"""Whose data a preview is made of: a customer as they were known at a moment, within what the looker may read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson

from customers import personal
from customers.models import Customer, Event, EventPayload, Profile, ProfileBrand
from customers.pg import raw_cursor
from customers.search import rows_by
from customers.winner import FITS, ORDER

if TYPE_CHECKING:
    from customers.sight import Person

_PATHS: Final = ("profiles__identifier__value", "profiles__addresses__address__value")
# What was said of the customer by then, one value for each trait.
_THEN: Final = f"""
    SELECT DISTINCT ON (t.name) t.name, t.value::text
    FROM customers_profile o JOIN customers_trait t ON t.profile_id = o.id
    LEFT JOIN customers_traitdefinition d ON d.name = t.name
    WHERE o.customer_id = %s AND t.valid_from <= %s AND {FITS}
    ORDER BY t.name, {ORDER}
"""


@dataclass(frozen=True, slots=True)
class Somebody:
    traits: Mapping[str, Any] = field(default_factory=dict)
    locale: str = ""
    zone: str = ""
    customer_id: UUID | None = None
    profile_id: UUID | None = None
    # Of whom the looker may not read personal data: what is shown is masked.
    is_masked: bool = False


NOBODY: Final = Somebody()


def find(user: "Person", words: str, brand_id: UUID, at: datetime) -> Somebody | None:
    """The customer whom this id, identifier or address names, as far as the user may see them; as known at `at`. Of
    people whom the brand knows: its messages are made of nobody else's data."""
    customer = _customer(user, words.strip())
    known = ProfileBrand.objects.filter(brand_id=brand_id, profile__customer=customer)
    if customer is None or not known.exists():
        return None
    is_masked = personal.is_masked(customer)
    with raw_cursor() as cursor:
        cursor.execute(_THEN, [customer.pk, at])
        traits = {name: None if value is None else orjson.loads(value) for name, value in cursor}
    return Somebody(
        traits=personal.mask(traits, personal.TRAITS) if is_masked else traits,
        locale=customer.locale,
        zone=customer.zone,
        customer_id=customer.pk,
        profile_id=Profile.objects.filter(customer=customer).order_by("pk").values_list("pk", flat=True).first(),
        is_masked=is_masked,
    )


def _customer(user: "Person", words: str) -> Customer | None:
    shown = Customer.objects.shown_to(user)
    try:
        return shown.filter(pk=UUID(words)).first()
    except ValueError:
        pass
    for path in _PATHS:
        found = (
            rows_by(Customer, path, {words, words.lower()}, user).order_by("pk").values_list("pk", flat=True).first()
        )
        if found is not None:
            return shown.filter(pk=found).first()
    return None


def latest_event(
    user: "Person", somebody: Somebody, brand_id: UUID, name: str, at: datetime
) -> Mapping[str, Any] | None:
    """What their last event of this name said by then; None where there is none that the user may see."""
    if somebody.customer_id is None or not name:
        return None
    events = Event.objects.shown_to(user).filter(
        brand_id=brand_id, name=name, profile__customer_id=somebody.customer_id, occurred_at__lte=at
    )
    event = events.order_by("-occurred_at", "-id").first()
    if event is None:
        return None
    row = EventPayload.objects.filter(event_id=event.pk, received_at=event.received_at).first()
    said = (row.payload.get("properties") if row is not None else None) or {}
    masked: Mapping[str, Any] = personal.mask(said, personal.DOCUMENT) if somebody.is_masked else said
    return masked
