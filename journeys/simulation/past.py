"""What was known of people at moments past: from the ledger and their traits, or assumed where nobody keeps either."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from consent.as_of import permissions_at
from consent.decision import Verdict
from consent.permission import Choice, Want, choose_by
from customers.pg import raw_cursor
from customers.places import zones
from customers.rules import Facts
from customers.winner import FITS, ORDER
from journeys.simulation.members import Members
from journeys.steps.base import ZONE

# By customer, at each moment from which something was said of them, all that counted then.
_TRAITS: Final = f"""
    SELECT c.id, m.moment, (
        SELECT jsonb_object_agg(w.name, w.value) FROM (
            SELECT DISTINCT ON (t.name) t.name, t.value
            FROM customers_profile o JOIN customers_trait t ON t.profile_id = o.id
            LEFT JOIN customers_traitdefinition d ON d.name = t.name
            WHERE o.customer_id = c.id AND t.valid_from <= m.moment AND {FITS}
            ORDER BY t.name, {ORDER}
        ) w WHERE w.value IS NOT NULL
    )
    FROM unnest(%b::uuid[]) AS c(id), LATERAL (
        SELECT DISTINCT t.valid_from AS moment
        FROM customers_profile o JOIN customers_trait t ON t.profile_id = o.id WHERE o.customer_id = c.id
    ) m
    ORDER BY c.id, m.moment
"""
_Asked = tuple[Want, datetime]


def choices_at(asked: Sequence[_Asked]) -> list[list[Choice]]:
    """Which address each would have been written to at its moment, or why none; of the addresses known today."""
    moments = [at for _want, at in asked]
    return choose_by([want for want, _at in asked], lambda asks: permissions_at([(ask, moments[n]) for n, ask in asks]))


@dataclass(slots=True)
class Recorded:
    """What was recorded of some customers: read once, for all their moments."""

    zone: str
    _choices: dict[_Asked, list[Choice]] = field(default_factory=dict)
    _traits: dict[UUID, tuple[list[datetime], list[dict[str, Any]]]] = field(default_factory=dict)
    _members: Members = field(default_factory=Members)

    def read_members(self, customers: Sequence[UUID], segments: Collection[UUID]) -> None:
        self._members.read(customers, segments)

    def is_in(self, customer: UUID, segment: UUID, at: datetime) -> bool:
        return self._members.has(customer, segment, at)

    def read(self, asked: Iterable[_Asked], customers: Sequence[UUID]) -> None:
        """Read the permissions that entries will ask for, and the traits of these customers."""
        wanted = list(dict.fromkeys(asked))
        self._choices = dict(zip(wanted, choices_at(wanted), strict=True))
        held: dict[UUID, tuple[list[datetime], list[dict[str, Any]]]] = defaultdict(lambda: ([], []))
        if customers:
            with raw_cursor() as cursor:
                for customer, moment, traits in cursor.execute(_TRAITS, [list(customers)]):
                    held[customer][0].append(moment)
                    held[customer][1].append(traits or {})
        self._traits = dict(held)

    def facts(self, customer: UUID, at: datetime, properties: Mapping[str, Any]) -> Facts:
        moments, told = self._traits.get(customer, ([], []))
        since = bisect_right(moments, at)
        traits = told[since - 1] if since else {}
        zone = traits.get("timezone")
        return Facts(traits=traits, properties=properties, extra={ZONE: zone if zone in zones() else self.zone})

    def choices(self, want: Want, at: datetime) -> list[Choice]:
        return self._choices[want, at]

    def sent(self, asked: Sequence[_Asked]) -> list[list[Choice]]:
        return choices_at(asked)


_AGREED: Final = Verdict(True, "", None)


@dataclass(frozen=True, slots=True)
class Assumed:
    """Everybody agreed to everything, has an address for it and no traits: of events in a file nothing is known."""

    zone: str

    def read(self, asked: Iterable[_Asked], customers: Sequence[UUID]) -> None:
        """There is nothing to read."""

    def read_members(self, customers: Sequence[UUID], segments: Collection[UUID]) -> None:
        """Nor of segments."""

    def is_in(self, _customer: UUID, _segment: UUID, _at: datetime) -> bool:
        return False

    def facts(self, _customer: UUID, _at: datetime, properties: Mapping[str, Any]) -> Facts:
        return Facts(properties=properties, extra={ZONE: self.zone})

    def choices(self, _want: Want, _at: datetime) -> list[Choice]:
        return [Choice(None, None, _AGREED)]

    def sent(self, asked: Sequence[_Asked]) -> list[list[Choice]]:
        return [[Choice(None, None, _AGREED)] for _ask in asked]
