"""What a journey's pages tell of its schedule: when it comes next, and what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from django.http import HttpRequest
from django.utils.formats import date_format

from customers import clock
from customers.visibility import sees_pii
from journeys.entry.check_schedule import schedule_problems
from journeys.entry.outcomes import outcomes
from journeys.entry.schedule import Schedule
from journeys.models import Journey, Occurrence

_NEXT: Final = 5
_PAST: Final = 10


def upcoming(document: Mapping[str, Any]) -> list[str]:
    """When the schedule of a document comes next, in its own zone; nothing of one that is none yet."""
    schedule = _schedule(document)
    return [] if schedule is None else [_told(at, schedule.zone) for at in schedule.upcoming(clock.utcnow(), _NEXT)]


def calendar(request: HttpRequest, journey: Journey) -> dict[str, Any] | None:
    """Of the live version's schedule; also of one it had before, as long as something came of it."""
    past = list(
        Occurrence.objects.filter(journey=journey)
        .exclude(state=Occurrence.State.PLANNED)
        .select_related("job", "version")
        .order_by("-at")[:_PAST]
    )
    document = journey.live_version.definition if journey.live_version else {}
    is_at_work = journey.status in (Journey.Status.LIVE, Journey.Status.PAUSED)
    following = upcoming(document) if is_at_work else []
    if not (past or following):
        return None
    jobs = [one.job for one in past if one.job is not None]
    reads = sees_pii(request.user, journey.brand_id)
    came = {one.job.pk: one for one in outcomes(journey, jobs, reads_personal=reads)}
    return {"next": following, "past": [_row(one, came.get(one.job.pk) if one.job else None) for one in past]}


def _row(one: Occurrence, came: Any) -> dict[str, Any]:
    schedule = _schedule(one.version.definition)
    # What was a schedule may be none by what holds today: a zone may be gone.
    return {"at": _told(one.at, schedule.zone if schedule else "UTC"), "occurrence": one, "came": came}


def _schedule(document: Mapping[str, Any]) -> Schedule | None:
    entry = document.get("entry")
    if not isinstance(entry, Mapping) or entry.get("kind") != "schedule":
        return None
    try:
        schedule = msgspec.convert(entry.get("schedule"), Schedule)
    except msgspec.ValidationError:
        return None
    return None if any(schedule_problems(schedule, "")) else schedule


def _told(at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    return f"{date_format(local, 'D')} {date_format(local, 'DATETIME_FORMAT')} ({zone})"
