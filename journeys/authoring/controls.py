"""A document as controls: what each input is called, what it holds, and which problem stands beside it.

A control's `pointer` is its place in the document, where problems point to; its `name` is the input's, where the
submitted value comes back from. They differ where the document's shape depends on a choice: in rules.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers.hints import Text
from customers.rules.errors import Problem
from customers.rules.leaf import leaf_kinds
from customers.rules.parse import MOST_CONDITIONS, MOST_LEVELS
from journeys.authoring import durations, rule_form, scalars
from journeys.authoring.choices import Choice, Choices
from journeys.authoring.describe import TYPE, Field, StepForm, definition_fields, step_forms
from journeys.authoring.edits import NEW
from journeys.authoring.outline import Place, outline
from journeys.authoring.references import items
from journeys.authoring.words import row_words, rule_words

# More choices than this are typed with suggestions: a select of them in every row would swell the page.
_MOST_IN_A_SELECT: Final = 60
# Changing one of these changes what other controls offer.
_REFRESHING: Final = frozenset({"id", "name", "channel", "op", "key"})
_SCALAR_LABELS: Final = {
    scalars.TEXT: _("text"),
    scalars.NUMBER: _("number"),
    scalars.YES: _("yes"),
    scalars.NO: _("no"),
    scalars.TEXTS: _("texts, one a line"),
    scalars.NUMBERS: _("numbers, one a line"),
    scalars.JSON: _("JSON"),
}
_NOT_IN_AN_ID: Final = re.compile(r"[^A-Za-z0-9]+")
_RULE_LABELS: Final[dict[str, Text]] = {
    "": _("no condition"),
    "all": _("all of these"),
    "any": _("any of these"),
    "not": _("not this"),
}


@dataclass(slots=True)
class Option:
    value: str
    label: Text
    is_chosen: bool = False


@dataclass(slots=True)
class Control:
    """One input, or a group of controls; templates/admin/journeys/author/<kind>.html shows it."""

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
    suggestions: str = ""
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
        return f"admin/journeys/author/{self.kind}.html"

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


def controls(document: dict[str, Any], choices: Choices) -> dict[str, Control]:
    """The controls of the definition's fields, by name."""
    maker = _Maker(document, choices)
    return {one.name: maker.control(one, document, "", "") for one in definition_fields()}


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


class _Maker:
    def __init__(self, document: dict[str, Any], choices: Choices) -> None:
        self.document, self.choices = document, choices
        self.forms = step_forms()
        self.steps = [_key(step, "id") for step in items(document, "steps")]
        self.states = [_key(state, "name") for state in items(document, "states")]

    def control(self, one: Field, values: dict[str, Any], name: str, pointer: str) -> Control:
        value = values.get(one.name)
        made = Control(
            kind=one.kind,
            name=f"{name}/{one.name}" if name else one.name,
            pointer=f"{pointer}/{one.name}",
            label=one.label,
            help=one.hint.help,
            is_required=one.required,
            refreshes=one.name in _REFRESHING or one.hint.refers == "step",
        )
        getattr(self, f"_{one.kind}")(made, one, value, values)
        return made

    def _text(self, made: Control, one: Field, value: Any, values: dict[str, Any]) -> None:
        shown = _or_default(one, value)
        made.value = shown if isinstance(shown, str) else "" if shown is None else json.dumps(shown)
        refers = one.hint.refers
        if not refers:
            return
        group = values.get(one.hint.beside) if one.hint.beside else ""
        offered = self._offered(refers, group if isinstance(group, str) else "")
        if refers == "event" or len(offered) > _MOST_IN_A_SELECT:
            made.suggestions = f"list-{refers}-{group}" if group else f"list-{refers}"
            return
        made.kind = "choice"
        made.options = [Option("", "–")]
        known = {choice.value for choice in offered}
        if made.value and made.value not in known:
            made.options.append(Option(made.value, _unknown(made.value), is_chosen=True))
        made.options += [Option(choice.value, choice.label, choice.value == made.value) for choice in offered]
        if refers == "step":
            made.extra["new"] = [Option(NEW + tag, form.label) for tag, form in self.forms.items()]

    def _offered(self, refers: str, group: str) -> list[Choice]:
        if refers == "step":
            return [Choice(name, name) for name in dict.fromkeys(self.steps) if name]
        if refers == "state":
            return [Choice(name, name) for name in dict.fromkeys(self.states) if name]
        return self.choices.of(refers, group)

    def _choice(self, made: Control, one: Field, value: Any, _values: dict[str, Any]) -> None:
        made.value = str(_or_default(one, value) or "")
        made.options = [Option(key, label, key == made.value) for key, label in one.choices]
        if one.required:
            made.options.insert(0, Option("", "–"))
        if made.value and all(option.value != made.value for option in made.options):
            made.options.insert(0, Option(made.value, _unknown(made.value), is_chosen=True))

    def _number(self, made: Control, one: Field, value: Any, _values: dict[str, Any]) -> None:
        shown = _or_default(one, value)
        made.value = "" if shown is None else shown if isinstance(shown, str) else json.dumps(shown)

    def _flag(self, made: Control, one: Field, value: Any, _values: dict[str, Any]) -> None:
        made.value = bool(_or_default(one, value))

    def _duration(self, made: Control, one: Field, value: Any, _values: dict[str, Any]) -> None:
        shown = _or_default(one, value)
        span = durations.read(shown)
        number, unit = ("" if shown is None else str(shown), durations.DEFAULT_UNIT)
        if span is not None:
            number, unit = durations.split(span)
        made.value = number
        made.options = [Option(key, label, key == unit) for key, label in durations.UNIT_LABELS.items()]

    def _group(self, made: Control, one: Field, value: Any, _values: dict[str, Any]) -> None:
        made.extra |= {"may_be_unset": one.may_be_unset, "is_set": value is not None, "unset": one.hint.unset}
        made.controls = self._parts(one.fields, value, made.name, made.pointer)

    def _list(self, made: Control, one: Field, value: Any, _values: dict[str, Any]) -> None:
        made.extra |= {"may_be_unset": one.may_be_unset, "is_set": value is not None, "unset": one.hint.unset}
        rows = value if isinstance(value, list) else []
        made.controls = [self._row(one, row, n, len(rows), made) for n, row in enumerate(rows)]

    def _row(self, one: Field, row: Any, n: int, count: int, within: Control) -> Control:
        made = Control("row", f"{within.name}/{n}", f"{within.pointer}/{n}", within.label)
        made.controls = self._parts(one.fields, row, made.name, made.pointer)
        made.extra = {"number": n + 1, "is_first": n == 0, "is_last": n == count - 1}
        made.extra["words"] = row_words(one.fields, row, without="step") if row else ""
        return made

    def _parts(self, fields: tuple[Field, ...], value: Any, name: str, pointer: str) -> list[Control]:
        values = value if isinstance(value, dict) else {}
        ordered = sorted(fields, key=lambda one: (not one.required, one.hint.refers == "step" and one.required))
        return [self.control(one, values, name, pointer) for one in ordered]

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
        made.controls = [self._step(step, n, places[n], steps, made) for n, step in enumerate(steps)]
        made.options = [Option(tag, form.label) for tag, form in self.forms.items()]

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
        needed = [one for one in form.fields if one.required or one.name in values or one.hint.refers == "touchpoint"]
        needed.sort(key=lambda one: one.hint.refers == "step")
        spare = [one for one in form.fields if one not in needed]
        return [self.control(one, values, *at) for one in needed], [self.control(one, values, *at) for one in spare]

    def _rule(self, made: Control, one: Field, value: Any, _values: dict[str, Any]) -> None:
        made.controls = [self._node(value, made.name, made.pointer, made.label, 1, is_needed=one.required)]
        conditions, levels = rule_form.size_of(value)
        made.extra |= {"words": rule_words(value), "conditions": conditions, "levels": levels}
        made.extra |= {"most_conditions": MOST_CONDITIONS, "most_levels": MOST_LEVELS}
        made.extra["is_too_large"] = conditions > MOST_CONDITIONS or levels > MOST_LEVELS

    def _node(self, node: Any, name: str, pointer: str, label: Text, level: int, *, is_needed: bool) -> Control:
        kind = rule_form.kind_of(node)
        made = Control("node", name, pointer, label, value=kind)
        kinds = {**_RULE_LABELS, **{key: leaf.label or key for key, leaf in leaf_kinds().items()}}
        if kind == rule_form.AS_JSON:
            kinds[kind] = _("written as JSON")
            made.extra["json"] = scalars.show_json(node)
        made.options = [Option(key, text, key == kind) for key, text in kinds.items()]
        made.is_required = is_needed
        if kind in leaf_kinds():
            made.controls = self._leaf(kind, node, name, pointer)
        parts = [] if level > MOST_LEVELS else list(rule_form.parts_of(node))
        for n, (at, part) in enumerate(parts):
            inner = self._node(part, f"{name}/{rule_form.PARTS}/{n}", pointer + at, label, level + 1, is_needed=True)
            inner.extra |= {"can_go": kind in rule_form.GROUPS, "number": n + 1}
            inner.extra |= {"is_first": n == 0, "is_last": n == len(parts) - 1}
            made.controls.append(inner)
        made.extra["is_group"] = kind in rule_form.GROUPS
        made.extra["is_denied"] = kind == rule_form.NOT
        made.extra["can_be_denied"] = bool(kind)
        made.extra["list"] = f"{pointer}/{kind}"
        return made

    def _leaf(self, kind: str, node: dict[str, Any], name: str, pointer: str) -> list[Control]:
        fields = [one for one in rule_form.leaf_fields(kind) if one.kind != "value" or rule_form.takes_value(node)]
        made = [self.control(one, node, name, pointer) for one in fields]
        for one, control in zip(fields, made, strict=True):
            if one.name in leaf_kinds()[kind].suggests:
                control.suggestions = f"list-{leaf_kinds()[kind].suggests[one.name]}"
        return made

    def _value(self, made: Control, _one: Field, value: Any, _values: dict[str, Any]) -> None:
        kind, made.value = scalars.show(value)
        made.options = [Option(key, _SCALAR_LABELS[key], key == kind) for key in scalars.KINDS]
        made.unit = kind
        made.extra["has_lines"] = kind in (scalars.TEXTS, scalars.NUMBERS, scalars.JSON)
        made.extra["has_text"] = kind not in (scalars.YES, scalars.NO)

    def _json(self, made: Control, _one: Field, value: Any, _values: dict[str, Any]) -> None:
        made.value = "" if value is None else scalars.show_json(value)


# Shown in the head of a step's card.
_HEAD: Final = ("id", "state")


def _or_default(one: Field, value: Any) -> Any:
    return value if value is not None or one.required else one.default


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


def _unknown(value: str) -> Text:
    return format_lazy(_("{value} (not known here)"), value=value)
