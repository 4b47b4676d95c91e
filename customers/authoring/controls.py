"""Controls: what each input is called, what it holds, and which problem stands beside it.

A control's `pointer` is its place in the document, where problems point to; its `name` is the input's, where the
submitted value comes back from. They differ where the document's shape depends on a choice: in rules.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from customers.authoring.choices import Choice
from customers.hints import Text
from customers.rules.errors import Problem

_NOT_IN_AN_ID: Final = re.compile(r"[^A-Za-z0-9]+")


@dataclass(slots=True)
class Option:
    value: str
    label: Text
    is_chosen: bool = False


@dataclass(slots=True)
class Control:
    """One input, or a group of controls; templates/admin/authoring/<kind>.html shows it."""

    kind: str
    name: str
    pointer: str
    label: Text
    help: Text = ""
    is_required: bool = False
    refreshes: bool = False
    value: Any = ""
    unit: str = ""
    options: list[Option] = field(default_factory=list)
    # The id of a list of names to type, and that list.
    suggestions: str = ""
    offered: list[Choice] = field(default_factory=list)
    controls: list["Control"] = field(default_factory=list)
    # Fields that may be left alone, shown folded.
    more: list["Control"] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    # The row's or step's place: first, last, depth, ways that lead here.
    extra: dict[str, Any] = field(default_factory=dict)

    id: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = "f-" + _NOT_IN_AN_ID.sub("-", self.name).strip("-")

    @property
    def template(self) -> str:
        return f"admin/authoring/{self.kind}.html"

    @property
    def has_notes(self) -> bool:
        return bool(self.help or self.problems)

    @property
    def attributes(self) -> SafeString:
        """What an input says of itself to scripts and screen readers."""
        given = [format_html('id="{}"', self.id)]
        notes = ([f"{self.id}-help"] if self.help else []) + ([f"{self.id}-problem"] if self.problems else [])
        if notes:
            given.append(format_html('aria-describedby="{}"', " ".join(notes)))
        flags = {"aria-invalid=true": self.problems, "aria-required=true": self.is_required}
        given += [mark_safe(flag) for flag, holds in flags.items() if holds]  # noqa: S308 - words of our own
        given += [mark_safe("data-refresh")] if self.refreshes else []
        return mark_safe(" ".join(given))  # noqa: S308 - its parts are safe

    def walk(self) -> Iterator["Control"]:
        yield self
        for part in (*self.controls, *self.more):
            yield from part.walk()

    @property
    def has_problem(self) -> bool:
        return any(one.problems for one in self.walk())


def place(top: Iterable[Control], problems: Sequence[Problem]) -> list[tuple[Problem, Control]]:
    """Put each problem to the control it points to, or to the nearest around it."""
    by_pointer: dict[str, Control] = {}
    for control in top:
        for one in control.walk():
            by_pointer.setdefault(one.pointer, one)
    placed = []
    for problem in problems:
        pointer = problem.pointer
        while pointer and pointer not in by_pointer:
            pointer = pointer.rpartition("/")[0]
        if found := by_pointer.get(pointer) or next(iter(by_pointer.values()), None):
            found.problems.append(problem)
            placed.append((problem, found))
    return placed


def suggestions(top: Iterable[Control]) -> dict[str, list[Choice]]:
    """The lists that inputs with suggestions name, each once."""
    return {one.suggestions: one.offered for control in top for one in control.walk() if one.suggestions}


def inner_id(top: Iterable[Control], pointer: str) -> str:
    """The id of the input that a person wants to be in who asks for this place; empty if there is none."""
    found = next((one for control in top for one in control.walk() if pointer and one.pointer == pointer), None)
    if found is None:
        return ""
    inner = next((one for one in found.walk() if one.kind in _INPUTS), None)
    return inner.id if inner else found.id


_INPUTS: Final = frozenset({"text", "choice", "number", "flag", "duration", "value", "json", "node", "rule"})
