"""The people of the demo company: the same from the same seed, and nobody anybody could really reach."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from config.demo.calendar import Calendar
from config.demo.lives import Life
from config.demo.people import base36, make_person
from customers.identifiers import scheme

END = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAYS = 30.0


@pytest.fixture
def calendar() -> Calendar:
    return Calendar(END - timedelta(days=DAYS), END - timedelta(days=10), END)


def test_a_life_is_the_same_each_time_it_is_told(calendar: Calendar) -> None:
    first = [Life(make_person(7, number, DAYS), calendar).live(END) for number in range(1, 30)]
    again = [Life(make_person(7, number, DAYS), calendar).live(END) for number in range(1, 30)]
    assert first == again
    assert first != [Life(make_person(8, number, DAYS), calendar).live(END) for number in range(1, 30)]


def test_everything_is_told_at_a_beat_and_in_order(calendar: Calendar) -> None:
    beats = set(calendar.beats)
    for number in range(1, 60):
        told = Life(make_person(7, number, DAYS), calendar).live(END)
        assert {one.at for one in told} <= beats
        assert told == sorted(told, key=lambda one: one.at)


def test_no_two_people_share_what_tells_them_apart() -> None:
    people = [make_person(7, number, DAYS) for number in range(1, 5001)]
    for name in ("user_id", "card", "push_token", "email", "phone"):
        values = [(person.plan.key, getattr(person, name)) for person in people]
        assert len(set(values)) == len(people), name


def test_addresses_can_be_read_and_lead_nowhere() -> None:
    for person in (make_person(7, number, DAYS) for number in range(1, 300)):
        value, _original = scheme("email").read(person.email)
        assert value.endswith("@people.example.com")
        assert re.fullmatch(r"\+5520\d{9}|\+61555\d{6}", scheme("phone").read(person.phone)[0])


def test_a_message_id_is_never_used_twice(calendar: Calendar) -> None:
    ids = [
        one.message["messageId"]
        for number in range(1, 100)
        for one in Life(make_person(7, number, DAYS), calendar).live(END)
    ]
    assert len(ids) == len(set(ids)) > 500


def test_half_an_hour_after_a_burst_its_timers_find_a_beat(calendar: Calendar) -> None:
    burst = calendar.burst_at(calendar.live_from)
    assert burst is not None
    soon = calendar.beat_at(burst + timedelta(seconds=1))
    due = calendar.beat_at(burst + timedelta(minutes=30))
    assert soon is not None
    assert due is not None
    assert soon < burst + timedelta(minutes=30) <= due < burst + timedelta(minutes=31)


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (35, "z"), (36, "10"), (543661206, "8zojo6")])
def test_numbers_are_shortened_to_letters_and_digits(number: int, text: str) -> None:
    assert base36(number) == text
    assert int(text, 36) == number
