"""What is wrong with a journey's variables, and with whatever names one: each at its place."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.rules.errors import Problem
from journeys.definition import Definition
from journeys.steps.base import Step
from journeys.variables import MOMENT, MOMENT_HINT, MOST, NAME, Assignment, VariableDef, fit

_HINT = gettext_lazy("Name it, as in cart.total.")


def problems_of_variables(definition: Definition, steps: Sequence[Step]) -> Iterator[Problem]:
    declared = definition.variables
    if len(declared) > MOST:
        message = _("A journey has at most %(most)s variables.") % {"most": MOST}
        yield Problem("variable_count", "/variables", message)
    sets = [(f"/steps/{n}/branches/{b}/sets/{k}", one) for n, step in enumerate(steps)
            for b in range(len(step.awaits())) for k, one in enumerate(step.gives(b))]  # fmt: skip
    fills = [(f"/steps/{n}{at}", name) for n, step in enumerate(steps) for at, name in step.fills()]
    ever_set = {one.variable for _at, one in sets} | {name for _at, name in fills}
    names = [one.name for one in declared]
    for n, one in enumerate(declared):
        yield from _declared(f"/variables/{n}", one, names[:n], ever_set)
    for at, assignment in sets:
        yield from _assigned(at, assignment, names)
    asked = [(f"/steps/{n}{at}", name) for n, step in enumerate(steps) for at, name in step.variables()]
    yield from (_undeclared(at, name) for at, name in (*fills, *asked) if name not in names)


def _declared(at: str, one: VariableDef, before: Sequence[str], ever_set: set[str]) -> Iterator[Problem]:
    if not NAME.fullmatch(one.name):
        hint = _("Up to 60 letters, digits and underscores, no digit first.")
        yield Problem("bad_name", f"{at}/name", _("This cannot be the name of a variable."), hint)
    if one.name in before:
        message = _("“%(name)s” is already used.") % {"name": one.name}
        yield Problem("duplicate_variable", f"{at}/name", message, _("Give it another name."))
    if one.property is not None and not all(one.property.split(".")):
        yield Problem(
            "name_invalid", f"{at}/property", _("This cannot be a property."), _("Name it, as in cart.total.")
        )
    if one.default is not None and fit(one.kind, one.default) is None:
        about = MOMENT_HINT if one.kind == MOMENT else ""
        yield Problem("wrong_type", f"{at}/default", _("This does not fit the variable."), about)
    if not one.property and one.default is None and one.name not in ever_set:
        hint = _("Give it a property of the entry event, a default, or let a hold's branch or a reply set it.")
        yield Problem("never_set", at, _("Nothing ever gives this variable a value."), hint)


def _assigned(at: str, one: Assignment, names: Sequence[str]) -> Iterator[Problem]:
    if one.variable not in names:
        yield _undeclared(f"{at}/variable", one.variable)
    if not all(one.property.split(".")):
        yield Problem(
            "name_invalid", f"{at}/property", _("This cannot be a property."), _("Name it, as in cart.total.")
        )


def _undeclared(at: str, name: str) -> Problem:
    message = _("There is no variable “%(name)s”.") % {"name": name}
    return Problem("unknown_variable", at, message, _("Declare it, or name one that is declared."))
