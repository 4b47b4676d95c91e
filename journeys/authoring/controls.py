"""A journey's document as controls: states, the moves between them, and steps, over the controls of any struct."""

import json
from typing import Any, Final

from customers.authoring import scalars
from customers.authoring.choices import Choice, Choices
from customers.authoring.controls import Control, Option
from customers.authoring.describe import Field
from customers.authoring.make import Maker
from customers.authoring.words import row_words
from journeys.authoring.describe import TYPE, StepForm, definition_fields, step_forms
from journeys.authoring.edits import NEW
from journeys.authoring.outline import Place, outline
from journeys.authoring.references import items, references


def controls(document: dict[str, Any], choices: Choices) -> dict[str, Control]:
    """The controls of the definition's fields, by name."""
    maker = _Maker(document, choices)
    return {one.name: maker.control(one, document, "", "") for one in definition_fields()}


class _Maker(Maker):
    def __init__(self, document: dict[str, Any], choices: Choices) -> None:
        super().__init__(choices)
        self.document = document
        self.forms = step_forms()
        self.steps = [_key(step, "id") for step in items(document, "steps")]
        self.variables = [_key(one, "name") for one in items(document, "variables")]
        self.states = [_key(state, "name") for state in items(document, "states")]
        # Of the step whose controls are being made.
        self.channel = ""

    def control(self, one: Field, values: dict[str, Any], name: str, pointer: str) -> Control:
        made = super().control(one, values, name, pointer)
        made.refreshes |= one.hint.refers == "step"
        return made

    def _text(self, made: Control, one: Field, value: Any, values: dict[str, Any]) -> None:
        super()._text(made, one, value, values)
        if one.hint.refers == "step" and made.kind == "choice":
            made.extra["new"] = [Option(NEW + tag, form.label) for tag, form in self.forms.items()]

    def _offered(self, refers: str, group: str) -> list[Choice]:
        if refers == "step":
            return [Choice(name, name) for name in dict.fromkeys(self.steps) if name]
        if refers == "state":
            return [Choice(name, name) for name in dict.fromkeys(self.states) if name]
        if refers == "variable":
            return [Choice(name, name) for name in dict.fromkeys(self.variables) if name]
        # A variant's template stands a level below the channel.
        return super()._offered(refers, group or (self.channel if refers == "template" else ""))

    def _states(self, made: Control, one: Field, value: Any, values: dict[str, Any]) -> None:
        self._list(made, one, value, values)
        for row, state in zip(made.controls, items(self.document, "states"), strict=True):
            row.extra["was"] = _key(state, "name")

    def _moves(self, made: Control, _one: Field, value: Any, _values: dict[str, Any]) -> None:
        legal = {(pair[0], pair[1]) for pair in value or [] if _is_pair(pair)}
        names = [name for name in dict.fromkeys(self.states) if name]
        made.extra["names"] = names
        made.extra["rows"] = [(before, [_move(before, after, legal) for after in names]) for before in names]
        shown = {(before, after) for before in names for after in names if before != after}
        made.extra["others"] = [_move(*pair, legal) for pair in sorted(legal - shown, key=str)]

    def _steps(self, made: Control, _one: Field, value: Any, _values: dict[str, Any]) -> None:
        steps = value if isinstance(value, list) else []
        places = outline(steps)
        self._ends(places)
        made.controls = [self._step(step, n, places[n], steps, made) for n, step in enumerate(steps)]
        made.options = [Option(tag, form.label) for tag, form in self.forms.items()]

    def _ends(self, places: list[Place]) -> None:
        """Steps that an end of the journey names as its last are reached by that end."""
        by_id = {id_: place for id_, place in zip(self.steps, places, strict=True) if id_}
        for reference in references(self.document, "step"):
            if not reference.pointer.startswith("/steps/") and reference.value in by_id:
                end = next(one for one in definition_fields() if reference.pointer.startswith(f"/{one.name}"))
                by_id[reference.value].ways.append((str(end.label), ""))

    def _step(self, step: Any, n: int, where: Place, steps: list[Any], within: Control) -> Control:
        values = step if isinstance(step, dict) else {}
        form = self.forms.get(str(values.get(TYPE)))
        made = Control("step", f"steps/{n}", f"/steps/{n}", form.label if form else str(values.get(TYPE, "")))
        made.value = values.get(TYPE) if form else ""
        made.help = form.help if form else ""
        if form is None:
            made.extra["json"] = scalars.show_json(step)
        else:
            made.controls, made.more = self._step_parts(form, values, n)
        made.extra |= {
            "index": n,
            "number": n + 1,
            "is_first": n == 0,
            "is_last": n == len(steps) - 1,
            "was": _key(step, "id"),
        }
        made.extra |= {"depth": min(where.depth, 6), "ways": where.ways, "is_lost": n > 0 and not where.ways}
        made.extra["types"] = [Option(tag, other.label) for tag, other in self.forms.items()]
        made.extra["words"] = row_words([one for one in form.fields if one.name not in _HEAD], values) if form else ""
        return made

    def _step_parts(self, form: StepForm, values: dict[str, Any], n: int) -> tuple[list[Control], list[Control]]:
        at = (f"steps/{n}", f"/steps/{n}")
        self.channel = _key(values, "channel")
        needed = [one for one in form.fields if one.required or one.name in values or one.hint.is_usual]
        needed.sort(key=lambda one: one.hint.refers == "step")
        spare = [one for one in form.fields if one not in needed]
        return [self.control(one, values, *at) for one in needed], [self.control(one, values, *at) for one in spare]


# Shown in the head of a step's card.
_HEAD: Final = ("id", "state")


def _key(item: Any, name: str) -> str:
    value = item.get(name) if isinstance(item, dict) else None
    return value if isinstance(value, str) else ""


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(name, str) for name in pair)


def _move(before: str, after: str, legal: set[tuple[str, str]]) -> dict[str, Any]:
    return {
        "before": before,
        "after": after,
        "value": json.dumps([before, after], ensure_ascii=False),
        "is_legal": (before, after) in legal,
        "is_same": before == after,
    }
