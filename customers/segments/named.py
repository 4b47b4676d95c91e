"""Whom a list of identifiers names: the customers of a brand, and what names nobody there."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customers import kinds
from customers.identifiers import IdentifierError
from customers.ids import NIL
from customers.models import Identifier, ProfileBrand, Source


@dataclass(frozen=True, slots=True)
class Found:
    customers: frozenset[UUID]
    # Those that cannot be read as the kind, or that nobody in the brand is known by.
    unknown: int


def find(brand_id: UUID, kind: str, values: Collection[str], now: datetime) -> Found:
    """Of a kind that means something in its source only, the brand's sources are asked."""
    known = kinds.current(now)[kind]
    read = set()
    for value in values:
        try:
            read.add(known.read(value)[0])
        except IdentifierError:
            continue
    namespaces = [NIL]
    if not known.organisation_wide:
        namespaces = list(Source.objects.filter(brand=brand_id).values_list("namespace", flat=True))
    rows = Identifier.objects.filter(value__in=read, kind=kind, namespace__in=namespaces, closed_at=None)
    here = ProfileBrand.objects.filter(brand=brand_id, profile__customer__profiles__identifier__in=rows)
    homes = set(here.values_list("profile__customer_id", flat=True))
    named = list(rows.filter(profile__customer_id__in=homes).values_list("value", "profile__customer_id"))
    return Found(frozenset(home for _value, home in named), len(values) - len({value for value, _home in named}))
