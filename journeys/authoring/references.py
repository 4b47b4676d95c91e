"""Where a document refers to what: the fields that name a step or a state, found by their descriptions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from customers.authoring.describe import Field
from journeys.authoring.describe import TYPE, definition_fields, step_forms


@dataclass(frozen=True, slots=True)
class Reference:
    """`holder[name]` is the value; `pointer` says where that is in the document."""

    pointer: str
    holder: dict[str, Any]
    name: str

    @property
    def value(self) -> Any:
        return self.holder.get(self.name)


def references(document: Mapping[str, Any], kind: str) -> Iterator[Reference]:
    """Every field of the document that refers to a `kind`, filled in or not."""
    yield from (reference for _field, _fields, reference in _found(document, definition_fields(), "", kind))
    for n, step in enumerate(items(document, "steps")):
        yield from (reference for _field, _fields, reference in step_references(step, kind, f"/steps/{n}"))


def step_references(step: Any, kind: str, pointer: str = "") -> Iterator[tuple[Field, tuple[Field, ...], Reference]]:
    """(the field, the fields beside it, where it stands) of each in a step."""
    form = step_forms().get(str(step.get(TYPE))) if isinstance(step, dict) else None
    if form is not None:
        yield from _found(step, form.fields, pointer, kind)


def rename(document: dict[str, Any], kind: str, names: Mapping[str, str]) -> None:
    """Let what referred to the old name of a step or state refer to the new one."""
    if not names:
        return
    for reference in references(document, kind):
        if isinstance(reference.value, str) and reference.value in names:
            reference.holder[reference.name] = names[reference.value]
    if kind == "state":
        for move in items(document, "transitions"):
            if isinstance(move, list):
                move[:] = [names.get(name, name) if isinstance(name, str) else name for name in move]


def items(document: Mapping[str, Any], name: str) -> list[Any]:
    """A list of the document; empty where there is none."""
    found = document.get(name)
    return found if isinstance(found, list) else []


def _found(
    values: Any, fields: tuple[Field, ...], pointer: str, kind: str
) -> Iterator[tuple[Field, tuple[Field, ...], Reference]]:
    if not isinstance(values, dict):
        return
    for one in fields:
        at = f"{pointer}/{one.name}"
        if one.kind == "group":
            yield from _found(values.get(one.name), one.fields, at, kind)
        elif one.kind in ("list", "states"):
            for n, row in enumerate(items(values, one.name)):
                yield from _found(row, one.fields, f"{at}/{n}", kind)
        elif one.hint.refers == kind:
            yield one, fields, Reference(at, values, one.name)
