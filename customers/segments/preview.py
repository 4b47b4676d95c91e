"""What a rule that is being written would make of a segment: how many people, in words that say how sure that is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from customers.rules import PEOPLE, Problem, parse
from customers.segments import telling
from customers.segments.count import Estimate, TooSlow, estimate


@dataclass(slots=True)
class Preview:
    """`words` are the rule in each language; `count` is empty where nobody was asked."""

    count: str = ""
    problems: list[Problem] = field(default_factory=list)
    words: list[tuple[str, str]] = field(default_factory=list)


def preview(tree: Any, brand_id: UUID, now: datetime, *, counts: bool, reads_personal: bool) -> Preview:
    """Of a rule that can be read, if it is to be counted; for somebody who reads personal data of the brand or not."""
    if not counts:
        return Preview()
    rule = parse(tree, PEOPLE)
    try:
        found = estimate(rule, brand_id, now)
    except TooSlow:
        return Preview(gettext("Asking takes too long to be shown here. It can be published all the same."))
    if reads_personal or not telling.asks_personal(rule, brand_id):
        return Preview(in_words(found))
    return Preview(in_coarse_words(found))


def in_coarse_words(found: Estimate) -> str:
    """What a rule that asks personal data may tell whoever does not read it: nothing of single people."""
    if found.hits < telling.FEWEST:
        text = gettext("fewer than %(least)s of the %(asked)s people who were asked; they are not counted for you")
        return text % {"least": telling.FEWEST, "asked": _number(telling.coarse(found.asked))}
    values = {"people": _number(telling.coarse(rounded(found.people))), "total": _number(telling.coarse(found.total))}
    return gettext("about %(people)s of %(total)s people") % values


def in_words(found: Estimate) -> str:
    """“about 12,400 of 96,000 people”, or exactly where all were asked."""
    values = {"people": _number(found.people), "total": _number(found.total)}
    if found.is_exact:
        return ngettext("%(people)s of %(total)s person", "%(people)s of %(total)s people", found.total) % values
    values |= {"people": _number(rounded(found.people)), "total": _number(rounded(found.total))}
    values |= {"low": _number(found.low), "high": _number(found.high), "asked": _number(found.asked)}
    text = gettext(
        "about %(people)s of %(total)s people, most likely from %(low)s to %(high)s (a sample of %(asked)s was asked)"
    )
    return text % values


def rounded(number: int) -> int:
    """To three figures: a guess is no more exact than that."""
    unit: int = 10 ** max(len(str(number)) - 3, 0)
    return round(number / unit) * unit


def _number(number: int) -> str:
    return str(number_format(number, force_grouping=True))
