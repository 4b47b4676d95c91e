"""Long work in slices: a job is claimed, worked on for some seconds, and put back with where it stands.

Each kind of job registers a worker. It is called with a `Slice` until it says that nothing is left; it commits its own
work in pieces and notes after each how far it is. A slice is counted before it is worked on; whoever comes back after
its lease has run out finds that it is no longer theirs.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils.functional import Promise

from customers import bells
from customers.attempts import MAX_ATTEMPTS
from customers.models import Job
from customers.work import describe, is_passing

LEASE: Final = timedelta(seconds=60)
SLICE_SECONDS: Final = 15.0
_UNDER_WAY: Final = (Job.State.WAITING, Job.State.WORKING)

logger = logging.getLogger(__name__)


class NoLongerOurs(Exception):
    """The job was cancelled, or another worker has taken it over."""


@dataclass(slots=True)
class Slice:
    """One turn at a job. `now` is when it began; work as long as `has_time`. The next comes after `rest` at the
    earliest, for whoever has to wait for others."""

    job: Job
    now: datetime
    until: float
    rest: timedelta = timedelta(0)

    @property
    def has_time(self) -> bool:
        return time.monotonic() < self.until

    def hold(self, span: timedelta) -> None:
        """Keep others away for longer than a slice, before a piece of work that cannot be cut."""
        if not _held(self.job).update(leased_until=self.now + span):
            raise NoLongerOurs

    def note(self, *, done: int | None = None, total: int | None = None, **cursor: Any) -> None:
        """Keep how far it is, in the transaction of the piece of work that got there."""
        job = self.job
        if done is not None:
            job.done = done
        if total is not None:
            job.total = total
        job.cursor = {**job.cursor, **cursor}
        values = {"done": job.done, "total": job.total, "cursor": job.cursor, "report": job.report, "tries": 0}
        if not _held(job).update(**values):
            raise NoLongerOurs


# Works on a slice; whether the job is done.
Worker = Callable[[Slice], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """`given_up` is called for a job that failed or was stopped, in the transaction in which it ends so. One that
    `counts_members` of the segment in its arguments tells by its progress how many are in it."""

    label: "str | Promise"
    work: Worker
    given_up: Callable[[Job], None] | None = None
    counts_members: bool = False


_kinds: dict[str, Kind] = {}


def register(
    key: str,
    label: "str | Promise",
    work: Worker,
    *,
    given_up: Callable[[Job], None] | None = None,
    counts_members: bool = False,
) -> None:
    _kinds[key] = Kind(label, work, given_up, counts_members)


def kinds() -> Mapping[str, Kind]:
    return _kinds


def ask(kind: str, now: datetime, *, by: Any = None, once: bool = False, **fields: Any) -> Job:
    """Have a job done; with `once`, a waiting one with the same arguments is as good."""
    if once:
        waiting = Job.objects.filter(kind=kind, state=Job.State.WAITING, arguments=fields.get("arguments", {}))
        if (same := waiting.first()) is not None:
            return same
    job = Job.objects.create(kind=kind, asked_by=by, created_at=now, **fields)
    bells.ring("slow")
    return job


@transaction.atomic
def cancel(job_id: UUID, now: datetime) -> bool:
    """Stop a job that is not over; what it has done stays done."""
    job = Job.objects.select_for_update().filter(pk=job_id, state__in=_UNDER_WAY).first()
    if job is None:
        return False
    _end(job, Job.State.CANCELLED, now)
    return True


def work_on(clock: Callable[[], datetime], seconds: float) -> bool:
    """Work on whatever is to be done, the oldest first, a slice each; whether nothing is left."""
    until = time.monotonic() + seconds
    while (job := _claim(clock())) is not None:
        _work(job, clock, min(time.monotonic() + SLICE_SECONDS, until))
        if time.monotonic() > until:
            return not Job.objects.filter(state__in=_UNDER_WAY).exists()
    return True


@transaction.atomic
def _claim(now: datetime) -> Job | None:
    free = Job.objects.select_for_update(skip_locked=True).filter(state__in=_UNDER_WAY, kind__in=_kinds)
    # Who was put back stands behind whoever came before that, a fresh one among them.
    line = free.exclude(leased_until__gt=now).order_by(Coalesce("leased_until", "created_at"), "created_at")
    job = line.first()
    if job is None:
        return None
    if job.tries >= MAX_ATTEMPTS:
        _end(job, Job.State.FAILED, now, job.reason or "worker died")
        return _claim(now)
    job.tries += 1
    job.fence += 1
    job.state, job.leased_until = Job.State.WORKING, now + LEASE
    job.begun_at = job.begun_at or now
    job.save(update_fields=["tries", "fence", "state", "leased_until", "begun_at"])
    return job


def _work(job: Job, clock: Callable[[], datetime], until: float) -> None:
    now = clock()
    turn = Slice(job, now, until)
    try:
        is_done = _kinds[job.kind].work(turn)
    except NoLongerOurs:
        return
    except Exception as error:
        _after_failure(job, error, clock())
        return
    if is_done:
        _end(job, Job.State.DONE, clock())
    else:
        # To the end of the line: others have waited meanwhile. Whoever waits for others has tried nothing in vain.
        _held(job).update(leased_until=clock() + turn.rest, state=Job.State.WAITING, tries=0)


def _after_failure(job: Job, error: Exception, now: datetime) -> None:
    reason = describe(error)
    logger.warning("a job of kind %s failed: %s", job.kind, reason)
    if is_passing(error) and job.tries < MAX_ATTEMPTS:
        _held(job).update(leased_until=now, state=Job.State.WAITING, reason=reason)
        return
    _end(job, Job.State.FAILED, now, reason)


@transaction.atomic
def _end(job: Job, state: str, now: datetime, reason: str = "") -> None:
    is_ours = _held(job).update(
        state=state, ended_at=now, leased_until=None, reason=reason[:200], report=job.report, tries=job.tries
    )
    job.state, job.ended_at = state, now
    kind = _kinds.get(job.kind)
    if is_ours and state != Job.State.DONE and kind is not None and kind.given_up is not None:
        kind.given_up(job)


def _held(job: Job) -> Any:
    """The row, as long as it is this slice's."""
    return Job.objects.filter(pk=job.pk, fence=job.fence, state__in=_UNDER_WAY)
