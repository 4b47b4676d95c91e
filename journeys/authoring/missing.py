"""What is missing or of the wrong kind in a document, all of it at once and each at its field."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from customers.authoring import durations
from customers.authoring.describe import Field
from customers.rules.errors import Problem
from journeys.authoring.describe import TYPE, definition_fields, step_forms
from journeys.entry.names import needed_by
from journeys.steps.base import step_types


def misfits(document: Mapping[str, Any]) -> list[Problem]:
    """What keeps the document from being a definition at all; whether a definition makes sense is asked later."""
    return list(_fields(document, definition_fields(), ""))


def _fields(values: Any, fields: tuple[Field, ...], pointer: str) -> Iterator[Problem]:
    if not isinstance(values, Mapping):
        yield _wrong(pointer)
        return
    known = {one.name for one in fields}
    for name in values:
        if name not in known:
            yield Problem("unknown_field", f"{pointer}/{name}", _("“%(name)s” is not known here.") % {"name": name})
    for one in fields:
        at = f"{pointer}/{one.name}"
        value = values.get(one.name)
        if value is None or value == "":
            if one.required or (pointer == "/entry" and one.name == needed_by(values)):
                yield Problem("missing_field", at, _("This is missing."), _("Fill it in."))
        else:
            yield from _value(one, value, at)


def _value(one: Field, value: Any, at: str) -> Iterator[Problem]:
    match one.kind:
        case "group":
            yield from _fields(value, one.fields, at)
        case "list" | "states" | "steps" | "moves" if not isinstance(value, list):
            yield _wrong(at)
        case "list" | "states":
            for n, row in enumerate(value):
                yield from _fields(row, one.fields, f"{at}/{n}")
        case "steps":
            for n, step in enumerate(value):
                yield from _step(step, f"{at}/{n}")
        case "moves":
            pairs = (isinstance(pair, list | tuple) and len(pair) == 2 for pair in value)
            yield from (_wrong(f"{at}/{n}") for n, fits in enumerate(pairs) if not fits)
        case "duration":
            if durations.read(value) is None:
                yield Problem("not_a_duration", at, _("This is no span of time."), _("Give a number and a unit."))
        case "choice":
            if one.choices and value not in dict(one.choices):
                yield Problem("unknown_choice", at, _("“%(value)s” is none of the choices.") % {"value": value})
        case "text":
            if not isinstance(value, str):
                yield _wrong(at)
        case "number":
            if isinstance(value, bool) or not isinstance(value, int if one.whole else int | float):
                yield _wrong(at)
        case "names":
            if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
                yield _wrong(at)
        case "flag":
            if not isinstance(value, bool):
                yield _wrong(at)


def _step(step: Any, at: str) -> Iterator[Problem]:
    type_ = step.get(TYPE) if isinstance(step, Mapping) else None
    form = step_forms().get(type_) if isinstance(type_, str) else None
    if form is None or not isinstance(type_, str):
        yield Problem(
            "unknown_step_type",
            f"{at}/{TYPE}",
            _("There is no step type “%(type)s”.") % {"type": type_ if isinstance(type_, str) else ""},
            _("Remove the step, or write it anew as one of the types there are."),
        )
        return
    inner = {name: value for name, value in step.items() if name != TYPE}
    yield from _fields(inner, form.fields, at)
    one_of = step_types()[type_].one_of
    if one_of and not any(inner.get(name) for name in one_of):
        yield Problem("missing_field", f"{at}/{one_of[0]}", _("This is missing."), _("Fill it in."))


def _wrong(pointer: str) -> Problem:
    return Problem("wrong_type", pointer, _("This is of the wrong kind."))
