"""Trying policies out: what would become of a message at a moment, and by which of them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from channels.models import PacingPolicy
from channels.pacing.reading import history, longest, rule_of, zones
from channels.pacing.rules import About, Block, Cap, Counted, judge
from customers.pg import raw_cursor


@dataclass(frozen=True, slots=True)
class Tried:
    """One policy, how many it counts where it is a cap, and whether it would hold the message."""

    policy: PacingPolicy
    counted: int | None
    holds: bool


@dataclass(frozen=True, slots=True)
class Answer:
    zone: ZoneInfo
    # "customer", "brand", or "chosen".
    whose: str
    local: datetime
    tried: list[Tried]
    block: Block | None


def attempt(about: About, at: datetime, *, customer_id: UUID | None = None, zone: ZoneInfo | None = None) -> Answer:
    """Of somebody by what they had until now, or of somebody new; in the zone that is given, else in their own."""
    rows = PacingPolicy.objects.filter(
        Q(brand=None) | Q(brand=about.brand_id), Q(valid_to=None) | Q(valid_to__gt=at), valid_from__lte=at
    ).select_related("brand", "purpose")
    policies = [(row, rule) for row in rows for rule in [rule_of(row)] if rule.scope.covers(about)]
    rules = [rule for _row, rule in policies]
    had = _had(customer_id, at, [one for one in rules if isinstance(one, Cap)])
    whose = "chosen"
    if zone is None:
        with raw_cursor() as cursor:
            people = [customer_id] if customer_id else []
            zone, whose = zones(cursor, people, [about.brand_id]).of(customer_id or about.brand_id, about.brand_id)
    tried = [
        Tried(
            row,
            len(rule.within(had, at)) if isinstance(rule, Cap) else None,
            judge([rule], about, had, zone, at) is not None,
        )
        for row, rule in policies
    ]
    return Answer(zone, whose, at.astimezone(zone), tried, judge(rules, about, had, zone, at))


def _had(customer_id: UUID | None, at: datetime, caps: list[Cap]) -> list[Counted]:
    if customer_id is None or not caps:
        return []
    with raw_cursor() as cursor:
        found = history(cursor, [customer_id], at - longest(caps), at).get(customer_id, ())
    return [one for _id, one in found if one.at is None or one.at <= at]
