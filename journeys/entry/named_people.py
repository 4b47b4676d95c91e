"""Whom the lines of a list name: of the people of the brand, by the namespaces that whoever handed it in may see."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext_lazy as _

from customers import kinds
from customers.hints import Text
from customers.identifiers import IdentifierError
from customers.ids import NIL
from customers.models import Identifier, ProfileBrand, Source
from journeys.models import CallListRow

Problem = CallListRow.Problem
# Besides the kinds of identifiers there are.
CUSTOMER: Final = "customer"


@dataclass(frozen=True, slots=True)
class Person:
    profile_id: UUID
    customer_id: UUID


def kinds_offered(now: datetime) -> list[tuple[str, Text]]:
    return [*((key, key) for key in kinds.current(now)), (CUSTOMER, _("the customer’s id"))]


def find(
    brand_id: UUID, kind: str, values: Collection[str], user: AbstractBaseUser, now: datetime
) -> dict[str, Person | str]:
    """By value, whom it names, or the problem."""
    if kind == CUSTOMER:
        return _by_id(brand_id, values)
    known = kinds.current(now)[kind]
    found: dict[str, Person | str] = {}
    compared: dict[str, list[str]] = defaultdict(list)
    for value in values:
        try:
            compared[known.read(value)[0]].append(value)
        except IdentifierError:
            found[value] = str(Problem.NOT_ONE)
    people = _by_value(brand_id, kind, compared, user, is_wide=known.organisation_wide)
    for one, written in compared.items():
        found |= dict.fromkeys(written, _one_of(people.get(one, {})))
    return found


def _one_of(people: Mapping[UUID, UUID]) -> Person | str:
    """`people` are profiles by customer."""
    if len(people) > 1:
        return str(Problem.AMBIGUOUS)
    return next((Person(profile, customer) for customer, profile in people.items()), str(Problem.UNKNOWN))


def _by_value(
    brand_id: UUID, kind: str, compared: Collection[str], user: AbstractBaseUser, *, is_wide: bool
) -> dict[str, dict[UUID, UUID]]:
    sources = Source.objects.visible_to(user).filter(brand=brand_id)
    namespaces = [NIL] if is_wide else list(sources.values_list("namespace", flat=True).distinct())
    rows = Identifier.objects.visible_to(user).filter(
        value__in=compared, kind=kind, namespace__in=namespaces, closed_at=None
    )
    named = list(rows.order_by("-id").values_list("value", "profile__customer_id", "profile_id"))
    here = _in_brand(brand_id, {customer for _value, customer, _profile in named})
    people: dict[str, dict[UUID, UUID]] = defaultdict(dict)
    for value, customer, profile in named:
        if customer in here:
            people[value][customer] = profile
    return people


def _by_id(brand_id: UUID, values: Collection[str]) -> dict[str, Person | str]:
    found: dict[str, Person | str] = {}
    ids: dict[UUID, list[str]] = defaultdict(list)
    for value in values:
        try:
            ids[UUID(value)].append(value)
        except ValueError:
            found[value] = str(Problem.NOT_ONE)
    here = _in_brand(brand_id, ids)
    for id_, written in ids.items():
        one: Person | str = Person(here[id_], id_) if id_ in here else str(Problem.UNKNOWN)
        found |= dict.fromkeys(written, one)
    return found


def _in_brand(brand_id: UUID, customers: Collection[UUID]) -> dict[UUID, UUID]:
    """Those of the customers who are people of the brand, each with a profile that was seen there."""
    seen = ProfileBrand.objects.filter(brand=brand_id, profile__customer_id__in=customers)
    return dict(seen.order_by("-profile_id").values_list("profile__customer_id", "profile_id"))
