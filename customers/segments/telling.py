"""Which segments tell personal data: to know who is in one whose rule asks it is to know it of each of them.

Who does not read personal data of the brand is told how many, in tens and from ten on, and not who. Whoever may is
told by `visible_to`, as of everything else.
"""

from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext

from customers.models import Segment
from customers.rules import PEOPLE, Rule, RuleError, parse
from customers.rules.rule import leaves
from customers.segments.alone import one_at_a_time

FEWEST: Final = 10


def asks_personal(rule: Rule, brand_id: UUID) -> bool:
    """By itself, or by way of the segments that it names."""
    if _asks(rule):
        return True
    named = Segment.objects.filter(brand=brand_id, key__in=rule.root.segments, is_personal=True)
    return named.exists()


@transaction.atomic
def settle(brand_id: UUID) -> None:
    """Note it anew at all segments of a brand: a rule was set, or a trait became personal or ceased to be."""
    one_at_a_time(brand_id)
    rules = dict(Segment.objects.filter(brand=brand_id).exclude(rule=None).values_list("key", "rule"))
    telling = _closure({key: _read(rule) for key, rule in rules.items()})
    held = Segment.objects.filter(brand=brand_id)
    held.filter(key__in=telling, is_personal=False).update(is_personal=True)
    held.filter(is_personal=True).exclude(key__in=telling).update(is_personal=False)


def settle_all() -> None:
    # A segment has a brand, and no brand is without end of them: one transaction each.
    for brand_id in Segment.objects.order_by().values_list("brand", flat=True).distinct():
        settle(brand_id)


def coarse(number: int) -> int:
    """In tens: one person more or less is not told by it."""
    return number // FEWEST * FEWEST


def coarse_words(number: int) -> str:
    if number < FEWEST:
        return gettext("fewer than %(least)s") % {"least": FEWEST}
    return gettext("about %(number)s") % {"number": number_format(coarse(number), force_grouping=True)}


def _asks(rule: Rule) -> bool:
    return any(leaf.is_personal for _pointer, leaf in leaves(rule.root))


def _read(rule: object) -> Rule | None:
    try:
        return parse(rule, PEOPLE)
    except RuleError:
        # Of a kind of condition that is no longer installed, say: nobody knows what it asks.
        return None


def _closure(rules: dict[str, Rule | None]) -> set[str]:
    """Who looks at one that tells tells it, too."""
    found = {key for key, rule in rules.items() if rule is None or _asks(rule)}
    while True:
        more = {key for key, rule in rules.items() if rule and not found.isdisjoint(rule.root.segments)} - found
        if not more:
            return found
        found |= more
