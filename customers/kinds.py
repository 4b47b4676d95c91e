"""The kinds of identifiers this installation knows: how each is read, ranked and limited, the strongest first."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from customers.belief import Belief
from customers.identifiers import Scheme, scheme
from customers.identifiers.errors import blocked
from customers.models import IdentifierKind

# Those which the doors themselves speak of.
USER_ID: Final = "user_id"
ANONYMOUS_ID: Final = "anonymous_id"
EMAIL: Final = "email"
PHONE: Final = "phone"
DEVICE: Final = "device"
# What every installation begins with, the strongest first.
BUILT_IN: Final = (
    USER_ID, "crm_id", "cpf", "cnpj", "abn", "loyalty_card", EMAIL, PHONE, DEVICE, ANONYMOUS_ID,
)  # fmt: skip

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """`most` values of it belong to one customer, in one namespace; a value seen with more than `most_people` other
    identifiers joins nobody. Both are None where there is no limit."""

    key: str
    rank: int
    scheme: Scheme
    organisation_wide: bool
    most: int | None
    most_people: int | None
    is_typed: bool
    blocked: frozenset[str]

    def read(self, value: str, region: str = "") -> tuple[str, str]:
        """`value` as it is compared and as it was given, or IdentifierError."""
        compared, original = self.scheme.read(value, region)
        if compared in self.blocked or value in self.blocked:
            raise blocked()
        return compared, original


Kinds = Mapping[str, Kind]


def current(now: datetime) -> Kinds:
    return _BELIEF.current(now)


def forget() -> None:
    """Believe nothing any more."""
    _BELIEF.forget()


def _load() -> Kinds:
    known: dict[str, Kind] = {}
    for row in IdentifierKind.objects.order_by("rank", "key"):
        try:
            read_by = scheme(row.scheme)
        except KeyError:
            logger.error("Identifiers of kind %s cannot be read: no scheme is called %s", row.key, row.scheme)
            continue
        known[row.key] = Kind(
            key=row.key,
            rank=row.rank,
            scheme=read_by,
            organisation_wide=row.organisation_wide,
            most=row.most_per_customer,
            most_people=row.most_people,
            is_typed=row.is_typed,
            blocked=frozenset(row.blocked),
        )
    return known


_BELIEF: Final = Belief(("customers_identifierkind",), _load)
