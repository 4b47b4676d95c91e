"""People who made a second account, and a first look for them that needs nothing but their names and numbers.

The search of the product is an extra; this one weighs agreement by how rare a value is (Fellegi and Sunter, 1969).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from math import log2
from typing import Any, Final

from config.demo.calendar import Calendar
from config.demo.company import Company
from config.demo.lives import Life, Told
from config.demo.people import make_person
from customers.duplicates import model, search
from customers.duplicates.linking import LEAST, Agreement, Match, Record
from customers.duplicates.records import records

_PEOPLE: Final = 14
_JOINED: Final = timedelta(days=9)
# What is compared, and of how many levels agreement is the last one.
_COMPARED: Final = ((model.NAMES, model.NAME_KEY, 6), (model.CITY, model.CITY, 2), (model.PHONE, model.PHONE, 3))
# So many of a hundred people have made a second account; an address that differs says little against it.
_SHARE: Final = 0.01
_OTHER_MAIL: Final = -1.0


def events(calendar: Calendar, seed: int, first_number: int, days: float) -> Iterator[Told]:
    """Each joins, and some days later joins again: by another address, with the same telephone."""
    for number in range(first_number, first_number + 2 * _PEOPLE, 2):
        person = replace(make_person(seed, number, days), has_phone=True, has_app=True)
        again = replace(make_person(seed, number + 1, days), has_phone=True, plan=person.plan, city=person.city)
        again = replace(again, first_name=person.first_name, last_name=person.last_name)
        for one, at in ((person, calendar.end - 2 * _JOINED), (again, calendar.end - _JOINED)):
            joined = calendar.burst_at(at + timedelta(hours=number % 19))
            if joined is not None:
                life = Life(one, calendar)
                life.join(joined)
                yield from (_with_phone(told, person.phone) for told in life.told)


def _with_phone(told: Told, phone: str) -> Told:
    traits: Any = told.message.get("traits")
    if not traits or "phone" not in traits:
        return told
    return replace(told, message={**told.message, "traits": {**traits, "phone": phone}})


def propose(company: Company, now: datetime) -> int:
    """Put who looks like one person before those who decide; how many pairs that is."""
    proposed = 0
    for shop in company.shops.values():
        matches = find(list(records(shop.brand.pk)))
        proposed += search.propose(shop.brand.pk, matches, now)["proposed"]
    return proposed


def find(people: list[Record]) -> list[Match]:
    """Pairs with one telephone that are one person more likely than not by far, the likeliest first."""
    known = {column: Counter(one.get(column) for one in people) for _on, column, _of in _COMPARED}
    by_phone: dict[str, list[Record]] = defaultdict(list)
    for one in people:
        if phone := one.get(model.PHONE):
            by_phone[phone].append(one)
    pairs = [pair for group in by_phone.values() for pair in combinations(group, 2)]
    # Before anything is compared: as many pairs as share a telephone, or as usual, among all that could be made.
    expected = max(len(pairs), _SHARE * len(people))
    prior = log2(2 * expected / (len(people) * max(len(people) - 1, 1))) if people else 0.0
    found = [_compare(one, other, known, len(people), prior) for one, other in pairs]
    return sorted((match for match in found if match.probability >= LEAST), key=lambda one: -one.probability)


def _compare(one: Record, other: Record, known: Mapping[str, Counter[str | None]], people: int, prior: float) -> Match:
    evidence = []
    for on, column, of in _COMPARED:
        value = one.get(column)
        same = value is not None and value == other.get(column)
        weight = log2(people / known[column][value]) if same else -log2(people) / 2
        evidence.append(Agreement(on, round(weight, 2), of if same else 0, of))
    if one.get(model.EMAIL) and other.get(model.EMAIL):
        evidence.append(Agreement(model.EMAIL, _OTHER_MAIL, 0, 4))
    odds = sum(told.weight for told in evidence) + prior
    low, high = sorted((str(one["unique_id"]), str(other["unique_id"])))
    return Match(low, high, 1 / (1 + 2**-odds), tuple(evidence))
