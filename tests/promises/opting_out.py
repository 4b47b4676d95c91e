"""P21: once an opt-out was answered, nothing is sent any more, however close behind it the senders are."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
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
from tests.promises.ways_out import Person, WaysOut

_SENDERS: Final = 2
# How long the mail server thinks about a message.
_ANSWER_SECONDS: Final = 0.05
_WAVE: Final = 32
# A worker dies at every so many waves.
_KILL: Final = 10
# About as long as the senders take for a wave.
_WAVE_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.005
_PATIENCE_SECONDS: Final = 3.0


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
    told: list[dict[str, object]] = []
    for user in users:
        told.append({"type": "identify", "identifiers": {"user_id": user, "email": f"{user}@people.example.com"}})
        about = {"purpose": PURPOSE, "address": f"{user}@people.example.com"}
        told.append({"name": "consent.granted", "identifiers": {"user_id": user}, "properties": about})
    _tell(partner, told)
    stage.settle("their consents")
    with connection.cursor() as cursor:
        # From here on what is queued is due tomorrow.
        cursor.execute(_HOLD_BACK)
    _tell(partner, [signed_up(user) for user in users])
    wanted = count * len(STEPS)
    stage.until(lambda: Message.objects.count() == wanted, "the letters", 300)
    return _people(users)


_HOLD_BACK: Final = """
    CREATE FUNCTION lab_hold_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.due_at := now() + interval '1 day';
        NEW.expires_at := now() + interval '2 days';
        RETURN NEW;
    END $$;
    CREATE TRIGGER lab_hold_back BEFORE INSERT ON channels_message FOR EACH ROW EXECUTE FUNCTION lab_hold_back();
"""


def _tell(partner: Client, told: Sequence[Mapping[str, object]]) -> None:
    for start in range(0, len(told), 200):
        part = told[start : start + 200]
        reply = partner.post("/api/v1/events/batch", {"events": part})
        assert reply is not None, "the door of events does not answer"
        assert reply.json["accepted"] == len(part), reply.json


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
        with _Watch([person.address_id for person, _way in wave]) as watch:

            def opt_out(who: tuple[Person, str, float], watch: _Watch = watch) -> None:
                person, way, wait = who
                # Every other one as the sender is at their own letter, the others somewhen before it or after.
                watch.wait_for(person.address_id if wait < 0 else None)
                time.sleep(max(wait, 0.0))
                began = time.monotonic()
                ways.all[way](person)
                answers[person.email] = Answered(way, time.time(), time.monotonic() - began)
                connection.close()

            _let_go([person.address_id for person, _way in wave])
            if number % _KILL == _KILL // 2:
                _kill(stage, letters)
            in_parallel(_WAVE, opt_out, [(*who, stage.chance.uniform(-_WAVE_SECONDS, _WAVE_SECONDS)) for who in wave])
    return answers


def _kill(stage: Stage, letters: Letters) -> None:
    victim = stage.chance.choice(letters.senders)
    victim.kill()
    victim.start()
    stage.keeper.keep(victim.pid)


class _Watch:
    """Tells when a sender has announced that it is about to write to one of these addresses, or to any."""

    def __init__(self, address_ids: Sequence[UUID]) -> None:
        self._events = {address_id: threading.Event() for address_id in address_ids}
        self._any = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def wait_for(self, address_id: UUID | None) -> None:
        (self._any if address_id is None else self._events[address_id]).wait(_PATIENCE_SECONDS)

    def _look(self) -> None:
        try:
            while not self._over.wait(_LOOK_SECONDS):
                at = Message.objects.filter(address__in=list(self._events), state=Message.State.DISPATCHING)
                for address_id in at.values_list("address_id", flat=True):
                    if address_id is not None:
                        self._any.set()
                        self._events[address_id].set()
        finally:
            connection.close()


def _let_go(address_ids: Sequence[UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE channels_message SET due_at = now() WHERE address_id = ANY(%s)", [list(address_ids)])


PROMISE = Promise(
    "P21",
    "No dispatch after the opt-out: once it was answered, by whatever way, nothing goes out any more",
    run,
    controls=("naive check",),
    code=("consent/", "channels/dispatch/"),
    minutes=20,
)
