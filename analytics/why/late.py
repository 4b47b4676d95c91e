"""Events that a hold waited for and that were heard of after its time: stored, and no step is opened again for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from analytics.why.records import Way, customer_profiles
from customers.models import Event
from journeys.models import Cause

_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Late:
    """An event that happened while the step waited, and was received when it did so no longer."""

    step: str
    over_at: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class _Waited:
    step: str
    names: frozenset[str]
    until: datetime


def late_events(way: Way) -> list[Late]:
    """Each under the first hold that it was too late for, in the order of receipt."""
    entry = way.entry_event
    waits = [] if entry is None else _waits(way)
    if not waits or entry is None:
        return []
    found = Event.objects.filter(
        profile_id__in=customer_profiles(way.run.profile_id),
        brand_id=way.run.journey.brand_id,
        name__in={name for wait in waits for name in wait.names},
        occurred_at__gt=entry.occurred_at,
        occurred_at__lte=max(wait.until for wait in waits),
        received_at__gt=min(wait.until for wait in waits),
        historical=False,
    )
    told = ((event, _first(waits, event)) for event in found.select_related("source").order_by("received_at", "pk"))
    return [Late(wait.step, wait.until, event) for event, wait in told if wait is not None][:_MOST]


def _waits(way: Way) -> list[_Waited]:
    """The holds whose time ran out, each with what it waited for."""
    found = []
    for move in way.moves:
        if move.cause != Cause.TIMED_OUT or move.step_from is None:
            continue
        step = way.left[move.seq].steps[move.step_from]
        names = frozenset(match.event for match in step.awaits())
        found.append(_Waited(step.id, names, move.at))
    return found


def _first(waits: Sequence[_Waited], event: Event) -> _Waited | None:
    for wait in waits:
        if event.name in wait.names and event.occurred_at <= wait.until < event.received_at:
            return wait
    return None
