"""Segments on a stage: made, built, and asked who is in them."""

from datetime import datetime
from typing import Any

from customers import jobs
from customers.models import Segment, SegmentMembership
from customers.segments import define
from tests.journeys.stage import Stage

GOLD = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "gold"}
BOUGHT = {"leaf": "event_count", "event": "order.completed", "within": "P30D"}
NEVER_BOUGHT = {"leaf": "event_recency", "event": "order.completed", "op": "never"}


def make_segment(stage: Stage, rule: Any, key: str = "vip", *, is_built: bool = True) -> Segment:
    segment = Segment.objects.create(brand=stage.brand, key=key, name=key)
    define.set_rule(segment, rule, stage.now)
    if is_built:
        build_all(stage.now)
        segment.refresh_from_db()
    return segment


def make_list(stage: Stage, key: str = "invited") -> Segment:
    segment = Segment.objects.create(brand=stage.brand, key=key, name=key, is_static=True)
    define.open_list(segment, stage.now)
    segment.refresh_from_db()
    return segment


def build_all(now: datetime) -> None:
    assert jobs.work_on(lambda: now, seconds=60)


def inside(segment: Segment) -> set[str]:
    """Who is in it now, by the value of an identifier of theirs."""
    open_ = SegmentMembership.objects.filter(segment=segment, left_at=None)
    return {one.profile.identifier.value for one in open_.select_related("profile__identifier")}


def spells(segment: Segment) -> list[tuple[bool, bool]]:
    """(is over, is historical) of every membership there was, the oldest first."""
    rows = SegmentMembership.objects.filter(segment=segment).order_by("id")
    return [(one.left_at is not None, one.historical) for one in rows]
