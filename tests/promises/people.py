"""P26: who is who follows from the facts in any order; merging can be undone; the stricter consent wins; and one
address gets one copy of a step."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from math import factorial
from uuid import UUID

from config.loop.checks import Check
from config.processes import Process
from customers.clock import utcnow
from customers.models import Identifier
from tests.promises.client import Client, in_parallel
from tests.promises.couples import Couple, merged_and_undone
from tests.promises.facts import Copy, Fact, Local, copies
from tests.promises.households import one_copy
from tests.promises.letters import Letters
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
    sets, made = copies(stage.chance, stage.size(5_000, 40), stage.size(24, 10), stage.size(50, 2))
    accepted = _tell(partner, made, noon)
    # Who agrees must agree to something that there is.
    letters = Letters(stage)
    couples = [Couple(number) for number in range(stage.size(500, 20))]
    accepted += _send(partner, [message for couple in couples for message in couple.messages(noon)])
    stage.settle("the last of all facts", _SETTLE_SECONDS)

    groupings = _groupings(made)
    by_set: dict[int, set[Grouping]] = defaultdict(set)
    for copy in made:
        by_set[copy.set_number].add(groupings[copy.number])
    yield Check("facts accepted", sum(len(copy.told) for copy in made) + 4 * len(couples), accepted)
    yield Check("sets of facts, each told in many orders", len(sets), len(by_set))
    yield Check("  of them in every order there is", stage.size(50, 2), _in_every_order(sets, made))
    yield Check("sets that gave different people in different orders", 0, sum(len(g) > 1 for g in by_set.values()))
    yield Check(
        "  that gave more than one person", range(1, len(sets) + 1), sum(len(min(g)) > 1 for g in by_set.values())
    )
    yield Check("people with two user ids that nobody called the same", 0, _too_many(sets, made, groupings))
    yield from merged_and_undone(stage, partner, letters, couples)
    yield from one_copy(stage, partner, letters)


def _in_every_order(sets: Sequence[Sequence[Fact]], made: Iterable[Copy]) -> int:
    orders: dict[int, set[tuple[Fact, ...]]] = defaultdict(set)
    for copy in made:
        orders[copy.set_number].add(copy.told)
    return sum(len(orders[number]) == factorial(len(told)) for number, told in enumerate(sets))


def _tell(partner: Client, made: Sequence[Copy], noon: datetime) -> int:
    """The first fact of every copy, then the second of every copy, and so on, by several clients at once."""
    messages = [copy.message(copy.told[rank], noon) for rank in range(7) for copy in made if rank < len(copy.told)]
    return _send(partner, messages)


def _send(partner: Client, messages: Sequence[object]) -> int:
    def send(batch: Sequence[object]) -> int:
        reply = partner.post("/api/v1/events/batch", {"events": batch})
        return int(reply.json["accepted"]) if reply is not None and reply.status == 200 else 0

    return sum(in_parallel(4, send, [messages[start : start + _BATCH] for start in range(0, len(messages), _BATCH)]))


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


PROMISE = Promise(
    "P26",
    "Merges: the same people in any order of the facts, reversible, the stricter consent wins, one copy an address",
    run,
    controls=("the last edge wins", "the last consent wins", "user ids of one phone are one", "no row for a copy"),
    code=(
        "customers/resolve/",
        "customers/merging/",
        "consent/decision.py",
        "consent/permission.py",
        "channels/dispatch/",
    ),
    minutes=60,
)
