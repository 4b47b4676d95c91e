"""Somebody of the staff lets a segment into a journey now."""

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from customers import audit
from customers.models import Job, Segment
from journeys.drafts import NotPossible
from journeys.entry.calls import call_in, calls_of
from journeys.models import Journey


def offered(journey: Journey) -> list[Segment]:
    """Segments of its brand of which it is known who is in them."""
    return list(Segment.objects.filter(brand_id=journey.brand_id, state=Segment.State.LIVE).order_by("name")[:500])


def call_by_hand(journey: Journey, key: str, now: datetime, *, by: AbstractBaseUser | None) -> Job:
    """Call in everybody who is in the segment of this key; one call at a time. Raises NotPossible."""
    with transaction.atomic():
        locked = Journey.objects.select_for_update().get(pk=journey.pk)
        if locked.status != Journey.Status.LIVE:
            raise NotPossible(_("The journey is not live."))
        if any(not job.is_over for job in calls_of(locked)):
            raise NotPossible(_("People are being called in already: wait until that is done, or stop that job."))
        there = Segment.objects.filter(brand_id=locked.brand_id, key=key, state=Segment.State.LIVE)
        if (segment := there.first()) is None:
            raise NotPossible(_("There is no such segment, or nobody knows yet who is in it."))
        job = call_in(locked, segment, now, by=by)
        audit.record(by, "call_in", locked, None, {"segment": key}, brand=locked.brand, now=now)
    return job
