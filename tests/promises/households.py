"""People who share a mailbox, each in the same journey: of every step one copy arrives there."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from channels.models import Message
from config.loop.checks import Check
from customers.models import Identifier
from tests.promises.client import Client
from tests.promises.letters import PURPOSE, STEPS, Letters, signed_up
from tests.promises.stage import Stage

# So few at a time that the members of a household are in hand together.
_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class _Household:
    number: int
    size: int

    @property
    def email(self) -> str:
        return f"household-{self.number}@people.example.com"

    @property
    def users(self) -> list[str]:
        return [f"of-{self.number}-{member}" for member in range(self.size)]

    def messages(self, member: int) -> list[dict[str, Any]]:
        """Who this is, that they want news, and that they signed up; each writes the address as they please."""
        user = self.users[member]
        spelled = (str, str.upper, str.title)[member % 3](self.email)
        about = {"purpose": PURPOSE, "address": spelled}
        return [
            {"type": "identify", "identifiers": {"user_id": user, "email": spelled}},
            {"name": "consent.granted", "identifiers": {"user_id": user}, "properties": about},
            signed_up(user),
        ]


def one_copy(stage: Stage, partner: Client, letters: Letters) -> Iterator[Check]:
    households = [_Household(number, stage.chance.randint(2, 4)) for number in range(stage.size(500, 15))]
    before = Counter(Message.objects.values_list("state", "reason"))
    for start in range(0, len(households), _AT_ONCE):
        few = [(home, member) for home in households[start : start + _AT_ONCE] for member in range(home.size)]
        stage.chance.shuffle(few)
        told = [message for home, member in few for message in home.messages(member)]
        partner.post("/api/v1/events/batch", {"events": told})
    stage.settle("the last mail to a household")

    users = [user for home in households for user in home.users]
    alone = Identifier.objects.filter(kind_id="user_id", value__in=users)
    yield Check("people who share a mailbox with others", len(users), alone.count())
    yield Check("  of whom each is somebody", len(users), alone.values("profile__customer_id").distinct().count())
    wanted = {(home.email, step) for home in households for step in STEPS}
    arrived = {which: number for which, number in letters.arrived().items() if which[0].startswith("household-")}
    yield Check(
        f"copies: one for each mailbox and each of {len(STEPS)} steps", len(wanted), len(arrived.keys() & wanted)
    )
    yield Check("  more than one, or where none should be", 0, sum(arrived.values()) - len(arrived.keys() & wanted))
    states = Counter(Message.objects.values_list("state", "reason")) - before
    yield Check("messages sent", len(wanted), states.pop(("sent", ""), 0))
    kept_back = states.pop(("suppressed", "address_duplicate"), 0)
    yield Check("  kept back, as the mailbox had that one", len(STEPS) * len(users) - len(wanted), kept_back)
    yield Check("  in any other state", {}, dict(states))
