"""P21: once an opt-out was answered, nothing is sent any more, however close behind it the senders are."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final
from uuid import UUID

from django.db import connection

from channels.models import Message
from config.loop.checks import Check
from consent.models import Purpose
from customers.models import Identifier
from tests.promises.client import Client, in_parallel
from tests.promises.letters import PURPOSE, STEPS, Letters, signed_up
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.waves import Watch, agree, hold_back, kill, let_go, tell
from tests.promises.ways_out import Person, WaysOut

_SENDERS: Final = 2
# How long the mail server thinks about a message.
_ANSWER_SECONDS: Final = 0.05
_WAVE: Final = 32
# A worker dies at every so many waves.
_KILL: Final = 10
# About as long as the senders take for a wave.
_WAVE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Answered:
    way: str
    at: float
    seconds: float


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(2)
    stage.start_engine()
    partner = stage.partner()
    letters = Letters(stage, _SENDERS, _ANSWER_SECONDS)
    count = stage.size(6_000, 192)
    people = _people_who_wait(stage, partner, count)
    ways = WaysOut(stage, partner, Purpose.objects.get(key=PURPOSE).pk)
    answers = _race(stage, letters, ways, people)
    stage.settle("the last letters")

    arrivals = letters.times()
    late = [(answers[email].way, at - answers[email].at) for email, at in arrivals if at > answers[email].at]
    yield Check(f"people who opted out by {len(ways.all)} ways while they were written to", count, len(answers))
    for way in ways.all:
        yield Check(f"  by {way}: letters that arrived after the answer", 0, sum(one == way for one, _by in late))
    possible = count * len(STEPS)
    yield Check("letters that were quicker than the opt-out", range(1, possible), len(arrivals))
    stopped = Message.objects.filter(state=Message.State.SUPPRESSED).count()
    yield Check("letters that were not", range(1, possible), stopped)
    # An event is answered as soon as it is accepted.
    seconds = sorted(one.seconds for one in answers.values() if one.way != "event")
    # Of few, the slowest but one counts, and a machine may be busy otherwise for a moment.
    most = stage.size(250, 1_000)
    yield Check("opt-outs answered, 99 of 100 within so many ms", range(most), _ms(seconds, 0.99))


def _ms(seconds: Sequence[float], share: float) -> int:
    return round(seconds[ceil(share * len(seconds)) - 1] * 1000)


def _people_who_wait(stage: Stage, partner: Client, count: int) -> list[Person]:
    """People with consent, whose letters are written and held back until their wave is let go."""
    users = [f"person-{number}" for number in range(count)]
    agree(stage, partner, users, PURPOSE)
    hold_back()
    tell(partner, [signed_up(user) for user in users])
    wanted = count * len(STEPS)
    stage.until(lambda: Message.objects.count() == wanted, "the letters", 300)
    return _people(users)


def _people(users: Sequence[str]) -> list[Person]:
    profiles = dict(Identifier.objects.filter(kind_id="user_id").values_list("value", "profile__customer_id"))
    by_customer: dict[UUID, tuple[UUID, UUID, UUID, str]] = {
        customer: (address, profile, message, email)
        for customer, address, profile, message, email in Message.objects.values_list(
            "profile__customer_id", "address_id", "profile_id", "id", "address__value"
        )
    }
    people = []
    for user in users:
        address, profile, message, email = by_customer[profiles[user]]
        people.append(Person(user, email, address, profile, message))
    return people


def _race(stage: Stage, letters: Letters, ways: WaysOut, people: Sequence[Person]) -> dict[str, Answered]:
    """Let the letters of a few go at a time, and have those opt out while a sender is about to write to them."""
    answers: dict[str, Answered] = {}
    names = list(ways.all)
    by_way = [(person, names[number % len(names)]) for number, person in enumerate(people)]
    for number in range(ceil(len(people) / _WAVE)):
        wave = by_way[number * _WAVE : (number + 1) * _WAVE]
        with Watch([person.address_id for person, _way in wave]) as watch:

            def opt_out(who: tuple[Person, str, float], watch: Watch = watch) -> None:
                person, way, wait = who
                # Every other one as the sender is at their own letter, the others somewhen before it or after.
                watch.wait_for(person.address_id if wait < 0 else None)
                time.sleep(max(wait, 0.0))
                began = time.monotonic()
                ways.all[way](person)
                answers[person.email] = Answered(way, time.time(), time.monotonic() - began)
                connection.close()

            let_go([person.address_id for person, _way in wave])
            if number % _KILL == _KILL // 2:
                kill(stage, letters)
            in_parallel(_WAVE, opt_out, [(*who, stage.chance.uniform(-_WAVE_SECONDS, _WAVE_SECONDS)) for who in wave])
    return answers


PROMISE = Promise(
    "P21",
    "No dispatch after the opt-out: once it was answered, by whatever way, nothing goes out any more",
    run,
    controls=("naive check",),
    code=("consent/", "channels/dispatch/"),
    minutes=20,
)
