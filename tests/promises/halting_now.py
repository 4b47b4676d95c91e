"""P17: once the pause or stop of a journey was answered, no call to a provider of it begins any more."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from config.loop.checks import Check
from customers.clock import utcnow
from journeys import halting
from journeys.models import Journey
from tests.promises.client import Client
from tests.promises.letters import PURPOSE, Letters, letter
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.waves import agree, email_of, tell

_SENDERS: Final = 2
_ANSWER_SECONDS: Final = 0.02
_AT_LEAST: Final = 12
_HELD_WITHIN_MS: Final = 100
_LETTER: Final = "note"
_FIRST, _OTHER = "first", "other"


def _document(event: str) -> dict[str, Any]:
    return {
        "purpose": PURPOSE,
        "states": [{"name": "new", "kind": "initial"}, {"name": "told", "kind": "success"}],
        "transitions": [["new", "told"]],
        "entry": {"event": event, "reentry": "always", "key": "round"},
        "steps": [letter(_LETTER, "new", "over"), {"id": "over", "type": "exit", "state": "told"}],
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stop:
    """A round: from when to when the journey was halted, and how long the halting took."""

    began: float
    answered: float
    resumed: float


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(1)
    stage.start_engine()
    partner = stage.partner()
    journeys = {_FIRST: _document("first.begun"), _OTHER: _document("other.begun")}
    letters = Letters(stage, _SENDERS, _ANSWER_SECONDS, steps=[_LETTER], journeys=journeys)
    rounds = stage.size(200, 10)
    people = stage.size(100, 60)
    first = [f"person-{number}" for number in range(people)]
    other = [f"neighbour-{number}" for number in range(people)]
    agree(stage, partner, [*first, *other], PURPOSE)
    stops = [_halt(stage, partner, letters, number, first, other) for number in range(rounds)]
    wanted = 2 * rounds * people
    # What was held is looked at again within a minute.
    stage.until(lambda: len(letters.times()) >= wanted, "the last letters", 300)
    stage.settle("what else there may be")

    times = letters.times()
    mine = {email_of(user) for user in first}
    after = [at for email, at in times if email in mine and any(s.answered < at < s.resumed for s in stops)]
    meanwhile = [at for email, at in times if email not in mine and any(s.began < at < s.resumed for s in stops)]
    yield Check("times a journey was paused while it was sending", rounds, len(stops))
    yield Check("  letters of it that came after the answer", 0, len(after))
    yield Check("  letters of another journey that went on meanwhile", range(rounds, 10**9), len(meanwhile))
    ms = round(sorted(s.answered - s.began for s in stops)[len(stops) // 2] * 1000)
    # On a machine that is busy otherwise, half of them must be so quick.
    yield Check("  until it was answered, so many ms in the middle", range(_HELD_WITHIN_MS), ms)
    yield Check("letters that came once it went on, none lost or twice", wanted, len(times))


def _halt(stage: Stage, partner: Client, letters: Letters, number: int, first: list[str], other: list[str]) -> Stop:
    """A round of letters, in the midst of which the one journey is paused for a while."""
    journey = Journey.objects.get(pk=letters.journeys[_FIRST].pk)
    mine = {email_of(user) for user in first}

    def arrived() -> int:
        return sum(email in mine for email, _at in letters.times())

    before = arrived()
    # In turns, so that letters of both are left when the one is halted.
    pairs = zip(first, other, strict=True)
    tell(
        partner, [_begun(*one, number) for user, neighbour in pairs for one in (("other", neighbour), ("first", user))]
    )
    stage.until(lambda: arrived() >= before + _AT_LEAST, "the first letters of a round")
    began = time.time()
    halting.pause(journey, by=None, now=utcnow(), waiting=halting.Waiting.TIME_GOES_ON)
    answered = time.time()
    time.sleep(stage.chance.uniform(0.3, 0.8))
    resumed = time.time()
    halting.resume(journey, by=None, now=utcnow())
    return Stop(began, answered, resumed)


def _begun(what: str, user: str, number: int) -> dict[str, Any]:
    return {"name": f"{what}.begun", "identifiers": {"user_id": user}, "properties": {"round": str(number)}}


PROMISE = Promise(
    "P17",
    "Once it was answered that a journey is paused, nothing of it goes out any more",
    run,
    controls=("stops without a lock",),
    code=("channels/stops.py", "channels/dispatch/", "journeys/halting.py"),
    minutes=15,
)
