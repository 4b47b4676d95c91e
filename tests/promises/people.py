"""P26: who is who follows from the facts in any order; merging can be undone; the stricter consent wins."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import ne
from uuid import UUID

from django.db import connection

from config.loop.checks import Check
from config.loop.quiet import waiting
from config.processes import Process
from consent.models import Purpose
from consent.permission import Ask, permissions
from customers.clock import utcnow
from customers.merging.decide import decision, join, split
from customers.models import Address, Identifier
from tests.promises.client import Client, in_parallel
from tests.promises.facts import Copy, Fact, Local, copies
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_RESOLVERS = 3
_BATCH = 200
_SETTLE_SECONDS = 900.0

# Who is whom: groups of values, whatever they are called.
Grouping = frozenset[frozenset[Local]]


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(2)
    for number in range(_RESOLVERS):
        stage.start(Process(f"resolver-{number}", ("tests.promises.resolver",), stage.environment(), stage.logs))
    stage.start_engine()
    partner = stage.partner()
    noon = utcnow()
    sets, made = copies(stage.chance, stage.size(5_000, 40), stage.size(24, 10))
    accepted = _tell(partner, made, noon)
    couples = [_Couple(number) for number in range(stage.size(500, 20))]
    accepted += _tell_couples(partner, couples, stage)
    _settle(stage)

    groupings = _groupings(made)
    by_set: dict[int, set[Grouping]] = defaultdict(set)
    for copy in made:
        by_set[copy.set_number].add(groupings[copy.number])
    yield Check("facts accepted", sum(len(copy.told) for copy in made) + 4 * len(couples), accepted)
    yield Check("  told in orders, of each set of facts", len(made) // len(sets), len(made) // len(by_set))
    yield Check("sets that gave different people in different orders", 0, sum(len(g) > 1 for g in by_set.values()))
    yield Check(
        "  that gave more than one person", range(1, len(sets) + 1), sum(len(min(g)) > 1 for g in by_set.values())
    )
    yield Check("people with two user ids that nobody called the same", 0, _too_many(sets, made, groupings))
    yield from _merged_and_undone(stage, couples)


def _tell(partner: Client, made: Sequence[Copy], noon: datetime) -> int:
    """The first fact of every copy, then the second of every copy, and so on, by several clients at once."""
    messages = [copy.message(copy.told[rank], noon) for rank in range(7) for copy in made if rank < len(copy.told)]
    return _send(partner, messages)


def _send(partner: Client, messages: Sequence[object]) -> int:
    def send(batch: Sequence[object]) -> int:
        reply = partner.post("/api/v1/events/batch", {"events": batch})
        return int(reply.json["accepted"]) if reply is not None and reply.status == 200 else 0

    return sum(in_parallel(4, send, [messages[start : start + _BATCH] for start in range(0, len(messages), _BATCH)]))


def _settle(stage: Stage) -> None:
    stage.until(lambda: not waiting(), "the last of all facts", _SETTLE_SECONDS)


def _groupings(made: Iterable[Copy]) -> dict[int, Grouping]:
    """By copy, who is whom."""
    meaning = {value: (copy.number, local) for copy in made for value, local in copy.values()}
    people: dict[int, dict[UUID, set[Local]]] = defaultdict(lambda: defaultdict(set))
    for kind, value, customer in Identifier.objects.values_list("kind_id", "value", "profile__customer_id"):
        if (kind, value) in meaning:
            number, local = meaning[kind, value]
            people[number][customer].add(local)
    return {number: frozenset(map(frozenset, groups.values())) for number, groups in people.items()}


def _too_many(sets: Sequence[Sequence[Fact]], made: Iterable[Copy], groupings: dict[int, Grouping]) -> int:
    """A user id is one person's: without an alias nothing, and no shared phone, makes one person of two."""
    plain = {number for number, told in enumerate(sets) if not any(fact.former for fact in told)}
    return sum(
        sum(kind == "user_id" for kind, _n in person) > 1
        for copy in made
        if copy.set_number in plain
        for person in groupings[copy.number]
    )


@dataclass(frozen=True, slots=True)
class _Couple:
    """Two people who use one mailbox; one of them wants the news there, the other does not."""

    number: int

    @property
    def users(self) -> tuple[str, str]:
        return f"wants-{self.number}", f"does-not-{self.number}"

    @property
    def email(self) -> str:
        return f"couple-{self.number}@people.example.com"


def _tell_couples(partner: Client, couples: Sequence[_Couple], stage: Stage) -> int:
    Purpose.objects.create(brand=stage.brand, key="news", name="News", kind=Purpose.Kind.MARKETING)
    messages: list[object] = []
    for couple in couples:
        for user, name in zip(couple.users, ("consent.granted", "consent.withdrawn"), strict=True):
            who = {"user_id": user}
            messages.append({"type": "identify", "identifiers": {**who, "email": couple.email}, "id": f"who-{user}"})
            about = {"purpose": "news", "address": couple.email}
            messages.append({"name": name, "identifiers": who, "properties": about, "id": f"consent-{user}"})
    return _send(partner, messages)


def _merged_and_undone(stage: Stage, couples: Sequence[_Couple]) -> Iterator[Check]:
    """Make one person of each couple, then two again."""
    before, events = _homes(couples), _events()
    wanted = _allowed(couples)
    for couple in couples:
        one, other = _profiles(couple)
        join(one, other, decision(stage.brand.id, "lab", "merge", utcnow()))
    _settle(stage)
    together = _homes(couples)
    united = _allowed(couples)
    for couple in couples:
        split([_profiles(couple)[1]], decision(stage.brand.id, "lab", "unmerge", utcnow()))
    _settle(stage)

    yield Check("couples of whom one wants the news", len(couples), sum(one for one, _other in wanted))
    yield Check("  and the other does not", 0, sum(other for _one, other in wanted))
    yield Check("merged by hand", len(couples), len(set(before.values())) - len(set(together.values())))
    yield Check("  who may still be written to", 0, sum(one or other for one, other in united))
    yield Check("taken apart again, each as before", _parted(before, couples), _parted(_homes(couples), couples))
    again = _allowed(couples)
    yield Check("  who may be written to otherwise than before", 0, sum(map(ne, wanted, again)))
    yield Check("  events that changed their profile", 0, len(set(events) ^ set(_events())))


def _profiles(couple: _Couple) -> tuple[UUID, UUID]:
    found = dict(
        Identifier.objects.filter(kind_id="user_id", value__in=couple.users).values_list("value", "profile_id")
    )
    return found[couple.users[0]], found[couple.users[1]]


def _homes(couples: Sequence[_Couple]) -> dict[str, UUID]:
    """By user id, whose it is."""
    users = [user for couple in couples for user in couple.users]
    rows = Identifier.objects.filter(kind_id="user_id", value__in=users)
    return dict(rows.values_list("value", "profile__customer_id"))


def _parted(homes: dict[str, UUID], couples: Sequence[_Couple]) -> int:
    return sum(homes[couple.users[0]] != homes[couple.users[1]] for couple in couples)


def _allowed(couples: Sequence[_Couple]) -> list[tuple[bool, bool]]:
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


PROMISE = Promise(
    "P26",
    "Merges: the same people in any order of the facts, reversible, and the stricter consent wins",
    run,
    controls=("the last edge wins",),
    code=("customers/resolve/", "customers/merging/", "consent/decision.py", "consent/permission.py"),
)
