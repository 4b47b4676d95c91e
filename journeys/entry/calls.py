"""Calling people into a journey, many at a time: a job that tells, in slices, an event of everybody who is called.

What comes of it is decided where every entry is, by the stage that matches events, with all that it looks at; so a
call can be made while everything else goes on, and each person's answer is a run or a refusal with its reason. Where
the job stands is committed with the events it told: nobody is called twice by one job, whatever dies.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from psycopg import Cursor

from customers import bells, jobs
from customers.internal import Internal, tell
from customers.jobs import Slice
from customers.models import Job, Segment
from customers.pg import raw_cursor
from journeys.entry.called import Called, one_number, people_of
from journeys.entry.names import CALLED
from journeys.models import Journey

KIND: Final = "call_in"
PIECE: Final = 1000
# While so many events wait to be matched a call rests, so that nobody's sign-up stands in line behind it.
MOST_WAITING: Final = 5 * PIECE
_REST: Final = timedelta(seconds=1)
_REST_PAUSED: Final = timedelta(seconds=30)

_WAITING: Final = "SELECT count(*) FROM (SELECT 1 FROM customers_match_queue LIMIT %b) q"
_SHOWN: Final = 5


def call_in(
    journey: Journey,
    segment: Segment,
    now: datetime,
    *,
    by: AbstractBaseUser | None = None,
    until: datetime | None = None,
) -> Job:
    """Have everybody who is in the segment now called into the journey; by a journey that is paused then, nobody more
    after `until`."""
    said = {"journey": str(journey.pk), "segment": str(segment.pk), "at": now.isoformat()}
    return jobs.ask(
        KIND,
        now,
        by=by,
        brand_id=journey.brand_id,
        squad_id=journey.squad_id,
        subject=f"{journey.name} · {segment.name}"[:200],
        arguments=said | ({"until": until.isoformat()} if until else {}),
    )


def calls_of(journey: Journey) -> list[Job]:
    """The newest first."""
    asked = Job.objects.filter(kind=KIND, arguments__journey=str(journey.pk))
    return list(asked.order_by("-created_at", "-pk")[:_SHOWN])


def work(turn: Slice) -> bool:
    journey = Journey.objects.get(pk=turn.job.arguments["journey"])
    until = turn.job.arguments.get("until")
    if journey.status == Journey.Status.PAUSED and until and turn.now > datetime.fromisoformat(until):
        turn.job.report["stopped"] = "paused_too_long"
        return True
    if journey.status == Journey.Status.PAUSED:
        turn.rest = _REST_PAUSED
        return False
    if journey.status != Journey.Status.LIVE:
        turn.job.report["stopped"] = "journey_not_live"
        return True
    people = people_of(turn.job)
    while turn.has_time:
        with transaction.atomic(), raw_cursor() as cursor:
            if _is_busy(cursor):
                turn.rest = _REST
                return False
            if turn.job.total is None:
                turn.note(total=people.count(cursor))
            some = people.next(cursor, turn.job.cursor.get("after"), PIECE)
            if not some:
                return True
            _call(cursor, journey, turn.job, some, turn.now)
            turn.note(done=turn.job.done + len(some), after=some[-1].mark)
    return False


def register() -> None:
    jobs.register(KIND, _("Call people into a journey"), work, counts_members=True)


def _is_busy(cursor: Cursor[Any]) -> bool:
    return one_number(cursor, _WAITING, [MOST_WAITING]) >= MOST_WAITING


def _call(cursor: Cursor[Any], journey: Journey, job: Job, people: list[Called], now: datetime) -> None:
    said = {"journey": str(journey.pk), "call": str(job.pk)}
    called = (
        Internal(CALLED, one.profile_id, f"{job.pk}-{one.mark}", {**one.data, **said}, brand_id=journey.brand_id)
        for one in people
    )
    tell(cursor, called, frozenset({CALLED}), now)
    bells.ring("engine")
