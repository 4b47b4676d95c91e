"""Permission as it stood: what was said then is what is told of then, through merges, pauses and suppressions."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Cursor

from consent.as_of import permissions_as_of
from consent.decision import Verdict
from consent.ledger import append
from consent.models import Pause, Purpose, Suppression
from consent.permission import Ask, permissions
from customers.models import Address, Brand, Customer, DeadLetter, Profile, ProfileMove
from tests.consent import people
from tests.consent.people import T0, hours, new_entry, tell

pytestmark = pytest.mark.django_db

_STATES = ("given", "given", "given", "renewed", "withdrawn", "withdrawn", "requested", "expired", "invalidated")


@dataclass
class Town:
    """A few people of one brand who share addresses, and whatever may happen to their consents."""

    chance: random.Random
    now: datetime = T0
    late: bool = False
    brand: Brand = field(default_factory=people.make_brand)

    def __post_init__(self) -> None:
        kinds = (Purpose.Kind.MARKETING, Purpose.Kind.SERVICE, Purpose.Kind.LEGAL)
        self.purposes = [people.make_purpose(self.brand, kind, kind) for kind in kinds]
        Purpose.objects.filter(brand=self.brand).update(law=self.chance.choice(("", "gdpr")))
        self.customers = [people.make_customer() for _number in range(3)]
        self.profiles = [people.make_profile(self.customers[number % 3]) for number in range(5)]
        self.addresses = [people.make_address(f"{number}@example.com") for number in range(2)]
        self.addresses += [people.make_person(profile) for profile in self.profiles[:3]]

    def asks(self) -> list[Ask]:
        return [
            Ask(customer.pk, address.pk, purpose.pk)
            for customer in self.customers
            for address in self.addresses
            for purpose in self.purposes
        ]

    def live(self) -> None:
        deeds: tuple[Callable[[], None], ...] = (
            *(self.say,) * 6, self.move, self.move, self.suppress, self.lift, self.pause, self.end_pause, self.give_up,
            self.replay,
        )  # fmt: skip
        self.now += timedelta(minutes=self.chance.randint(1, 90))
        self.chance.choice(deeds)()

    def say(self) -> None:
        address, purpose = self.chance.choice(self.addresses), self.chance.choice(self.purposes)
        profile = self.chance.choice([None, *self.profiles])
        if address.channel == "person":
            profile = Profile.objects.get(pk=address.pk)
        method = self.chance.choice(("event", "claim", "login", "double_opt_in", "one_click"))
        until = self.now + timedelta(hours=self.chance.randint(1, 20)) if self.chance.random() < 0.3 else None
        at = self.now - timedelta(hours=self.chance.randint(1, 9)) if self.late else self.now
        entry = new_entry(address, profile, purpose, self.chance.choice(_STATES), at, method, until)
        basis = self.chance.choice(("lgpd:7:IX", "gdpr:6:1:f", "gdpr:6:1:f"))
        append([replace(entry, received_at=self.now, legal_basis=basis)], self.now)

    def move(self) -> None:
        profile = self.chance.choice(self.profiles)
        profile.refresh_from_db()
        to = self.chance.choice([one for one in self.customers if one.pk != profile.customer_id])
        ProfileMove.objects.create(
            profile=profile, from_customer_id=profile.customer_id, to_customer_id=to.pk,
            was_since=profile.customer_since, at=self.now,
        )  # fmt: skip
        Profile.objects.filter(pk=profile.pk).update(customer=to, customer_since=self.now)

    def suppress(self) -> None:
        brand, reason = self.chance.choice((None, self.brand)), self.chance.choice(("bounce", "stop"))
        place: dict[str, Any] = {"address": self.chance.choice(self.addresses), "brand": brand, "reason": reason}
        if not Suppression.objects.filter(**place, lifted_at=None).exists():
            Suppression.objects.create(**place, created_at=self.now)

    def lift(self) -> None:
        Suppression.objects.filter(lifted_at=None, reason="bounce").update(lifted_at=self.now)

    def pause(self) -> None:
        address = self.chance.choice(self.addresses)
        Pause.objects.filter(address=address, ended_at=None).update(ended_at=self.now)
        until = self.now + timedelta(hours=self.chance.randint(1, 12))
        Pause.objects.create(brand=self.brand, address=address, since=self.now, until=until, method="link")

    def end_pause(self) -> None:
        Pause.objects.filter(ended_at=None).update(ended_at=self.now)

    def give_up(self) -> None:
        row = {"profile_id": str(self.chance.choice(self.profiles).pk)}
        DeadLetter.objects.create(at=self.now, queue="consent", unit_id=1, reason="x", attempts=5, row=row)

    def replay(self) -> None:
        DeadLetter.objects.filter(replayed_at=None).update(replayed_at=self.now)


@pytest.mark.parametrize("seed", range(12))
def test_what_was_said_then_is_told_of_then(seed: int) -> None:
    town = Town(random.Random(seed))
    said: list[tuple[datetime, list[Verdict]]] = []
    for _deed in range(40):
        town.live()
        said.append((town.now, permissions(town.asks(), town.now)))
    assert {verdict.allowed for _at, verdicts in said for verdict in verdicts} == {True, False}
    for at, verdicts in said:
        assert permissions_as_of(town.asks(), at) == verdicts


@pytest.mark.parametrize("seed", range(12))
def test_as_of_now_is_what_permission_says_however_late_things_were_heard_of(seed: int) -> None:
    town = Town(random.Random(seed), late=True)
    for _deed in range(40):
        town.live()
        if town.chance.random() < 0.3:
            assert permissions_as_of(town.asks(), town.now) == permissions(town.asks(), town.now)


@pytest.mark.parametrize("seed", range(6))
def test_by_what_was_heard_then_it_is_what_a_sender_knew(seed: int) -> None:
    town = Town(random.Random(seed), late=True)
    said: list[tuple[datetime, list[Verdict]]] = []
    for _deed in range(30):
        town.live()
        said.append((town.now, permissions(town.asks(), town.now)))
    for at, verdicts in said:
        assert permissions_as_of(town.asks(), at, heard_by=at) == verdicts


def test_what_was_heard_of_later_counts_from_when_it_was_so(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose
) -> None:
    ask = [Ask(ana.pk, address.pk, newsletter.pk)]
    given = tell(address, profile, newsletter, "given", hours(1))
    late = new_entry(address, profile, newsletter, "withdrawn", hours(2))
    [withdrawn] = append([replace(late, received_at=hours(9))], hours(9))
    assert permissions_as_of(ask, T0) == [Verdict(False, "no_consent", None)]
    assert permissions_as_of(ask, hours(1)) == [Verdict(True, "", given)]
    assert permissions_as_of(ask, hours(2)) == [Verdict(False, "withdrawn", withdrawn)]
    assert permissions_as_of(ask, hours(2), heard_by=hours(2)) == [Verdict(True, "", given)]


def test_a_profile_is_whose_it_was(ana: Customer, profile: Profile, address: Address, newsletter: Purpose) -> None:
    given = tell(address, profile, newsletter, "given", hours(1))
    bo = people.make_customer()
    ProfileMove.objects.create(
        profile=profile, from_customer_id=ana.pk, to_customer_id=bo.pk, was_since=T0, at=hours(5)
    )
    Profile.objects.filter(pk=profile.pk).update(customer=bo, customer_since=hours(5))
    asks = [Ask(ana.pk, address.pk, newsletter.pk), Ask(bo.pk, address.pk, newsletter.pk)]
    nothing, allowed = Verdict(False, "no_consent", None), Verdict(True, "", given)
    assert permissions_as_of(asks, hours(4)) == [allowed, nothing]
    assert permissions_as_of(asks, hours(5)) == [nothing, allowed]


def test_one_statement_does_for_all(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(address, profile, newsletter, "given", hours(1))
    asked = []
    execute = Cursor.execute

    def counted(cursor: Cursor[Any], *arguments: Any, **more: Any) -> Cursor[Any]:
        asked.append(arguments)
        return execute(cursor, *arguments, **more)

    monkeypatch.setattr(Cursor, "execute", counted)
    verdicts = permissions_as_of([Ask(ana.pk, address.pk, newsletter.pk)] * 500, hours(2))
    assert ([one.allowed for one in verdicts], len(asked)) == ([True] * 500, 1)
    assert permissions_as_of([], hours(2)) == []
