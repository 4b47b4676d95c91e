"""People called in by a list: handed in, looked at with nothing done, and called once a person says so."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from customers import audit, jobs
from customers.models import Job
from customers.pg import copy_rows, raw_cursor
from journeys.drafts import NotPossible
from journeys.entry.calls import KIND as CALL
from journeys.entry.calls import calls_of
from journeys.entry.list_lines import Line
from journeys.models import CallList, CallListRow, Journey

CHECK: Final = "check_call_list"
_ROW: Final = (
    ("parent_id", "uuid"),
    ("line", "int4"),
    ("value", "varchar"),
    ("data", "jsonb"),
    ("problem", "varchar"),
)


def hand_in(
    journey: Journey, kind: str, lines: Sequence[Line], columns: Sequence[str], now: datetime, *, by: AbstractBaseUser
) -> CallList:
    """Keep the list and have it looked at."""
    with transaction.atomic():
        if journey.status != Journey.Status.LIVE:
            raise NotPossible(_("The journey is not live."))
        made = CallList.objects.create(
            journey=journey,
            kind=kind,
            columns=list(columns),
            lines=len(lines),
            created_by=by,  # type: ignore[misc]  # the user model is Django's own
            created_at=now,
        )
        with raw_cursor() as cursor:
            rows = ((made.pk, one.number, one.value, Jsonb(dict(one.data)), str(one.problem)) for one in lines)
            copy_rows(cursor, "journeys_calllistrow", _ROW, rows)
        made.check_job = jobs.ask(
            CHECK,
            now,
            by=by,
            brand_id=journey.brand_id,
            squad_id=journey.squad_id,
            subject=journey.name[:200],
            arguments={"journey": str(journey.pk), "list": str(made.pk)},
            total=len(lines),
        )
        made.save(update_fields=("check_job",))
        told = {"lines": len(lines), "named_by": kind}
        audit.record(by, "hand_in_list", journey, None, told, brand=journey.brand, now=now)
    return made


def call(journey: Journey, list_id: UUID, now: datetime, *, by: AbstractBaseUser) -> Job:
    """Call in those whom the list names, once; raises NotPossible."""
    with transaction.atomic():
        locked = Journey.objects.select_for_update().select_related("brand").get(pk=journey.pk)
        if locked.status != Journey.Status.LIVE:
            raise NotPossible(_("The journey is not live."))
        if any(not job.is_over for job in calls_of(locked)):
            raise NotPossible(_("People are being called in already: wait until that is done, or stop that job."))
        chosen = CallList.objects.select_related("check_job").get(pk=list_id, journey=locked)
        if chosen.call_job_id is not None:
            raise NotPossible(_("This list was called already. Hand it in again to call it again."))
        if not is_looked_at(chosen):
            raise NotPossible(_("The list was not looked at yet."))
        chosen.call_job = jobs.ask(
            CALL,
            now,
            by=by,
            brand_id=locked.brand_id,
            squad_id=locked.squad_id,
            subject=locked.name[:200],
            arguments={"journey": str(locked.pk), "list": str(chosen.pk)},
        )
        chosen.save(update_fields=("call_job",))
        told = {"list": str(chosen.pk), "people": chosen.found.get("known", 0)}
        audit.record(by, "call_in", locked, None, told, brand=locked.brand, now=now)
    return chosen.call_job


def is_looked_at(chosen: CallList) -> bool:
    """Whether all of its lines were, by a job that nobody stopped and nothing kept from going on."""
    job = chosen.check_job
    return job is not None and job.state == Job.State.DONE and "stopped" not in job.report


def stop(chosen: CallList, now: datetime, *, by: AbstractBaseUser) -> bool:
    """Stop whatever is done with the list; what is done stays done."""
    stopped = [jobs.cancel(id_, now) for id_ in (chosen.check_job_id, chosen.call_job_id) if id_ is not None]
    if any(stopped):
        journey = chosen.journey
        audit.record(by, "stop_list", journey, None, {"list": str(chosen.pk)}, brand=journey.brand, now=now)
    return any(stopped)


def note_found(chosen: CallList, problems: Counter[str], reasons: Counter[str]) -> None:
    """Add to what was found of the lines so far."""
    chosen.found = dict(Counter(chosen.found) + problems)
    chosen.reasons = dict(Counter(chosen.reasons) + reasons)
    chosen.save(update_fields=("found", "reasons"))


def rows_of(chosen: CallList, after: int, most: int) -> list[CallListRow]:
    return list(CallListRow.objects.filter(parent=chosen, line__gt=after).order_by("line")[:most])
