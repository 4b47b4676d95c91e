"""Random facts about a few people, told again and again under other names and in another order."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any, Final

# By kind, how many different values the people of a set have between them.
_VALUES: Final = {"user_id": 3, "email": 2, "phone": 1, "anonymous_id": 2}
_STRENGTHS: Final = ("claimed", "observed", "login")
# Of more facts than these there are too many orders.
_MOST_PERMUTED: Final = 6
# Only so many copies can have phones of their own.
MOST_COPIES: Final = 5_000_000

# (kind, number): a value of the set, whatever it is called in a copy.
Local = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Fact:
    """One message: who is named together, when, and how sure its sender is; a `former` user id makes it an alias."""

    number: int
    named: tuple[Local, ...]
    former: Local | None
    minutes_ago: int
    assurance: str


def facts(chance: random.Random) -> list[Fact]:
    return _of_one_owner([_fact(chance, number) for number in range(chance.randint(4, 7))])


def _of_one_owner(told: list[Fact]) -> list[Fact]:
    """The same facts, but no device in a second person's hands: what it did before belongs to the first who logged
    in, by the order of arrival, and must stay theirs (BAD_INPUTS 55). Nothing else may depend on that order."""
    owners: dict[Local, Local] = {}
    found = []
    for fact in told:
        user = next((one for one in fact.named if one[0] == "user_id"), None)
        others = {
            one for one in fact.named if user and one[0] == "anonymous_id" and owners.setdefault(one, user) != user
        }
        found.append(replace(fact, named=tuple(one for one in fact.named if one not in others)))
    return found


def _fact(chance: random.Random, number: int) -> Fact:
    values = [(kind, n) for kind, most in _VALUES.items() for n in range(most)]
    named = tuple(chance.sample(values, chance.randint(2, 3)))
    # One value of a kind in a message.
    named = tuple({kind: (kind, n) for kind, n in named}.values())
    former = None
    users = [one for one in named if one[0] == "user_id"]
    if users and chance.random() < 0.15:
        named, former = tuple(users), ("user_id", (users[0][1] + 1) % _VALUES["user_id"])
    # Few different times, so that ties are frequent.
    return Fact(number, named, former, chance.randint(1, 4) * 10, chance.choice(_STRENGTHS))


@dataclass(frozen=True, slots=True)
class Copy:
    """The facts under names that no other copy has, in an order of its own."""

    set_number: int
    number: int
    told: tuple[Fact, ...]

    def value(self, local: Local) -> str:
        kind, n = local
        if kind == "phone":
            return f"+55119{80_000_000 + self.number:08d}"
        name = f"{kind.replace('_', '')}-{n}-copy-{self.number}"
        return f"{name}@people.example.com" if kind == "email" else name

    def values(self) -> Iterator[tuple[tuple[str, str], Local]]:
        """What each of its names stands for."""
        for kind, most in _VALUES.items():
            for n in range(most):
                yield (kind, self.value((kind, n))), (kind, n)

    def message(self, fact: Fact, noon: datetime) -> dict[str, Any]:
        message: dict[str, Any] = {
            "type": "identify",
            "id": f"copy-{self.number:07d}-fact-{fact.number}",
            "occurred_at": (noon - timedelta(minutes=fact.minutes_ago)).isoformat(),
            "identifiers": {kind: self.value((kind, n)) for kind, n in fact.named},
            "assurance": fact.assurance,
        }
        if fact.former is not None:
            message |= {"type": "alias", "previous": {fact.former[0]: self.value(fact.former)}}
        return message


def copies(chance: random.Random, sets: int, orders: int, in_all_orders: int) -> tuple[list[list[Fact]], list[Copy]]:
    """So many sets of facts, each in so many orders; so many of those of up to six facts in every order there is."""
    found: list[list[Fact]] = []
    made: list[Copy] = []
    for set_number in range(sets):
        found.append(told := facts(chance))
        whole = len(told) <= _MOST_PERMUTED and in_all_orders > 0
        in_all_orders -= whole
        every = permutations(told) if whole else (tuple(chance.sample(told, len(told))) for _order in range(orders))
        made += [Copy(set_number, len(made) + number, order) for number, order in enumerate(every)]
    return found, made
