"""P21: once an opt-out was answered, nothing is sent any more, however close behind it the senders are."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from threading import BoundedSemaphore
from typing import Any, Final
from uuid import UUID

from django.db import connection

from channels.models import Message
from config.loop.checks import Check
from consent.models import Purpose
from customers.models import Identifier
from tests.promises.carriers import PURPOSE, SERVED, Carriers, journey, step, user
from tests.promises.client import Client, in_parallel
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.waves import Watch, hold_back, kill, let_go
from tests.promises.ways_out import Person, WaysOut

_SENDERS: Final = 2
_THREADS: Final = 8
_BY: Final = ("mail", "sms", "whatsapp", SERVED)
# Of each person, whichever way they are written to.
_STEPS: Final = ("first", "second")
_BEFORE: Final = "before.begun"
# How long a provider thinks about a message.
_ANSWER_SECONDS: Final = 0.05
_WAVE: Final = 32
# So many opt out at one moment; the others of a wave wait for their turn, and for that nobody but them is to blame.
_AT_ONCE: Final = 8
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
    carriers = Carriers(
        stage, _SENDERS, _THREADS, webs=2, delay=_ANSWER_SECONDS, concurrency=2 * _THREADS, journeys=_journeys(), by=_BY
    )
    partner = stage.partner()
    ways = WaysOut(stage, partner, carriers.connectors, Purpose.objects.get(key=PURPOSE).pk)
    count = stage.size(6_000, 200)
    people = _people_who_wait(stage, partner, carriers, ways, count)
    began = time.time()
    answers = _race(stage, carriers, ways, people)
    stage.settle("the last letters")

    arrivals = [one for one in carriers.arrivals() if one.at > began]
    late = [answers[one.to].way for one in arrivals if one.at > answers[one.to].at]
    yield Check(f"people who opted out by {len(ways.all)} ways while they were written to", count, len(answers))
    for way in ways.all:
        yield Check(f"  by {way}: letters that arrived after the answer", 0, late.count(way))
    possible = count * len(_STEPS)
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


def _journeys() -> dict[str, dict[str, Any]]:
    """Two letters by each, and one that came before: of that Mailgun tells."""
    first, second = _STEPS
    found = {by: journey(step(by, second, id=first), step(by, "over", id=second), event=f"{by}.begun") for by in _BY}
    return found | {"before": journey(step(SERVED, "over"), event=_BEFORE)}


def _people_who_wait(stage: Stage, partner: Client, carriers: Carriers, ways: WaysOut, count: int) -> list[Person]:
    """People with consent, whose letters are written and held back until their wave is let go."""
    carriers.agree(partner, range(count))
    by = [ways.by[_way_of(ways, number)] for number in range(count)]
    carriers.greet(partner, [number for number in range(count) if by[number] == SERVED], _BEFORE)
    stage.settle("the letters that come before")
    before = Message.objects.count()
    hold_back()
    for one in _BY:
        carriers.greet(partner, [number for number in range(count) if by[number] == one], f"{one}.begun")
    wanted = count * len(_STEPS) + before
    stage.until(lambda: Message.objects.count() == wanted, "the letters", 300)
    return _people(count)


def _way_of(ways: WaysOut, number: int) -> str:
    """They take turns."""
    names = list(ways.all)
    return names[number % len(names)]


def _people(count: int) -> list[Person]:
    profiles = dict(Identifier.objects.filter(kind_id="user_id").values_list("value", "profile__customer_id"))
    # The first message of each, as it was made.
    rows = Message.objects.order_by("-created_at", "-id").values_list(
        "profile__customer_id", "address__value", "address_id", "profile_id", "id"
    )
    by_customer: dict[UUID, tuple[str, UUID, UUID, UUID]] = {row[0]: row[1:] for row in rows}
    return [Person(user(number), *by_customer[profiles[user(number)]]) for number in range(count)]


def _race(stage: Stage, carriers: Carriers, ways: WaysOut, people: Sequence[Person]) -> dict[str, Answered]:
    """Let the letters of a few go at a time, and have those opt out while a sender is about to write to them."""
    answers: dict[str, Answered] = {}
    turns = BoundedSemaphore(_AT_ONCE)
    by_way = [(person, _way_of(ways, number)) for number, person in enumerate(people)]
    for number in range(ceil(len(people) / _WAVE)):
        wave = by_way[number * _WAVE : (number + 1) * _WAVE]
        with Watch([person.address_id for person, _way in wave]) as watch:

            def opt_out(who: tuple[Person, str, float], watch: Watch = watch) -> None:
                person, way, wait = who
                # Every other one as the sender is at their own letter, the others somewhen before it or after.
                watch.wait_for(person.address_id if wait < 0 else None)
                time.sleep(max(wait, 0.0))
                with turns:
                    began = time.monotonic()
                    ways.all[way](person)
                    answers[person.address] = Answered(way, time.time(), time.monotonic() - began)
                connection.close()

            let_go([person.address_id for person, _way in wave])
            if number % _KILL == _KILL // 2:
                kill(stage, carriers.senders)
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
