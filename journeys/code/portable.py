"""Which limits of other platforms a journey would break: to know before it has to be moved there.

The figures are those that the platforms documented in 2025; where their pages disagree, the lower one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from journeys.definition import Definition
from journeys.steps.base import Step
from journeys.steps.delay import Delay
from journeys.steps.hold import Hold
from journeys.steps.random_split import RandomSplit
from journeys.steps.webhook import Webhook


@dataclass(frozen=True, slots=True)
class Measure:
    """What of a journey is measured: the largest, and where it stands."""

    label: str | Promise
    of: Callable[[Definition, list[Step]], Iterator[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class Broken:
    platform: str
    pointer: str
    what: str | Promise
    found: float
    most: float


def _steps(_definition: Definition, steps: list[Step]) -> Iterator[tuple[str, float]]:
    yield "/steps", len(steps)


def _names(_definition: Definition, steps: list[Step]) -> Iterator[tuple[str, float]]:
    yield from ((f"/steps/{n}/id", len(step.id)) for n, step in enumerate(steps))


def _branches(_definition: Definition, steps: list[Step]) -> Iterator[tuple[str, float]]:
    yield from ((f"/steps/{n}", len(step.targets())) for n, step in enumerate(steps) if len(step.targets()) > 1)


def _arms(_definition: Definition, steps: list[Step]) -> Iterator[tuple[str, float]]:
    yield from ((f"/steps/{n}/arms", len(step.arms)) for n, step in enumerate(steps) if isinstance(step, RandomSplit))


def _waits(_definition: Definition, steps: list[Step]) -> Iterator[tuple[str, float]]:
    """In days."""
    for n, step in enumerate(steps):
        if isinstance(step, Hold):
            yield f"/steps/{n}/timeout", step.timeout.after / timedelta(days=1)
        if isinstance(step, Delay) and step.after:
            yield f"/steps/{n}/after", step.after / timedelta(days=1)


def _exits(definition: Definition, _steps: list[Step]) -> Iterator[tuple[str, float]]:
    yield "/exit_events", len(definition.exit_events)


def _attempts(_definition: Definition, steps: list[Step]) -> Iterator[tuple[str, float]]:
    for n, step in enumerate(steps):
        if isinstance(step, Webhook):
            yield from ((f"/steps/{n}/retry/{m}", one.max_attempts) for m, one in enumerate(step.retry))


def _age(definition: Definition, _steps: list[Step]) -> Iterator[tuple[str, float]]:
    """In days."""
    if definition.timeout is not None:
        yield "/timeout", definition.timeout.after / timedelta(days=1)


def _reentry(definition: Definition, _steps: list[Step]) -> Iterator[tuple[str, float]]:
    """In days."""
    if definition.entry.reentry_after is not None:
        yield "/entry/reentry_after", definition.entry.reentry_after / timedelta(days=1)


STEPS = Measure(_("steps"), _steps)
NAMES = Measure(_("characters of a step’s name"), _names)
BRANCHES = Measure(_("ways on from a step"), _branches)
ARMS = Measure(_("arms of a randomized split"), _arms)
WAITS = Measure(_("days of waiting at a step"), _waits)
EXITS = Measure(_("exits by event"), _exits)
ATTEMPTS = Measure(_("further attempts at another system"), _attempts)
AGE = Measure(_("days until a run ends at the latest"), _age)
REENTRY = Measure(_("days until somebody may come again"), _reentry)

LIMITS: Final[dict[str, tuple[tuple[Measure, float], ...]]] = {
    "Segment Journeys": ((STEPS, 50), (NAMES, 73), (BRANCHES, 5), (ARMS, 5), (WAITS, 182), (EXITS, 10), (AGE, 365)),
    "Braze Canvas": ((STEPS, 200), (BRANCHES, 8), (ARMS, 4), (WAITS, 30)),
    "Adobe Journey Optimizer": ((STEPS, 50), (WAITS, 29), (AGE, 91), (REENTRY, 90), (ATTEMPTS, 3)),
    "Customer.io": ((BRANCHES, 4),),
    "AWS Step Functions": ((NAMES, 80), (WAITS, 365), (AGE, 365)),
}


def broken_limits(definition: Definition, steps: list[Step]) -> Iterator[Broken]:
    for platform, limits in LIMITS.items():
        for measure, most in limits:
            pointer, found = max(measure.of(definition, steps), key=lambda one: one[1], default=("", 0.0))
            if found > most:
                yield Broken(platform, pointer, measure.label, found, most)
