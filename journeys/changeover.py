"""What becomes of the people on their way when a version is published: said step by step, and checked beforehand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from django.utils.translation import gettext as _
from msgspec import Struct

from customers.rules.errors import Problem
from journeys.compiling import version
from journeys.definition import Definition, InvalidDefinition
from journeys.models import Journey
from journeys.steps.base import Step
from journeys.version import Version

MOST_ROWS: Final = 2_000


class PlanRow(Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Of those who stand at `step` of version number `version`: they stay, are moved to step `to` of the new version,
    or are taken out. Moved, they have waited since they came to the old step, unless `wait` is anew."""

    version: int
    step: str
    then: Literal["stay", "move", "exit"] = "stay"
    to: str | None = None
    messages: Literal["cancel", "keep"] = "cancel"
    wait: Literal["go_on", "anew"] = "go_on"


class InvalidPlan(InvalidDefinition):
    """A plan that cannot be carried out; its pointers begin at the plan."""


def parse_plan(document: object) -> list[PlanRow]:
    """Decode a plan; raises InvalidPlan with the place of the first misfit."""
    try:
        rows = msgspec.convert(document, list[PlanRow])
    except msgspec.ValidationError as error:
        text, _at, path = str(error).partition(" - at `$")
        pointer = path.rstrip("`").replace(".", "/").replace("[", "/").replace("]", "")
        raise InvalidPlan([Problem("invalid_plan", pointer, text)]) from None
    if len(rows) > MOST_ROWS:
        text = _("A plan has at most %(most)s rows.") % {"most": MOST_ROWS}
        raise InvalidPlan([Problem("too_many_rows", "", text)])
    return rows


def check_plan(plan: Sequence[PlanRow], journey: Journey, definition: Definition, steps: Sequence[Step]) -> None:
    """Raises InvalidPlan where a row names what is not there, or would break the new version's rules."""
    problems = list(plan_problems(plan, versions_by_number(journey), definition, steps))
    if problems:
        raise InvalidPlan(problems)


def versions_by_number(journey: Journey) -> dict[int, int]:
    return dict(journey.versions.values_list("number", "pk"))


def plan_problems(
    plan: Sequence[PlanRow], versions: Mapping[int, int], definition: Definition, steps: Sequence[Step]
) -> Iterator[Problem]:
    told: set[tuple[int, str]] = set()
    for n, row in enumerate(plan):
        if (row.version, row.step) in told:
            text = _("What becomes of those at “%(step)s” is said twice.") % {"step": row.step}
            yield Problem("said_twice", f"/{n}/step", text, _("Leave one of them out."))
        told.add((row.version, row.step))
        if row.version not in versions:
            text = _("There is no version %(number)s of this journey.") % {"number": row.version}
            yield Problem("unknown_version", f"/{n}/version", text)
            continue
        former = version(versions[row.version])
        yield from _from_problems(row, f"/{n}", former)
        if row.then == "move":
            yield from _to_problems(row, f"/{n}", former, definition, {step.id: step for step in steps})
        elif row.to is not None:
            yield Problem("value_not_allowed", f"/{n}/to", _("Only who is moved goes to a step."), _("Leave it out."))


def _from_problems(row: PlanRow, at: str, former: Version) -> Iterator[Problem]:
    if row.step not in former.index:
        text = _("Version %(number)s has no step “%(step)s”.") % {"number": row.version, "step": row.step}
        yield Problem("unknown_step", f"{at}/step", text, _("Name a step by its id."))
    elif not former.steps[former.index[row.step]].waits:
        text = _("Nobody stands at “%(step)s”: it does not wait.") % {"step": row.step}
        yield Problem("no_wait", f"{at}/step", text, _("Name a step at which people wait."))


def _to_problems(
    row: PlanRow, at: str, former: Version, definition: Definition, steps: Mapping[str, Step]
) -> Iterator[Problem]:
    to = steps.get(row.to or "")
    if to is None:
        text = _("The new version has no step “%(step)s”.") % {"step": row.to or ""}
        yield Problem("unknown_step", f"{at}/to", text, _("Name a step of the new version at which people wait."))
    elif not to.waits:
        text = _("“%(step)s” does not wait, so nobody can be put there.") % {"step": to.id}
        yield Problem("no_wait", f"{at}/to", text, _("Choose the wait that leads there, or the one behind it."))
    elif row.step in former.index:
        state = former.steps[former.index[row.step]].state
        if state != to.state and (state, to.state) not in set(definition.transitions):
            text = _("From state “%(before)s” nobody may come to “%(after)s”, where “%(step)s” is.")
            hint = _("Choose a step in a state that may follow, or allow the transition in the new version.")
            values = {"before": state, "after": to.state, "step": to.id}
            yield Problem("illegal_transition", f"{at}/to", text % values, hint)


def as_json(plan: Sequence[PlanRow]) -> list[dict[str, Any]]:
    """What is kept: staying needs no word."""
    kept: list[dict[str, Any]] = msgspec.to_builtins([row for row in plan if row.then != "stay"])
    return kept
