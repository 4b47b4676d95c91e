"""Replaying or discarding all that a filter of the quarantine shows, as a job: in pieces, and as whoever asked may."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from customers import jobs, quarantine
from customers.jobs import Slice
from customers.models import Job, QuarantinedEvent
from customers.models.owned import OwnedQuerySet

if TYPE_CHECKING:
    from customers.sight import Person

REPLAY: Final = "quarantine_replay"
DISCARD: Final = "quarantine_discard"
# Of how many days the list may be.
SINCE_DAYS: Final = ("1", "7", "30")
_PIECE: Final = 200
_OPEN: Final = QuarantinedEvent.Status.OPEN.value


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a filter shows: each part narrows it, empty ones do not. `through` keeps out what comes later."""

    code: str = ""
    source: str = ""
    door: str = ""
    since: str = ""
    term: str = ""
    through: int = 0

    def rows(self, user: "Person") -> OwnedQuerySet[QuarantinedEvent]:
        """Those still open that this person may settle."""
        rows = QuarantinedEvent.objects.changeable_by(user)
        if self.term:
            rows = quarantine.found_by(self.term, rows, user)
        wanted = {"code": self.code, "source_id": self.source, "door": self.door, "received_at__gte": self.since}
        lookups = {name: value for name, value in wanted.items() if value}
        return rows.filter(status=QuarantinedEvent.Status.OPEN, pk__lte=self.through, **lookups)


def chosen(shown: Mapping[str, str], now: datetime) -> Chosen | None:
    """The filter of a list's address; None where it asks for what a job does not know."""
    known = {"code": "code", "source__id__exact": "source", "door": "door", "q": "term"}
    if set(shown) - set(known) - {"status__exact", "received", "o", "p", "all"}:
        return None
    if shown.get("status__exact", _OPEN) != _OPEN:
        # What is settled already stays so.
        return None
    days = shown.get("received", "")
    if days and days not in SINCE_DAYS:
        # The list shows rows of any age then: what is done must be what was shown.
        return None
    last = QuarantinedEvent.objects.aggregate(last=Max("pk"))["last"] or 0
    since = (now - timedelta(days=int(days))).isoformat() if days else ""
    return Chosen(**{part: shown[name] for name, part in known.items() if name in shown}, since=since, through=last)


def ask_to_replay(which: Chosen, user: Any, now: datetime) -> Job:
    return jobs.ask(REPLAY, now, by=user, arguments=asdict(which))


def ask_to_discard(which: Chosen, reason: QuarantinedEvent.Reason, user: Any, now: datetime) -> Job:
    return jobs.ask(DISCARD, now, by=user, arguments=asdict(which) | {"reason": reason.value})


def _replay(ids: list[int], slice_: Slice) -> None:
    result = quarantine.replay(ids, slice_.now)
    stay: dict[str, int] = slice_.job.report.setdefault("stay", {})
    for refusal in result.refusals.values():
        stay[refusal.code] = stay.get(refusal.code, 0) + 1
    slice_.job.report["accepted"] = slice_.job.report.get("accepted", 0) + result.replayed


def _discard(ids: list[int], slice_: Slice) -> None:
    reason = QuarantinedEvent.Reason(slice_.job.arguments["reason"])
    count = quarantine.discard(QuarantinedEvent.objects.filter(pk__in=ids), reason, slice_.now)
    slice_.job.report["discarded"] = slice_.job.report.get("discarded", 0) + count


def _in_pieces(settle: Callable[[list[int], Slice], None]) -> jobs.Worker:
    def work(slice_: Slice) -> bool:
        job = slice_.job
        if job.asked_by is None:
            # Nobody is left by whose rights it could be done.
            return True
        which = Chosen(**{name: value for name, value in job.arguments.items() if name != "reason"})
        rows = which.rows(job.asked_by)
        if job.total is None:
            slice_.note(total=rows.count())
        while slice_.has_time:
            with transaction.atomic():
                ahead = rows.filter(pk__gt=job.cursor.get("after", 0)).order_by("pk")
                ids = list(ahead.values_list("pk", flat=True)[:_PIECE])
                if not ids:
                    return True
                settle(ids, slice_)
                slice_.note(done=job.done + len(ids), after=ids[-1])
        return False

    return work


def register() -> None:
    jobs.register(REPLAY, _("Replay what was refused"), _in_pieces(_replay))
    jobs.register(DISCARD, _("Discard what was refused"), _in_pieces(_discard))
