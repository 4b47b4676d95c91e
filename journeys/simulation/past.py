"""What was known of people at moments past: from the ledger and their traits, or assumed where nobody keeps either."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from channels.entitlements.leaf import Held
from consent.as_of import permissions_at
from consent.decision import Verdict
from consent.permission import Choice, Want, choose_by
from customers.pg import raw_cursor
from customers.places import zones
from customers.rules import Facts
from customers.winner import FITS, ORDER
from journeys.simulation.asking import Unread
from journeys.steps.base import ZONE
from journeys.version import Version

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
# When each was in which segment, of those that rules ask for.
_SPELLS: Final = """
    SELECT m.customer_id, s.key, m.entered_at, m.left_at
    FROM customers_segmentmembership m JOIN customers_segment s ON s.id = m.segment_id
    WHERE s.brand_id = %b AND s.key = ANY(%b) AND m.customer_id = ANY(%b)
"""
# All that was done to what they were granted, but by the journey that is played: that is played anew.
_GRANTS: Final = """
    SELECT p.customer_id, e.id, e.key, e.expires_at, n.at, n.remaining, n.kind IN ('revoke', 'expire')
    FROM customers_profile p JOIN channels_entitlement e ON e.profile_id = p.id
    JOIN channels_entitlemententry n ON n.entitlement_id = e.id
    WHERE e.brand_id = %b AND e.key = ANY(%b) AND p.customer_id = ANY(%b) AND e.scope_id IS DISTINCT FROM %b
    ORDER BY n.id
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
    _spells: dict[UUID, list[tuple[str, datetime, datetime | None]]] = field(default_factory=dict)
    # By customer and grant: what it was after each entry, and from when on; None where it was over.
    _grants: dict[UUID, dict[UUID, list[tuple[datetime, Held | None]]]] = field(default_factory=dict)

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

    def read_more(self, asked: Iterable[_Asked]) -> None:
        """Read permissions that rules turned out to ask for."""
        wanted = list(dict.fromkeys(asked))
        self._choices |= dict(zip(wanted, choices_at(wanted), strict=True))

    def read_segments(self, brand_id: UUID, keys: Collection[str], customers: Sequence[UUID]) -> None:
        self._spells = defaultdict(list)
        with raw_cursor() as cursor:
            for customer, *spell in cursor.execute(_SPELLS, [brand_id, sorted(keys), list(customers)]):
                self._spells[customer].append((spell[0], spell[1], spell[2]))

    def segments(self, customer: UUID, at: datetime) -> set[str]:
        spells = self._spells.get(customer, ())
        return {key for key, entered, left in spells if entered <= at and (left is None or left > at)}

    def read_held(self, version: Version, customers: Sequence[UUID]) -> None:
        self._grants = defaultdict(lambda: defaultdict(list))
        given = [version.brand_id, sorted(version.asks.held), list(customers), version.journey_id]
        with raw_cursor() as cursor:
            for customer, id_, key, until, at, left, is_over in cursor.execute(_GRANTS, given):
                self._grants[customer][id_].append((at, None if is_over or left == 0 else Held(key, left, until)))

    def held(self, customer: UUID, at: datetime) -> list[Held]:
        """What is good at a moment."""
        told = self._grants.get(customer, {}).values()
        last = (next((held for since, held in reversed(one) if since <= at), None) for one in told)
        return [one for one in last if one is not None and (one.until is None or one.until > at)]

    def facts(self, customer: UUID, at: datetime, properties: Mapping[str, Any]) -> Facts:
        moments, told = self._traits.get(customer, ([], []))
        since = bisect_right(moments, at)
        traits = told[since - 1] if since else {}
        zone = traits.get("timezone")
        return Facts(traits=traits, properties=properties, extra={ZONE: zone if zone in zones() else self.zone})

    def choices(self, want: Want, at: datetime) -> list[Choice]:
        found = self._choices.get((want, at))
        if found is None:
            raise Unread(want, at)
        return found

    def sent(self, asked: Sequence[_Asked]) -> list[list[Choice]]:
        """What is sent in the moment of entry was asked for then."""
        self.read_more(one for one in asked if one not in self._choices)
        return [self._choices[one] for one in asked]


_AGREED: Final = Verdict(True, "", None)


@dataclass(frozen=True, slots=True)
class Assumed:
    """Everybody agreed to everything, has an address for it and no traits: of events in a file nothing is known."""

    zone: str

    def read(self, asked: Iterable[_Asked], customers: Sequence[UUID]) -> None:
        """There is nothing to read."""

    def read_more(self, asked: Iterable[_Asked]) -> None:
        """Nor is there here."""

    def read_segments(self, brand_id: UUID, keys: Collection[str], customers: Sequence[UUID]) -> None:
        """Nor here."""

    def read_held(self, version: Version, customers: Sequence[UUID]) -> None:
        """Nor what they were granted."""

    def segments(self, _customer: UUID, _at: datetime) -> Collection[str]:
        return ()

    def held(self, _customer: UUID, _at: datetime) -> Sequence[Held]:
        return ()

    def facts(self, _customer: UUID, _at: datetime, properties: Mapping[str, Any]) -> Facts:
        return Facts(properties=properties, extra={ZONE: self.zone})

    def choices(self, _want: Want, _at: datetime) -> list[Choice]:
        return [Choice(None, None, _AGREED)]

    def sent(self, asked: Sequence[_Asked]) -> list[list[Choice]]:
        return [[Choice(None, None, _AGREED)] for _ask in asked]
