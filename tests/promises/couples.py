"""Couples who use one mailbox; one of the two wants news there, the other does not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import ne
from uuid import UUID

from django.db import connection

from config.loop.checks import Check
from consent.models import Purpose
from consent.permission import Ask, permissions
from customers.clock import utcnow
from customers.merging.decide import decision, join, split
from customers.models import Address, Identifier
from tests.promises.client import Client
from tests.promises.letters import PURPOSE, STEPS, Letters, signed_up
from tests.promises.stage import Stage


@dataclass(frozen=True, slots=True)
class Couple:
    number: int

    @property
    def users(self) -> tuple[str, str]:
        return f"wants-{self.number}", f"does-not-{self.number}"

    @property
    def email(self) -> str:
        return f"couple-{self.number}@people.example.com"

    def messages(self, noon: datetime) -> Iterator[dict[str, object]]:
        """What they say, a minute apart; in every other couple the one who wants has the last word."""
        said = list(zip(self.users, ("consent.granted", "consent.withdrawn"), strict=True))
        for minutes_ago, (user, name) in enumerate(said[::-1] if self.number % 2 else said):
            at = {"occurred_at": (noon - timedelta(minutes=minutes_ago)).isoformat()}
            who = {"user_id": user}
            yield {"type": "identify", "identifiers": {**who, "email": self.email}, "id": f"who-{user}", **at}
            about = {"purpose": PURPOSE, "address": self.email}
            yield {"name": name, "identifiers": who, "properties": about, "id": f"consent-{user}", **at}


def merged_and_undone(stage: Stage, partner: Client, letters: Letters, couples: Sequence[Couple]) -> Iterator[Check]:
    """Make one person of each couple, then two again, and each time have both sign up for letters."""
    before, events = _homes(couples), _events()
    wanted = _allowed(couples)
    apart = sum(before[couple.users[0]] != before[couple.users[1]] for couple in couples)
    yield Check("couples who are two people", len(couples), apart)
    yield Check("couples of whom one wants the news", len(couples), sum(one for one, _other in wanted))
    yield Check("  and the other does not", 0, sum(other for _one, other in wanted))
    # Where something has made one person of two already, the counts say so.
    couples = [couple for couple in couples if before[couple.users[0]] != before[couple.users[1]]]
    for couple in couples:
        one, other = _profiles(couple)
        join(one, other, decision(stage.brand.id, "lab", "merge", utcnow()))
    stage.settle("the merges")
    together = _homes(couples)
    _sign_up(stage, partner, couples)
    yield Check("merged by hand", len(couples), len(set(before.values())) - len(set(together.values())))
    yield Check("  who may still be written to", 0, sum(one or other for one, other in _allowed(couples)))
    yield Check("  letters that arrived as they signed up", {}, _letters(letters))

    for couple in couples:
        split([_profiles(couple)[1]], decision(stage.brand.id, "lab", "unmerge", utcnow()))
    stage.settle("the unmerges")
    yield Check("taken apart again, each as before", _parted(before, couples), _parted(_homes(couples), couples))
    again = _allowed(couples)
    yield Check("  who may be written to otherwise than before", 0, sum(map(ne, wanted, again)))
    yield Check("  events that changed their profile", 0, len(set(events) - set(_events())))
    _sign_up(stage, partner, couples)
    arrived = _letters(letters)
    yield Check("  letters to those who want them", len(couples) * len(STEPS), sum(arrived.values()))
    yield Check("  and to nobody twice", len(couples) * len(STEPS), len(arrived))


def _sign_up(stage: Stage, partner: Client, couples: Sequence[Couple]) -> None:
    """Both of each couple; who of them gets a letter is for their consents to say."""
    told = [signed_up(user) for couple in couples for user in couple.users]
    for start in range(0, len(told), 100):
        partner.post("/api/v1/events/batch", {"events": told[start : start + 100]})
    stage.settle("the letters")


def _letters(letters: Letters) -> dict[tuple[str, str], int]:
    return {which: number for which, number in letters.arrived().items() if which[0].startswith("couple-")}


def _profiles(couple: Couple) -> tuple[UUID, UUID]:
    found = dict(
        Identifier.objects.filter(kind_id="user_id", value__in=couple.users).values_list("value", "profile_id")
    )
    return found[couple.users[0]], found[couple.users[1]]


def _homes(couples: Sequence[Couple]) -> dict[str, UUID]:
    """By user id, whose it is."""
    users = [user for couple in couples for user in couple.users]
    rows = Identifier.objects.filter(kind_id="user_id", value__in=users)
    return dict(rows.values_list("value", "profile__customer_id"))


def _parted(homes: dict[str, UUID], couples: Sequence[Couple]) -> int:
    return sum(homes[couple.users[0]] != homes[couple.users[1]] for couple in couples)


def _allowed(couples: Sequence[Couple]) -> list[tuple[bool, bool]]:
    """Of each couple, who may be sent the news."""
    purpose = Purpose.objects.get(key="news").pk
    homes = _homes(couples)
    addresses = dict(Address.objects.filter(channel="email").values_list("value", "id"))
    asks = [Ask(homes[user], addresses[couple.email], purpose) for couple in couples for user in couple.users]
    verdicts = [verdict.allowed for verdict in permissions(asks, utcnow())]
    return list(zip(verdicts[::2], verdicts[1::2], strict=True))


def _events() -> list[tuple[int, UUID]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT e.id, profile_id FROM customers_event e JOIN customers_source s ON s.id = e.source_id"
                       " WHERE s.key <> 'trilha'")  # fmt: skip
        return [(row[0], row[1]) for row in cursor.fetchall()]
