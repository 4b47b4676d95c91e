"""What a plan would do, before anything is done: who stands where, what they lack for the new version, until when they
would wait."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import Count

from customers.pg import raw_cursor
from journeys.changeover import PlanRow
from journeys.compiling import version
from journeys.engine.changeovers import deadline
from journeys.engine.runs import RunState, people_of, standing_at, variables_of
from journeys.models import Journey, JourneyVersion, Run
from journeys.needs import read_from
from journeys.version import Version

# Of those who stand at a step, so many are looked at.
LOOKED_AT: Final = 1_000


@dataclass(slots=True)
class Place:
    """A step at which `count` people stand. `row` is what the plan says of them."""

    version: int
    step: str
    state: str
    count: int
    row: PlanRow
    # Steps of the new version to which they may be moved: those that wait, in a state that may follow.
    choices: list[str] = field(default_factory=list)
    effect: "Effect | None" = None


@dataclass(slots=True)
class Effect:
    """Of a move, as far as `looked_at` people tell: by name, how many lack a property that is read from there on; and
    until when they would wait."""

    looked_at: int
    missing: list[tuple[str, int]]
    first: datetime | None
    last: datetime | None
    at_once: int
    is_other_wait: bool


def places(journey: Journey, to: Version | None, plan: Sequence[PlanRow], now: datetime) -> list[Place]:
    """Where people stand, the latest version first. Without a version that could be published they can but stay."""
    said = {(row.version, row.step): row for row in plan}
    live = Run.objects.filter(journey_id=journey.pk, status=Run.Status.ACTIVE).order_by()
    counts = list(live.values_list("version_id", "step").annotate(count=Count("pk")))
    numbers = dict(JourneyVersion.objects.filter(pk__in={one[0] for one in counts}).values_list("pk", "number"))
    found = []
    for version_id, index, count in sorted(counts, key=lambda one: (-numbers[one[0]], one[1])):
        of = version(version_id)
        step = of.steps[index]
        row = said.get((numbers[version_id], step.id), PlanRow(version=numbers[version_id], step=step.id))
        place = Place(numbers[version_id], step.id, step.state, count, row)
        if to is not None:
            place.choices = [one.id for one in to.steps if one.waits and _may_follow(to, step.state, one.state)]
            if row.then == "move" and row.to in to.index:
                place.effect = _effect(journey, version_id, index, row, to, now)
        found.append(place)
    return found


def _may_follow(to: Version, before: str, after: str) -> bool:
    return before == after or (before, after) in set(to.definition.transitions)


def _effect(journey: Journey, version_id: int, index: int, row: PlanRow, to: Version, now: datetime) -> Effect:
    with raw_cursor() as cursor:
        runs = standing_at(cursor, journey.pk, version_id, index, LOOKED_AT)
        carried = variables_of(cursor, [run.id for run in runs])
        people = people_of(cursor, {run.customer_id for run in runs})
    ends: list[tuple[RunState, datetime | None]] = []
    for run in runs:
        facts = people.facts(run.customer_id, to, carried.get(run.id, {}))
        ends.append((run, deadline(run, row, to, facts, now)))
    waits = [end for _run, end in ends if end is not None and end > now]
    return Effect(
        looked_at=len(runs),
        missing=_missing(carried.values(), sorted(read_from(to, to.index[row.to or ""]))),
        first=min(waits, default=None),
        last=max(waits, default=None),
        at_once=len(ends) - len(waits),
        is_other_wait=any(end != run.due_at for run, end in ends),
    )


def _missing(carried: Iterable[dict[str, object]], names: Sequence[str]) -> list[tuple[str, int]]:
    with_them = list(carried)
    counts = [(name, sum(one.get(name) is None for one in with_them)) for name in names]
    return [(name, count) for name, count in counts if count]
