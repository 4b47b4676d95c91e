"""Runs and refused entries on the timeline."""

from typing import Final

from django.utils.translation import gettext as _

from analytics.timeline.entry import Entry, Place, Scope, beyond
from journeys.models import EntryRefusal, Journey, Run

_Status = Run.Status
_TONES: Final = {_Status.COMPLETED: "good", _Status.FAILED: "bad", _Status.EXPIRED: "warn", _Status.MERGED: "warn"}


def runs_entered(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    return [_run(run, "run_entered") for run in _runs(scope, after, "run_entered", "entered_at", limit)]


def runs_ended(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    return [_run(run, "run_ended") for run in _runs(scope, after, "run_ended", "ended_at", limit)]


def _runs(scope: Scope, after: Place | None, stream: str, time: str, limit: int) -> list[Run]:
    rows = scope.see(Run).filter(scope.of_brands("journey__brand_id"), profile_id__in=scope.profiles)
    return list(beyond(rows.select_related("journey", "version"), after, stream, time, limit))


def _run(run: Run, stream: str) -> Entry:
    """Its beginning or its end, told by the stream."""
    status = _Status(run.status)
    begun = run.ended_at is None or stream == "run_entered"
    values = {"number": run.version.number, "status": status.label}
    key = {_("entry key"): run.entry_key} if run.entry_key else {}
    return Entry(
        place=Place(run.entered_at if begun or run.ended_at is None else run.ended_at, stream, str(run.pk)),
        kind="run",
        title=run.journey.name,
        text=_("entered, version %(number)s") % values if begun else _("ended: %(status)s") % values,
        link=("journeys_run", run.pk),
        brand_id=run.journey.brand_id,
        tone="" if begun else _TONES.get(status, ""),
        detail=key,
    )


def refusals(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    rows = scope.see(EntryRefusal).filter(profile_id__in=scope.profiles)
    if scope.brands is not None:
        journeys = Journey.objects.filter(brand_id__in=list(scope.brands))
        rows = rows.filter(journey_id__in=journeys.order_by().values("pk"))
    found = list(beyond(rows, after, "refusal", "at", limit))
    journeys_by_id = Journey.objects.in_bulk({refusal.journey_id for refusal in found})
    return [_refusal(refusal, journeys_by_id[refusal.journey_id]) for refusal in found]


def _refusal(refusal: EntryRefusal, journey: Journey) -> Entry:
    return Entry(
        place=Place(refusal.at, "refusal", str(refusal.pk)),
        kind="refusal",
        title=journey.name,
        text=_("not let in: %(reason)s") % {"reason": refusal.get_reason_display()},
        link=("journeys_entryrefusal", refusal.pk),
        brand_id=journey.brand_id,
        tone="warn",
        detail={_("entry key"): refusal.entry_key} if refusal.entry_key else {},
    )
