"""Counts what happened at the touchpoints of maps, day by day, newest days first, and again while days may change."""

import time
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from analytics.metrics.map_basis import Goal, MapBasis, Outcome
from analytics.metrics.touchpoint_conversion import touchpoint_conversion
from analytics.metrics.touchpoint_moves import touchpoint_moves
from analytics.metrics.touchpoint_outcomes import touchpoint_outcomes
from analytics.models import MapCount, TouchpointDay, TouchpointMove
from journeys.maps.steps import steps_by_touchpoint
from journeys.models import JourneyMap, Touchpoint

# As far back as pages look.
DAYS: Final = 90
_FEWEST, _MOST = 2, 30
_QUICK_SECONDS = 1.0
_AGAIN_AFTER = timedelta(hours=1)


def count_all(now: datetime, seconds: float) -> bool:
    """Count every map as far as time allows, those longest uncounted first; whether all are counted."""
    end = time.monotonic() + seconds
    maps = JourneyMap.objects.filter(is_archived=False).select_related("brand")
    counted = dict(MapCount.objects.values_list("map_id", "counted_at"))
    never = datetime.min.replace(tzinfo=now.tzinfo)
    done = True
    for map_ in sorted(maps, key=lambda one: counted.get(one.pk) or never):
        left = end - time.monotonic()
        done = left > 0 and count_map(map_, now, left) and done
    return done


def count_map(map_: JourneyMap, now: datetime, seconds: float = 20.0) -> bool:
    """Bring one map's days up to `now`; whether it could be finished. Another counter's map is left to it."""
    end = time.monotonic() + seconds
    basis = basis_of(map_)
    today = now.astimezone(ZoneInfo(basis.zone)).date()
    MapCount.objects.get_or_create(map=map_)
    if not _count_new(basis, today, now):
        return False
    days = _FEWEST
    while (since := _counted_since(map_.pk)) and since > _first(today):
        begun = time.monotonic()
        if begun > end or not _count_older(basis, today, now, days):
            return False
        quick = time.monotonic() - begun < _QUICK_SECONDS
        days = min(days * 2, _MOST) if quick else max(days // 2, _FEWEST)
    return True


def basis_of(map_: JourneyMap) -> MapBasis:
    """Touchpoints off the map are not counted; put back, they are again."""
    touchpoints = {one.pk: one for one in Touchpoint.objects.filter(map=map_, removed_at=None)}
    steps = steps_by_touchpoint(map_.brand_id)
    return MapBasis(
        map_id=map_.pk,
        brand_id=map_.brand_id,
        zone=map_.brand.zone,
        steps={key: touchpoint for key, touchpoint in steps.items() if touchpoint in touchpoints},
        visits={pk: one.arrival_event for pk, one in touchpoints.items() if one.arrival_event},
        goals={
            pk: Goal(one.expected_event, one.conversion_days) for pk, one in touchpoints.items() if one.expected_event
        },
    )


def _first(today: date) -> date:
    return today - timedelta(days=DAYS - 1)


def _counted_since(map_id: UUID) -> date | None:
    return MapCount.objects.values_list("since", flat=True).get(pk=map_id)


@transaction.atomic
def _count_new(basis: MapBasis, today: date, now: datetime) -> bool:
    """The days since the last count, earlier ones that may have changed, or all anew when the basis has."""
    book = _book(basis.map_id)
    if book is None:
        return False
    digest = basis.digest()
    if book.basis != digest or book.since is None or book.counted_at is None:
        _forget(basis.map_id)
        book.basis, book.since, book.recounted_at = digest, today - timedelta(days=_FEWEST - 1), now
        first = book.since
    else:
        first = max(book.counted_at.astimezone(ZoneInfo(basis.zone)).date(), book.since)
        if book.recounted_at is None or now - book.recounted_at >= _AGAIN_AFTER:
            again = max(today - timedelta(days=basis.longest_window + 1), book.since)
            _count_outcomes(basis, again, first - timedelta(days=1), now)
            book.recounted_at = now
    _count_days(basis, first, today, now)
    book.counted_at = now
    book.save()
    return True


@transaction.atomic
def _count_older(basis: MapBasis, today: date, now: datetime, days: int) -> bool:
    book = _book(basis.map_id)
    if book is None or book.since is None:
        return False
    last = book.since - timedelta(days=1)
    book.since = max(book.since - timedelta(days=days), _first(today))
    _count_days(basis, book.since, last, now)
    book.save()
    return True


def _book(map_id: UUID) -> MapCount | None:
    return MapCount.objects.select_for_update(skip_locked=True).filter(pk=map_id).first()


def _forget(map_id: UUID) -> None:
    TouchpointDay.objects.filter(touchpoint__map_id=map_id).delete()
    TouchpointMove.objects.filter(map_id=map_id).delete()


def _count_days(basis: MapBasis, first: date, last: date, now: datetime) -> None:
    _count_outcomes(basis, first, last, now)
    moves = [
        TouchpointMove(map_id=basis.map_id, from_touchpoint_id=from_, to_touchpoint_id=to, day=day, count=count)
        for from_, to, day, count in touchpoint_moves(basis, *_span(basis, first, last, now))
    ]
    TouchpointMove.objects.filter(map_id=basis.map_id, day__range=(first, last)).delete()
    TouchpointMove.objects.bulk_create(moves)


def _count_outcomes(basis: MapBasis, first: date, last: date, now: datetime) -> None:
    """What may still change of a day that is over: who acts late, and what people find out of unknown messages."""
    since, until = _span(basis, first, last, now)
    days = [
        TouchpointDay(touchpoint_id=touchpoint, day=day, outcome=outcome, count=count)
        for touchpoint, day, outcome, count in touchpoint_outcomes(basis, since, until)
    ]
    days += [
        TouchpointDay(touchpoint_id=touchpoint, day=day, outcome=Outcome.CONVERTED.value, count=count)
        for touchpoint, day, count in touchpoint_conversion(basis, since, until)
    ]
    TouchpointDay.objects.filter(touchpoint__map_id=basis.map_id, day__range=(first, last)).delete()
    TouchpointDay.objects.bulk_create(days)


def _span(basis: MapBasis, first: date, last: date, now: datetime) -> tuple[datetime, datetime]:
    """From the beginning of the first day in the brand's zone to the end of the last, or to now."""
    zone, after = ZoneInfo(basis.zone), last + timedelta(days=1)
    since = datetime(first.year, first.month, first.day, tzinfo=zone)
    until = datetime(after.year, after.month, after.day, tzinfo=zone) - timedelta(microseconds=1)
    return since, min(until, now)
