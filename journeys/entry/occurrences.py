"""Carrying out schedules: of every live version that has one the next occurrence is planned; when it comes, everybody
in the segment is called in, once.

Whoever publishes, pauses or archives locks the journey, settles what has come until then by what counted then, and
plans anew: no moment before a version goes live is made up, and none that came under another is lost.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from customers import dead_letters
from customers.models import Job, Segment
from customers.pg import raw_cursor
from customers.work import Queue, not_alone, work_once
from journeys.compiling import version
from journeys.entry.calls import call_in
from journeys.models import Journey, JourneyVersion, Occurrence

State = Occurrence.State
# What nothing ran for is made up for so long after its moment, and is left out from then on.
LATEST: Final = timedelta(hours=6)
_DAY: Final = timedelta(days=1)

# The journey is the lock, as for whoever publishes it or pauses it.
_LOCK: Final = """
    SELECT j.id FROM journeys_journey j
    WHERE j.id IN (SELECT o.journey_id FROM journeys_occurrence o WHERE o.id = ANY(%b))
    ORDER BY j.id FOR NO KEY UPDATE SKIP LOCKED
"""


def call_due(ids: Sequence[int], now: datetime) -> int:
    """Settle these occurrences, those of journeys that nobody else holds, and plan the next; how many were settled."""
    with raw_cursor() as cursor:
        held = [row[0] for row in cursor.execute(_LOCK, [list(ids)]).fetchall()]
    due = Occurrence.objects.filter(pk__in=ids, journey__in=held, state=State.PLANNED, at__lte=now)
    found = list(due.select_related("journey").order_by("at", "pk"))
    for one in found:
        if (later := _later(one, now)) is not None:
            one.at = later
            one.save(update_fields=("at",))
        else:
            _settle(one, now)
    return len(found)


def settle_all(journey: Journey, now: datetime) -> None:
    """Of a journey that the caller has locked, and as it stands before whatever is done with it: all that has come."""
    while (one := _planned(journey).filter(at__lte=now).first()) is not None:
        one.journey = journey
        _settle(one, now)


def plan(journey: Journey, live: JourneyVersion, now: datetime) -> None:
    """From now on the schedule of this version counts, if it has one; the caller has locked the journey."""
    forget(journey)
    last = Occurrence.objects.filter(journey=journey).order_by("-at").values_list("at", flat=True).first()
    _plan(journey.pk, live, now if last is None else max(now, last))


def forget(journey: Journey) -> None:
    """Nothing more comes by any schedule."""
    _planned(journey).delete()


def _later(one: Occurrence, now: datetime) -> datetime | None:
    """When it is to come after all, if clocks there are set otherwise by now than they were to be: on the same day of
    that place, and later than now. One that should have come earlier is made up at the planned moment."""
    schedule = version(one.version_id).definition.entry.schedule
    if schedule is None:
        return None
    day = schedule.day_of(one.at)
    near = schedule.between(one.at - _DAY, one.at + _DAY)
    return next((moment for moment in near if moment > now and schedule.day_of(moment) == day), None)


def _planned(journey: Journey) -> QuerySet[Occurrence]:
    return Occurrence.objects.filter(journey=journey, state=State.PLANNED)


def _plan(journey_id: UUID, live: JourneyVersion, after: datetime, *, of_its_day: bool = False) -> None:
    """The next one after the moment; `of_its_day` if that was this schedule's own, which has one on a day: what a zone
    is said to be may have changed since, and the same day come again."""
    schedule = version(live.pk).definition.entry.schedule
    moment = schedule.next(after, but_of_day=of_its_day) if schedule else None
    if moment is not None:
        Occurrence.objects.create(journey_id=journey_id, version=live, at=moment)


def _settle(one: Occurrence, now: datetime) -> None:
    one.state, one.job = _carry_out(one, now)
    one.settled_at = now
    one.save(update_fields=("state", "job", "settled_at"))
    _plan(one.journey_id, one.version, one.at, of_its_day=True)


def _carry_out(one: Occurrence, now: datetime) -> tuple[State, Job | None]:
    if one.journey.status != Journey.Status.LIVE:
        return State.PAUSED, None
    if one.at < now - LATEST:
        return State.LATE, None
    return _call(one, now)


def _call(one: Occurrence, now: datetime) -> tuple[State, Job | None]:
    entry = version(one.version_id).definition.entry
    found = Segment.objects.filter(brand_id=one.journey.brand_id, key=entry.segment, state=Segment.State.LIVE).first()
    if found is None:
        return State.NO_SEGMENT, None
    return State.CALLED, call_in(one.journey, found, now, until=now + LATEST)


def _give_up(id_: int, _reason: str, now: datetime) -> None:
    """What fails again and again is left out, and the next one comes in its time."""
    one = Occurrence.objects.select_related("journey").filter(pk=id_, state=State.PLANNED).first()
    if one is not None:
        one.state, one.settled_at = State.FAILED, now
        one.save(update_fields=("state", "settled_at"))
        _plan(one.journey_id, one.version, max(one.at, now))


def call_again(ids: Sequence[int], now: datetime) -> int:
    """Make up those that were left out as they failed, once what was wrong is mended; how many were."""
    with transaction.atomic():
        with raw_cursor() as cursor:
            held = [row[0] for row in cursor.execute(_LOCK, [list(ids)]).fetchall()]
        failed = Occurrence.objects.select_related("journey").filter(pk__in=ids, journey__in=held, state=State.FAILED)
        done = []
        for one in failed.filter(journey__status=Journey.Status.LIVE):
            one.state, one.job = _call(one, now)
            one.save(update_fields=("state", "job"))
            done.append(one.pk)
        dead_letters.close(QUEUE.name, done, now)
    return len(done)


_DUE: Final = "state = 'planned' AND at <= %(now)s"
QUEUE: Final = Queue(
    name="schedule",
    table="journeys_occurrence",
    pick=f"SELECT id FROM journeys_occurrence WHERE {_DUE} AND {not_alone('schedule', 'journeys_occurrence.id')}"
    " ORDER BY at LIMIT %(limit)s",
    work=call_due,
    give_up=_give_up,
    ready=_DUE,
    order="at",
)


def call_scheduled(now: datetime) -> int:
    return work_once(QUEUE, now)
