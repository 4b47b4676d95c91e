"""May the last step of an end be walked? Whoever has been ended waits no more, and ends where it was said."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from customers.rules.errors import Problem
from journeys.definition import Definition
from journeys.ends import ends_of
from journeys.steps.base import Step
from journeys.steps.exit import Exit


def last_step_problems(definition: Definition, steps: Sequence[Step]) -> Iterator[Problem]:
    """All targets must exist."""
    by_id = {step.id: step for step in steps}
    for at, end in ends_of(definition):
        if end.last_step is None:
            continue
        pointer = f"{at}/last_step"
        for step in walked_from(end.last_step, by_id):
            if step.waits:
                yield Problem(
                    "last_step_waits",
                    pointer,
                    _("The way from “%(first)s” comes to “%(step)s”, which waits.")
                    % {"first": end.last_step, "step": step.id},
                    _("Lead it to an exit without a hold, a delay or whatever else may wait."),
                )
            elif isinstance(step, Exit) and step.state != end.state:
                yield Problem(
                    "last_step_state",
                    pointer,
                    _("The way from “%(first)s” ends in “%(found)s”, not in “%(said)s”.")
                    % {"first": end.last_step, "found": step.state, "said": end.state},
                    _("Lead it to an exit in the state in which this ends."),
                )


def walked_from(first: str, by_id: dict[str, Step]) -> list[Step]:
    """The step and all that a way from it may come to, up to those that wait."""
    found: dict[str, Step] = {}
    ahead = [first]
    while ahead:
        step = by_id[ahead.pop()]
        if step.id not in found:
            found[step.id] = step
            ahead += [] if step.waits else step.targets()
    return list(found.values())
