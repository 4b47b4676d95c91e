"""The outcome by which a journey names an end in reports, found from what a run's history keeps of it."""

from journeys.definition import Definition
from journeys.models import EXITS, Cause
from journeys.steps.base import Step
from journeys.steps.exit import Exit


def of_exit(definition: Definition, cause: int, number: int | None, *, is_by_event: bool) -> str:
    """What the journey calls the end by this exit. One that somebody asked for by API has no number, and so no name."""
    if cause not in EXITS:
        return ""
    if cause == Cause.EXPIRED:
        return definition.timeout.outcome if definition.timeout else ""
    if number is None:
        return ""
    return definition.exit_events[number].outcome if is_by_event else definition.exit_rules[number].outcome


def of_step(step: Step) -> str:
    """What the journey calls the end of the way that ends at this step."""
    return step.outcome if isinstance(step, Exit) else ""
