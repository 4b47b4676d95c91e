"""Carrying out an erasure as a job: in pieces, gone on with by any worker, twice through all stores."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.models import Erasure, PrivacyRequest
from consent.privacy import requests
from customers import jobs
from customers.jobs import Slice
from customers.models import Job, Profile
from customers.privacy import erase
from customers.privacy.erase import GrewMeanwhile
from customers.privacy.subject import Subject
from customers.sealing import open_sealed, seal

if TYPE_CHECKING:
    from customers.sight import Person

ERASE: Final = "erase"
_HELD_UP: Final = timedelta(seconds=30)
_PASSES: Final = 2


class MorePeople(Exception):
    """More people go by these names now than were shown to whoever confirmed it."""


def place(erasure: Erasure) -> str:
    return f"consent_erasure:{erasure.pk}:subject"


def ask(request: PrivacyRequest, now: datetime, by: "Person | None", *, shown: Sequence[UUID] | None = None) -> Job:
    """Have it done, by somebody who has seen what will go: these people, and no others. `shown` are they, where it was
    confirmed by what was looked at before: somebody may have been found to be the same person since. Confirmed again
    before it knew whom it takes, it is for those who were shown last."""
    if shown is None:
        shown = requests.subject_of(request).profiles
    with transaction.atomic():
        requests.begin_work(request, now, by)
        confirmed = {"by_id": by.pk if by else None, "begun_at": now, "shown": list(shown)}
        _erasure, is_new = Erasure.objects.get_or_create(
            request=request, defaults={"brand_id": request.brand_id, **confirmed}
        )
        if not is_new:
            # The request's row is locked: nobody else confirms it, and no job works on it.
            Erasure.objects.filter(request=request, subject=b"", finished_at=None).update(**confirmed)
        job = jobs.ask(ERASE, now, by=by, brand_id=request.brand_id, arguments={"request": str(request.pk)})
        PrivacyRequest.objects.filter(pk=request.pk).update(job=job)
    request.job = job
    return job


def subject_of(request: PrivacyRequest) -> Subject:
    """Whom it is about; once it has begun, whom it sealed."""
    begun = Erasure.objects.filter(request=request).first()
    if begun is not None and begun.subject:
        return Subject.from_json(open_sealed(bytes(begun.subject), place(begun)))
    return requests.subject_of(request)


def work(turn: Slice) -> bool:
    """A slice: the person is looked for and sealed, begun with, then step after step; whether all is done."""
    request = PrivacyRequest.objects.get(pk=turn.job.arguments["request"])
    erasure = Erasure.objects.get(request=request)
    try:
        subject = _subject(request, erasure, turn)
    except MorePeople:
        _ask_again(request, erasure, turn)
        return True
    if not turn.job.cursor.get("begun"):
        try:
            subject = erase.begin(subject, turn.now, tell=lambda key, count: _count(erasure, key, count))
        except GrewMeanwhile:
            Erasure.objects.filter(pk=erasure.pk).update(subject=b"")
            return False
        turn.note(begun=True, step=0, round=1, total=len(erase.steps()) * _PASSES)
    if not _go_through(turn, erasure, subject):
        return False
    if erase.held_up(subject):
        turn.rest = _HELD_UP
        turn.note(step=0)
        return False
    if turn.job.cursor["round"] < _PASSES:
        turn.rest = timedelta(seconds=settings.ERASURE_SETTLE_SECONDS)
        turn.note(step=0, round=turn.job.cursor["round"] + 1)
        return False
    _finish(request, erasure, turn)
    return True


def _subject(request: PrivacyRequest, erasure: Erasure, turn: Slice) -> Subject:
    """Looked for once and sealed: soon nobody could find them any more."""
    if erasure.subject:
        return Subject.from_json(open_sealed(bytes(erasure.subject), place(erasure)))
    found = requests.subject_of(request)
    # Whoever comes up after it was confirmed is a new trace of the same person; whoever was there before is another.
    others = Profile.objects.filter(pk__in=set(found.profiles) - set(erasure.shown), created_at__lte=erasure.begun_at)
    if others.exists():
        raise MorePeople
    held = found.as_json() | {"at": turn.now.isoformat()}
    erasure.subject = seal(held, place(erasure))
    erasure.identifiers, erasure.addresses = len(found.names), len(found.reached)
    erasure.save(update_fields=["subject", "identifiers", "addresses"])
    return Subject.from_json(held)


def _ask_again(request: PrivacyRequest, erasure: Erasure, turn: Slice) -> None:
    """Nothing was erased yet: whoever confirmed it looks again, or refuses it."""
    with transaction.atomic():
        erasure.delete()
        turn.job.report = {"more_people": True}
        note = _("Nothing was erased: more people go by these names now than were shown. Look again at what will go.")
        requests.give_up(request, turn.now, note)


def _go_through(turn: Slice, erasure: Erasure, subject: Subject) -> bool:
    """The steps from where the last slice stopped; whether that was the last of them."""
    todo = erase.steps()
    while (number := turn.job.cursor["step"]) < len(todo):
        if not turn.has_time:
            return False
        step = todo[number]
        with transaction.atomic():
            reached, after = number + 1, None
            if step.spoken is not None:
                count, after = erase.mask(step, subject, turn.job.cursor.get("after"))
                reached -= after is not None
                key = erase.OF_OTHERS
            else:
                count, key = erase.take(step, subject, turn.now), step.store.key
                reached -= count > 0
            if count:
                _count(erasure, key, count)
            turn.note(step=reached, after=after, done=(turn.job.cursor["round"] - 1) * len(todo) + reached)
    return True


def _count(erasure: Erasure, key: str, count: int) -> None:
    erasure.counts[key] = erasure.counts.get(key, 0) + count
    erasure.save(update_fields=["counts"])


def _finish(request: PrivacyRequest, erasure: Erasure, turn: Slice) -> None:
    with transaction.atomic():
        erasure.finished_at, erasure.shown, erasure.subject = turn.now, [], b""
        erasure.save(update_fields=["finished_at", "shown", "subject"])
        PrivacyRequest.objects.filter(pk=request.pk).update(subject=[])
        request.steps.exclude(note="").update(note="")
        turn.job.report = {"rows": sum(erasure.counts.values()), **erasure.counts}
        requests.finish(request, turn.now, erasure.by)


def given_up(job: Job) -> None:
    request = PrivacyRequest.objects.filter(pk=job.arguments.get("request"), state=PrivacyRequest.State.WORKING).first()
    if request is not None and job.ended_at is not None:
        requests.give_up(request, job.ended_at, _("The job failed or was stopped; carry it out again to go on."))


def register() -> None:
    jobs.register(ERASE, gettext_lazy("Erase a person"), work, given_up=given_up)
