"""What the preference centre shows: topics by channels as they stand, the pause, language and frequency.

Whoever holds a link may not be the one it was sent to: mails are forwarded. So every address is masked, those of other
channels are shown only where one person alone uses the link's address, and the page offers no more there than less.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from consent import pausing
from consent.confirming import ask
from consent.jurisdiction import TOO_YOUNG
from consent.models import Confirmation, ConsentEntry, Method, Preference, Purpose
from consent.permission import Ask, Verdict, permissions
from consent.preferences.link import Link
from consent.unsubscribe import masked
from customers.ids import NIL
from customers.models import Address, Brand, Customer, Profile
from customers.models.address import Channel
from customers.privacy.surely import address_leads_beyond

# One message in so many days, as people may choose; 0 sets no limit.
FREQUENCIES: Final = (0, 1, 7, 30)
# Consents that end within this time can be renewed.
SOON: Final = timedelta(days=60)
# What no answer to a mail changes.
_FOR_GOOD: Final = frozenset({"suppressed", TOO_YOUNG})
# In the place of a purpose that is asked about.
_MORE: Final = UUID(int=1)
_END: Final = UUID(int=2)
# A person with more addresses is a fault to be seen elsewhere.
_PLACES: Final = 20


@dataclass(frozen=True, slots=True)
class Place:
    """An address that the page speaks of, as it may be shown; `own` is the one the link was sent to."""

    address_id: UUID
    channel: str
    masked: str
    own: bool

    @property
    def label(self) -> str:
        return str(Channel(self.channel).label)


@dataclass(frozen=True, slots=True)
class Choice:
    """A topic at a place: whether it comes, else why not, and whether it can be asked for here."""

    place: Place
    purpose_id: UUID
    verdict: Verdict
    can_add: bool
    waits: bool
    # When the consent ends, where that is soon and it can be renewed by mail.
    ends_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.purpose_id}.{self.place.address_id}"

    @property
    def on(self) -> bool:
        return self.verdict.allowed


@dataclass(frozen=True, slots=True)
class Topic:
    purpose: Purpose
    name: str
    description: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Whom and what a link leads to; None for a brand or address that is no longer there."""

    link: Link
    brand: Brand
    address: Address
    # Whose address it is, where that is one person alone and not merely claimed.
    customer: Customer | None
    # As whom the reader speaks: the profile the message was for, as long as it uses the address.
    profile_id: UUID | None

    @property
    def may_resume(self) -> bool:
        """The link that mailbox providers are given to unsubscribe by leads here too, and goes wherever a mail goes: by
        it the end of a pause is not even asked for. It names no profile."""
        return self.link.profile_id != NIL

    def peaceful(self) -> list[UUID]:
        """The addresses whose pauses hold here."""
        people = pausing.addresses_of(self.customer.pk) if self.customer else []
        return [self.address.pk, *people]

    def locale(self) -> str:
        """The language that they chose, else the one they are known to speak."""
        chosen = preference(self)
        return (chosen.language if chosen else "") or (self.customer.locale if self.customer else "")


@dataclass(frozen=True, slots=True)
class Centre:
    known: Known
    places: tuple[Place, ...]
    topics: tuple[Topic, ...]
    # Purposes owed by law, by their public names.
    owed: tuple[str, ...]
    # When the last pause ends of each method by which they came.
    pauses: Mapping[str, datetime]
    language: str
    every_days: int
    is_untracked: bool
    # A mail that lets messages come more often waits to be confirmed, or one that ends the pause.
    more_waits: bool
    end_waits: bool
    # Whether the end of a pause can be asked for here: one that the staff set is theirs to end.
    can_resume: bool

    @property
    def paused_until(self) -> datetime | None:
        return max(self.pauses.values(), default=None)

    @property
    def own(self) -> Place:
        return self.places[0]

    def find(self, key: str) -> Choice | None:
        return next((one for topic in self.topics for one in topic.choices if one.key == key), None)


def known(link: Link) -> Known | None:
    brand = Brand.objects.filter(pk=link.brand_id).first()
    address = Address.objects.filter(pk=link.address_id).first()
    if brand is None or address is None:
        return None
    # In one statement: beside a merge or an erasure the next one might find somebody else.
    users = Profile.objects.filter(addresses__address=address).select_related("customer").order_by("pk")
    profiles = {profile.pk: profile.customer for profile in users}
    people = set(profiles.values())
    alone = next(iter(profiles)) if len(people) == 1 else None
    customer = people.pop() if len(people) == 1 else None
    # Anybody can have put their own address to somebody else's on a page, and would speak for them here.
    if customer is not None and address_leads_beyond(address.pk, customer.pk):
        customer = None
    return Known(link, brand, address, customer, link.profile_id if link.profile_id in profiles else alone)


def preference(known: Known) -> Preference | None:
    return Preference.objects.filter(address=known.address, brand=known.brand).first()


def read(known: Known, language: str, now: datetime) -> Centre:
    """The page as it stands, in this language."""
    places = _places(known)
    purposes = list(Purpose.objects.filter(brand=known.brand).prefetch_related("texts").order_by("name", "pk"))
    offered = [one for one in purposes if one.is_offered and one.kind != Purpose.Kind.LEGAL]
    chosen = preference(known)
    waiting = _waiting(known, now)
    words = {one.pk: one.public(language, known.brand.locale) for one in purposes}
    choices = _choices(known, places, offered, waiting, now)
    pauses = pausing.ends(known.brand.pk, known.peaceful(), now)
    return Centre(
        known=known,
        places=places,
        topics=tuple(Topic(one, *words[one.pk], choices[one.pk]) for one in offered if choices[one.pk]),
        owed=tuple(words[one.pk][0] for one in purposes if one.is_offered and one.kind == Purpose.Kind.LEGAL),
        pauses=pauses,
        language=known.locale(),
        every_days=chosen.every_days if chosen else 0,
        is_untracked=chosen.is_untracked if chosen else False,
        more_waits=_MORE in waiting,
        end_waits=_END in waiting,
        can_resume=Method.LINK in pauses and known.may_resume and _can_ask(known),
    )


def _places(known: Known) -> tuple[Place, ...]:
    """The link's own address first; others only of the one person who uses it."""
    own = Place(known.address.pk, known.address.channel, masked(known.address), own=True)
    if known.customer is None:
        return (own,)
    others = (
        Address.objects.filter(profiles__profile__customer=known.customer)
        .exclude(channel__in=(known.address.channel, Channel.PERSON))
        .order_by("channel", "pk")
        .distinct()[:_PLACES]
    )
    return (own, *(Place(one.pk, one.channel, masked(one), own=False) for one in others))


def _choices(
    known: Known, places: Sequence[Place], offered: Sequence[Purpose], waiting: set[UUID], now: datetime
) -> dict[UUID, tuple[Choice, ...]]:
    customer_id = _asked_for(known)
    cells = [(place, one) for one in offered for place in places if one.by(place.channel)]
    verdicts = permissions([Ask(customer_id, place.address_id, one.pk) for place, one in cells], now, heed_pauses=False)
    can_ask = _can_ask(known)
    ends = _ends(verdicts, now) if can_ask else {}
    found: dict[UUID, list[Choice]] = {one.pk: [] for one in offered}
    for (place, one), verdict in zip(cells, verdicts, strict=True):
        can_add = place.own and can_ask and not verdict.allowed and verdict.reason not in _FOR_GOOD
        ends_at = ends.get(verdict.entry_id or 0) if place.own else None
        found[one.pk].append(Choice(place, one.pk, verdict, can_add, place.own and one.pk in waiting, ends_at))
    return {key: tuple(choices) for key, choices in found.items()}


def _ends(verdicts: Sequence[Verdict], now: datetime) -> dict[int, datetime]:
    """Of the entries that allow something, those that will not much longer."""
    granting = [one.entry_id for one in verdicts if one.allowed and one.entry_id is not None]
    soon = ConsentEntry.objects.filter(pk__in=granting, valid_until__gt=now, valid_until__lte=now + SOON)
    return {one.pk: one.valid_until for one in soon if one.valid_until is not None}


def _can_ask(known: Known) -> bool:
    """Whether its reader can be sent a mail that asks."""
    return known.profile_id is not None and ask.can_ask(known.brand.pk, known.address.channel)


def _asked_for(known: Known) -> UUID:
    """As whom the link's reader is asked for: the one person behind the address, else the one the message was to."""
    if known.customer is not None:
        return known.customer.pk
    profile = Profile.objects.filter(pk=known.profile_id or NIL).first()
    return profile.customer_id if profile is not None else NIL


def _waiting(known: Known, now: datetime) -> set[UUID]:
    """The purposes that are asked about, and what else is."""
    open_ones = Confirmation.objects.filter(
        address=known.address,
        brand=known.brand,
        profile_id=known.profile_id or NIL,
        outcome=Confirmation.Outcome.OPEN,
        expires_at__gt=now,
    )
    rows = open_ones.values_list("purpose_id", "ends_pause")
    return {purpose_id or (_END if ends_pause else _MORE) for purpose_id, ends_pause in rows}
