"""A small group first: who is in it, and the word of a person that lets everybody in or nobody more."""

from datetime import datetime
from typing import Any, Final

import msgspec
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from customers import audit
from journeys import halting
from journeys.drafts import NotPossible
from journeys.entry.parts import Ramp
from journeys.models import EntryRefusal, Journey, JourneyVersion, Run

# More kept outside are “more than”.
_COUNTED: Final = 100_000


def standing_ramp(journey: Journey) -> Ramp | None:
    """The ramp by which people come in now; None without one, or once everybody is let in."""
    written = written_ramp(journey.live_version)
    return None if written is None or written == journey.ramp_over else msgspec.convert(written, Ramp)


def written_ramp(version: JourneyVersion | None) -> dict[str, Any] | None:
    """As the version has it."""
    return version.definition["entry"].get("ramp") if version is not None else None


def let_everybody_in(journey: Journey, *, by: AbstractBaseUser | None, now: datetime) -> None:
    """From now on, by this version and later ones of the same ramp; who was refused comes with their next event."""
    with transaction.atomic():
        locked = _with_ramp(journey)
        before, locked.ramp_over = locked.ramp_over, written_ramp(locked.live_version)
        locked.save(update_fields=("ramp_over",))
        audit.record(
            by, "let_everybody_in", locked, {"ramp_over": before}, {"ramp_over": locked.ramp_over},
            brand=locked.brand, now=now,
        )  # fmt: skip
    journey.ramp_over = locked.ramp_over


def stop(journey: Journey, *, by: AbstractBaseUser | None, now: datetime) -> None:
    """Let nobody more in: the journey is paused, and who is in it goes on. Resumed, the ramp stands as it did."""
    with transaction.atomic():
        _with_ramp(journey)
        halting.pause(journey, by=by, now=now)


def _with_ramp(journey: Journey) -> Journey:
    locked = Journey.objects.select_for_update(of=("self",)).select_related("live_version", "brand").get(pk=journey.pk)
    if standing_ramp(locked) is None:
        raise NotPossible(_("Everybody is let in already."))
    return locked


def group_numbers(journey: Journey) -> dict[str, Any]:
    """How the group fares: runs of all versions with this ramp, by where they stand, and how many were kept outside."""
    ramp = written_ramp(journey.live_version)
    versions = {one.pk: one for one in journey.versions.all() if written_ramp(one) == ramp}
    counts = {"entered": 0, "on_their_way": 0, "success": 0, "failure": 0}
    rows = Run.objects.filter(journey_id=journey.pk, version_id__in=versions).order_by()
    for version_id, status, state, runs in rows.values_list("version_id", "status", "state").annotate(n=Count("id")):
        kind = versions[version_id].definition["states"][state].get("kind", "active")
        counts["entered"] += runs
        if status == Run.Status.ACTIVE:
            counts["on_their_way"] += runs
        elif kind in ("success", "failure"):
            counts[kind] += runs
    outside = EntryRefusal.objects.filter(
        journey_id=journey.pk, version_id__in=versions, reason=EntryRefusal.Reason.OUTSIDE_RAMP
    )
    people = outside.values("profile_id").distinct()[: _COUNTED + 1].count()
    return counts | {"outside": min(people, _COUNTED), "is_more": people > _COUNTED}
