"""Pausing, resuming, archiving and bringing back a journey, each with a word on those who are in it.

Once `pause` or `archive` has returned, what they stop has stopped: no call to a provider of it begins any more (see
`channels.stops`), and none of its timers runs out. Runs are brought back or ended by the engine, batch by batch.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from channels import stops
from channels.models import SendStop
from customers import audit, bells
from journeys.drafts import NotPossible
from journeys.entry import occurrences
from journeys.models import Halt, Journey

# What a journey's own verbs set a stop by, so that they lift no other.
_PAUSED: Final = "paused"
_ARCHIVED: Final = "archived"

Waiting = Halt.Waiting


def pause(journey: Journey, *, by: AbstractBaseUser | None, now: datetime, waiting: Waiting | None = None) -> None:
    """Let nobody in for now. Who is in it rests as `waiting` says, and is sent nothing; without it, they go on."""
    if waiting == Waiting.END:
        raise ValueError("a pause ends nobody's run")
    if journey.status != Journey.Status.LIVE:
        raise NotPossible(_("The journey is not live."))
    with transaction.atomic():
        _change_status(journey, Journey.Status.PAUSED, by=by, now=now, action="pause", more={"waiting": waiting or ""})
        if waiting:
            if Halt.objects.filter(journey=journey, settled_at=None).exists():
                raise NotPossible(_("Those who are in it are still being brought back: wait a moment."))
            _halt(journey, waiting, by, now)
    if waiting:
        stops.stop(journey.pk, by.pk if by else None, _PAUSED, now)


def resume(journey: Journey, *, by: AbstractBaseUser | None, now: datetime) -> None:
    """Let people in again; who rests is brought back, and what was held is sent if it is not too late."""
    if journey.status != Journey.Status.PAUSED:
        raise NotPossible(_("The journey is not paused."))
    with transaction.atomic():
        _change_status(journey, Journey.Status.LIVE, by=by, now=now, action="resume")
        _bring_back(journey, now)
    _release(journey, _PAUSED, now)


def archive(journey: Journey, *, by: AbstractBaseUser | None, now: datetime, end: bool) -> None:
    """Let nobody in any more. Live runs go on to their ends, those that rested too; with `end`, they end now."""
    with transaction.atomic():
        more = {"runs_ended": end}
        _change_status(journey, Journey.Status.ARCHIVED, by=by, now=now, action="archive", more=more)
        if end:
            # Nobody is brought back who is to end.
            Halt.objects.filter(journey=journey, settled_at=None).update(settled_at=now)
            _halt(journey, Waiting.END, by, now)
        else:
            _bring_back(journey, now)
    if end:
        stops.stop(journey.pk, by.pk if by else None, _ARCHIVED, now)
        bells.ring("engine")
    else:
        _release(journey, _PAUSED, now)


def unarchive(journey: Journey, *, by: AbstractBaseUser | None, now: datetime) -> None:
    """Bring an archived journey back, paused if it was ever live; runs that were ended stay so."""
    if journey.status != Journey.Status.ARCHIVED:
        raise NotPossible(_("The journey is not archived."))
    status = Journey.Status.PAUSED if journey.live_version_id else Journey.Status.DRAFT
    _change_status(journey, status, by=by, now=now, action="unarchive")
    _release(journey, _ARCHIVED, now)
    _release(journey, _PAUSED, now)


def standing(journey: Journey) -> Halt | None:
    """The halt under which those in the journey rest, or are just being brought back or ended."""
    return Halt.objects.filter(journey=journey, settled_at=None).first()


def _halt(journey: Journey, waiting: Waiting, by: AbstractBaseUser | None, now: datetime) -> None:
    Halt.objects.create(
        journey=journey,
        waiting=waiting,
        since=now,
        halted_by=by,  # type: ignore[misc]  # the user model is Django's own
    )


def _bring_back(journey: Journey, now: datetime) -> None:
    if Halt.objects.filter(journey=journey, resumed_at=None, settled_at=None).update(resumed_at=now):
        bells.ring("engine")


def _release(journey: Journey, reason: str, now: datetime) -> None:
    if SendStop.objects.filter(scope_id=journey.pk, released_at=None, reason=reason).exists():
        stops.release(journey.pk, now)
        bells.ring("dispatch")


def _change_status(
    journey: Journey,
    status: Journey.Status,
    *,
    by: AbstractBaseUser | None,
    now: datetime,
    action: str,
    more: Mapping[str, Any] | None = None,
) -> None:
    with transaction.atomic():
        locked = Journey.objects.select_for_update().get(pk=journey.pk)
        # What has come by its schedule so far came while it stood as it does.
        occurrences.settle_all(locked, now)
        before, locked.status = locked.status, status
        locked.save(update_fields=("status",))
        if status == Journey.Status.ARCHIVED:
            occurrences.forget(locked)
        elif before == Journey.Status.ARCHIVED and locked.live_version is not None:
            occurrences.plan(locked, locked.live_version, now)
        after = {"status": status.value, **(more or {})}
        audit.record(by, action, locked, {"status": before}, after, brand=locked.brand, now=now)
    journey.status = status
