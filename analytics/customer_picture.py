"""A customer as known now: by which identifiers, held together by what, with which traits, reachable where and for
what; each with where it comes from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.functional import Promise

from analytics.metrics.query import rows
from analytics.timeline.entry import See
from analytics.why.records import load_events
from analytics.why.words import REASONS
from channels.models import Reason
from consent.models import Purpose
from consent.permission import Ask, Verdict, permissions
from customers.models import Address, AddressProfile, Edge, Event, Identifier, Profile, ProfileBrand, Trait
from customers.winner import FITS, ORDER

# More than a person reads; whoever has more profiles than that is a fault to be seen in the identity lists.
MOST_PROFILES = 200
_MOST_TRAITS = 500
_MOST_ADDRESSES = 20
_MOST_PURPOSES = 20
_WINNERS = f"""
    SELECT DISTINCT ON (t.name) t.id
    FROM customers_trait t LEFT JOIN customers_traitdefinition d ON d.name = t.name
    WHERE t.profile_id = ANY(%(profiles)s::uuid[]) AND {FITS} ORDER BY t.name, {ORDER}
"""
# None means every brand.
Brands = frozenset[UUID] | None


@dataclass(frozen=True, slots=True)
class Interval:
    """From when until when a profile was said to be so; without an end it holds still."""

    value: Any
    since: datetime
    until: datetime | None
    event: Event | None


@dataclass(frozen=True, slots=True)
class KnownTrait:
    """The value that counts, who said it, and how many other values the profiles have; `counts` is whether any
    does: where none is of the trait's type, the last is shown."""

    name: str
    value: Any
    valid_from: datetime
    recorded_at: datetime
    event: Event | None
    others: int
    counts: bool
    history: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Permitted:
    """Whether an address may be written to for a purpose: the strictest over all profiles, and why."""

    purpose: Purpose
    verdict: Verdict

    @property
    def why(self) -> str | Promise:
        if self.verdict.allowed:
            return ""
        return REASONS[Reason(self.verdict.reason)].why


@dataclass(frozen=True, slots=True)
class KnownAddress:
    address: Address
    first_seen_at: datetime
    last_seen_at: datetime
    verified_at: datetime | None
    permitted: tuple[Permitted, ...]


@dataclass(frozen=True, slots=True)
class CustomerPicture:
    profiles: tuple[Profile, ...]
    identifiers: tuple[Identifier, ...]
    edges: tuple[Edge, ...]
    traits: tuple[KnownTrait, ...]
    addresses: tuple[KnownAddress, ...]

    @property
    def profile_ids(self) -> list[UUID]:
        return [profile.pk for profile in self.profiles]

    @property
    def address_ids(self) -> list[UUID]:
        """Those of the picture, and the pseudo-addresses of the profiles."""
        return [known.address.pk for known in self.addresses] + self.profile_ids

    @property
    def purposes(self) -> list[Purpose]:
        return [permitted.purpose for permitted in self.addresses[0].permitted] if self.addresses else []


def picture(customer_id: UUID, see: See, brands: Brands, now: datetime) -> CustomerPicture:
    """What `see` shows of this customer; profiles that are seen nowhere one may look are left out, and so is what
    was said of them in other `brands`."""
    profiles = tuple(see(Profile).filter(customer_id=customer_id).order_by("pk")[:MOST_PROFILES])
    ids = [profile.pk for profile in profiles]
    identifiers = see(Identifier).filter(profile_id__in=ids).select_related("kind").order_by("kind__rank", "pk")
    edges = see(Edge).filter(Q(low_id__in=ids) | Q(high_id__in=ids)).order_by("-assurance", "occurred_at")
    return CustomerPicture(
        profiles=profiles,
        identifiers=tuple(identifiers),
        edges=tuple(edges[:MOST_PROFILES]),
        traits=_traits(ids, see, brands),
        addresses=_addresses(customer_id, ids, see, now),
    )


def _traits(profiles: Sequence[UUID], see: See, brands: Brands) -> tuple[KnownTrait, ...]:
    said = see(Trait).filter(profile_id__in=profiles).order_by("-valid_from", "-event_id")[:_MOST_TRAITS]
    events = load_events((trait.event_id, trait.recorded_at) for trait in said)
    winners = {pk for (pk,) in rows(_WINNERS, {"profiles": list(profiles)})}
    by_name: dict[str, list[Trait]] = defaultdict(list)
    for trait in said:
        event = events.get(trait.event_id)
        if brands is None or (event is not None and event.brand_id in brands):
            by_name[trait.name].append(trait)
    return tuple(_trait(by_name[name], winners, events) for name in sorted(by_name))


def _trait(of_name: Sequence[Trait], winners: Collection[int], events: Mapping[int, Event]) -> KnownTrait:
    winning = [trait for trait in of_name if trait.pk in winners]
    shown = winning[0] if winning else of_name[0]
    return KnownTrait(
        name=shown.name,
        value=shown.value,
        valid_from=shown.valid_from,
        recorded_at=shown.recorded_at,
        event=events.get(shown.event_id),
        others=len({repr(trait.value) for trait in of_name}) - 1,
        counts=bool(winning),
        history=tuple(_intervals(of_name, events)),
    )


def _intervals(of_name: Sequence[Trait], events: Mapping[int, Event]) -> Iterable[Interval]:
    """Newest first: each ends where the same profile was said to be something else."""
    ends: dict[UUID, datetime] = {}
    for trait in of_name:
        yield Interval(trait.value, trait.valid_from, ends.get(trait.profile_id), events.get(trait.event_id))
        ends[trait.profile_id] = trait.valid_from


def _addresses(customer_id: UUID, profiles: Sequence[UUID], see: See, now: datetime) -> tuple[KnownAddress, ...]:
    seen = see(AddressProfile).filter(profile_id__in=profiles).select_related("address").order_by("-last_seen_at")
    of_address: dict[UUID, list[AddressProfile]] = defaultdict(list)
    for one in seen[:MOST_PROFILES]:
        of_address[one.address_id].append(one)
    chosen = list(of_address.values())[:_MOST_ADDRESSES]
    # Elsewhere nobody has ever had to do with this person.
    brands = ProfileBrand.objects.filter(profile_id__in=profiles).order_by().values("brand_id")
    asked = see(Purpose).filter(brand_id__in=brands).select_related("brand").order_by("brand__name", "name")
    purposes = list(asked[:_MOST_PURPOSES])
    asks = [Ask(customer_id, sightings[0].address_id, purpose.pk) for sightings in chosen for purpose in purposes]
    verdicts = iter(permissions(asks, now))
    return tuple(
        _known(sightings, [Permitted(purpose, next(verdicts)) for purpose in purposes]) for sightings in chosen
    )


def _known(sightings: Sequence[AddressProfile], permitted: Iterable[Permitted]) -> KnownAddress:
    verified = [one.verified_at for one in sightings if one.verified_at is not None]
    return KnownAddress(
        address=sightings[0].address,
        first_seen_at=min(one.first_seen_at for one in sightings),
        last_seen_at=max(one.last_seen_at for one in sightings),
        verified_at=max(verified, default=None),
        permitted=tuple(permitted),
    )
