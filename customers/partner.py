"""A partner at the API, and what of each table it may know: its sources' events and the customers they named."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.apps import apps
from django.db.models import Exists, Manager, Model, OuterRef, Q, QuerySet

from customers.reach import NEVER, reach_of

# The scope of those who read personal data unmasked.
PERSONAL: Final = "customers:personal"


@dataclass(frozen=True, slots=True)
class Partner:
    """Who calls: a valid token, with all that a call asks of it. `sources` are ids by key."""

    token_id: UUID
    brand_id: UUID
    prefix: str
    scopes: frozenset[str]
    per_minute: int
    sources: dict[str, UUID]

    @property
    def source_ids(self) -> list[UUID]:
        return sorted(self.sources.values())

    @property
    def reads_personal(self) -> bool:
        return PERSONAL in self.scopes

    def sees(self, model: type[Model]) -> Q:
        """The rows of a model that concern this partner; none of a model that does not say which."""
        known = getattr(model, "for_partners", None)
        if not isinstance(known, Known):
            return NEVER
        seen = reach_of(model).within([self.brand_id]) & known.to(self)
        telling: Q | None = getattr(model, "telling", None)
        return seen if telling is None or self.reads_personal else seen & ~telling


class Known(ABC):
    """Declared by a model as `for_partners`: which rows a partner may know, of those in its brand."""

    @abstractmethod
    def to(self, partner: Partner) -> Q: ...


class InBrand(Known):
    """All of them: what the brand has for everybody, such as journeys."""

    def to(self, partner: Partner) -> Q:
        return Q()


@dataclass(frozen=True, slots=True)
class OfToken(Known):
    """What it asked for itself."""

    column: str

    def to(self, partner: Partner) -> Q:
        return Q(**{self.column: partner.token_id})


@dataclass(frozen=True, slots=True)
class FromSource(Known):
    """What its own sources told."""

    column: str = "source_id"

    def to(self, partner: Partner) -> Q:
        return Q(**{f"{self.column}__in": partner.source_ids})


@dataclass(frozen=True, slots=True)
class OfNamedProfile(Known):
    """What hangs on a profile that its sources named themselves."""

    column: str = "profile_id"

    def to(self, partner: Partner) -> Q:
        return Q(Exists(_named(partner, self.column)))


@dataclass(frozen=True, slots=True)
class OfNamedCustomer(Known):
    """What concerns a customer of whom its sources named any profile."""

    column: str = "customer_id"

    def to(self, partner: Partner) -> Q:
        profiles = apps.get_model("customers", "Profile")._default_manager
        own = profiles.filter(Exists(_named(partner, "pk")), customer_id=OuterRef(self.column))
        return Q(Exists(own))


def _named(partner: Partner, column: str) -> QuerySet[Model]:
    named: Manager[Model] = apps.get_model("customers", "ProfileSource")._default_manager
    return named.filter(profile_id=OuterRef(column), source_id__in=partner.source_ids)
