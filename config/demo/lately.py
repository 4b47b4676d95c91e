"""The last two days, arranged: people whose half hour, hour, day or two days are up just as the demo opens."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from config.demo.lives import Life, Moments, Told
from config.demo.people import make_person

_JOINED: Final = timedelta(days=12)
_PEOPLE: Final = 10
# How long ago the first of them began, and how long after him the next one.
_CARTS: Final = (timedelta(minutes=29), timedelta(minutes=2))
_CARTS_YESTERDAY: Final = (timedelta(hours=23, minutes=58), timedelta(minutes=3))
_DEBTS: Final = (timedelta(minutes=58), timedelta(minutes=5))
_NEWCOMERS: Final = (timedelta(days=2) - timedelta(minutes=2), timedelta(minutes=7))


def moments(end: datetime) -> set[datetime]:
    """The beats all this needs."""
    return {at for plan in (_CARTS, _CARTS_YESTERDAY, _DEBTS, _NEWCOMERS) for at in _moments(end, plan)}


def events(calendar: Moments, end: datetime, seed: int, first_number: int, days: float) -> Iterator[Told]:
    """What these people do, with numbers of their own from `first_number` on."""
    number = first_number
    for plan in (_CARTS, _CARTS_YESTERDAY, _DEBTS, _NEWCOMERS):
        for at in _moments(end, plan):
            person = replace(make_person(seed, number, days), grants=True, has_app=True, has_phone=True)
            life = Life(person, calendar)
            joined = calendar.burst_at(at if plan is _NEWCOMERS else end - _JOINED)
            life.join(at if plan is _NEWCOMERS or joined is None else joined)
            life.install(at if plan is _NEWCOMERS or joined is None else joined, at_once=True)
            if plan is _DEBTS:
                life.owe(at)
            elif plan is not _NEWCOMERS:
                life.fill_a_cart(at, "app", "left")
            yield from (told for told in life.told if told.at <= at)
            number += 1


def _moments(end: datetime, plan: tuple[timedelta, timedelta]) -> list[datetime]:
    ago, gap = plan
    # None of them ends on the second that another one does.
    return [end - ago + n * gap + timedelta(seconds=7 * n) for n in range(_PEOPLE)]
