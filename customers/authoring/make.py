"""Values as controls, by the fields of their struct; what there is to choose from comes with the maker."""

import json
from typing import Any, Final
from urllib.parse import quote

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers.authoring import durations, rule_form, scalars
from customers.authoring.choices import Choice, Choices
from customers.authoring.controls import Control, Option
from customers.authoring.describe import Field
from customers.authoring.words import row_words, rule_words
from customers.hints import Text
from customers.rules.leaf import MOMENT, every_kind, leaf_kinds
from customers.rules.parse import MOST_CONDITIONS, MOST_LEVELS

# More choices than this are typed with suggestions: a select of them in every row would swell the page.
_MOST_IN_A_SELECT: Final = 60
# Changing one of these changes what other controls offer.
_REFRESHING: Final = frozenset({"id", "name", "channel", "op", "key", "journey"})
_SCALAR_LABELS: Final = {
    scalars.TEXT: _("text"),
    scalars.NUMBER: _("number"),
    scalars.YES: _("yes"),
    scalars.NO: _("no"),
    scalars.TEXTS: _("texts, one a line"),
    scalars.NUMBERS: _("numbers, one a line"),
    scalars.JSON: _("JSON"),
}
_RULE_LABELS: Final[dict[str, Text]] = {
    "": _("no condition"),
    "all": _("all of these"),
    "any": _("any of these"),
    "not": _("not this"),
}


class Maker:
    """Makes controls for rules that are asked at `place`. A subclass adds the kinds of fields its documents have."""

    def __init__(self, choices: Choices, place: str = MOMENT) -> None:
        self.choices, self.place = choices, place
        # Where the rule whose conditions are being made is asked.
        self.asked_at = place
        # The event whose properties are meant, while the fields of its leaf are made.
        self.event = ""

    def control(self, one: Field, values: dict[str, Any], name: str, pointer: str) -> Control:
        value = values.get(one.name)
        made = Control(
            kind=one.kind,
            name=f"{name}/{one.name}" if name else one.name,
            pointer=f"{pointer}/{one.name}",
            label=one.label,
            help=one.hint.help,
            is_required=one.required,
            refreshes=one.name in _REFRESHING,
        )
        getattr(self, f"_{one.kind}")(made, one, value, values)
        if one.suggests and not made.suggestions:
            self._suggest(made, one.suggests, self.event)
        return made

    def _suggest(self, made: Control, kind: str, group: str, offered: list[Choice] | None = None) -> None:
        """Names to type; of a group that has none, those of all."""
        found = self._offered(kind, group) if offered is None else offered
        if group and not found:
            group, found = "", self._offered(kind, "")
        # Spaces end an id.
        made.suggestions = "-".join(filter(None, ("list", kind, quote(group, safe=""))))
        made.offered = found

    def _text(self, made: Control, one: Field, value: Any, values: dict[str, Any]) -> None:
        shown = _or_default(one, value)
        made.value = shown if isinstance(shown, str) else "" if shown is None else json.dumps(shown)
        refers = one.hint.refers
        if not refers:
            return
        group = values.get(one.hint.beside) if one.hint.beside else ""
        offered = self._offered(refers, group if isinstance(group, str) else "")
        if refers == "event" or len(offered) > _MOST_IN_A_SELECT:
            self._suggest(made, refers, group if isinstance(group, str) else "", offered)
            return
        made.kind = "choice"
        made.options = [Option("", "–")]
        known = {choice.value for choice in offered}
        if made.value and made.value not in known:
            made.options.append(Option(made.value, _unknown(made.value), is_chosen=True))
        made.options += [Option(choice.value, choice.label, choice.value == made.value) for choice in offered]

    def _offered(self, refers: str, group: str) -> list[Choice]:
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

    def _names(self, made: Control, one: Field, value: Any, values: dict[str, Any]) -> None:
        """Names beside one another, in one line."""
        is_plain = isinstance(value, list) and all(isinstance(name, str) for name in value)
        self._text(made, one, ", ".join(value) if is_plain else value, values)
        made.kind = "text"

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
        # Of a group that is left out the page shows nothing but that it could be there.
        is_shown = value is not None or not one.may_be_unset
        made.controls = self._parts(one.fields, value, made.name, made.pointer) if is_shown else []

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
        fields = rule_form.fitting(fields, values)
        ordered = sorted(fields, key=lambda one: (not one.required, one.hint.refers == "step" and one.required))
        return [self.control(one, values, name, pointer) for one in ordered]

    def _rule(self, made: Control, one: Field, value: Any, _values: dict[str, Any]) -> None:
        self.asked_at = one.hint.place or self.place
        made.controls = [self._node(value, made.name, made.pointer, made.label, 1, is_needed=one.required)]
        conditions, levels = rule_form.size_of(value)
        made.extra |= {"words": rule_words(value), "conditions": conditions, "levels": levels}
        made.extra |= {"most_conditions": MOST_CONDITIONS, "most_levels": MOST_LEVELS}
        made.extra["is_too_large"] = conditions > MOST_CONDITIONS or levels > MOST_LEVELS

    def _node(self, node: Any, name: str, pointer: str, label: Text, level: int, *, is_needed: bool) -> Control:
        kind = rule_form.kind_of(node)
        made = Control("node", name, pointer, label, value=kind)
        kinds = {**_RULE_LABELS, **{key: leaf.label or key for key, leaf in leaf_kinds(self.asked_at).items()}}
        if kind not in kinds and kind in every_kind():
            kinds[kind] = format_lazy(_("{kind} (not possible here)"), kind=every_kind()[kind].label or kind)
        if kind == rule_form.AS_JSON:
            kinds[kind] = _("written as JSON")
            made.extra["json"] = scalars.show_json(node)
        made.options = [Option(key, text, key == kind) for key, text in kinds.items()]
        made.is_required = is_needed
        if kind in every_kind():
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
        event = node.get("event")
        self.event = event if isinstance(event, str) else ""
        made = []
        for one in rule_form.fitting(rule_form.leaf_fields(kind), node):
            made.append(self.control(one, node, name, pointer))
            # Its properties are suggested beside it.
            made[-1].refreshes |= one.hint.refers == "event"
        self.event = ""
        return made

    def _value(self, made: Control, _one: Field, value: Any, _values: dict[str, Any]) -> None:
        kind, made.value = scalars.show(value)
        made.options = [Option(key, _SCALAR_LABELS[key], key == kind) for key in scalars.KINDS]
        made.unit = kind
        made.extra["has_lines"] = kind in (scalars.TEXTS, scalars.NUMBERS, scalars.JSON)
        made.extra["has_text"] = kind not in (scalars.YES, scalars.NO)

    def _json(self, made: Control, _one: Field, value: Any, _values: dict[str, Any]) -> None:
        made.value = "" if value is None else scalars.show_json(value)


def _or_default(one: Field, value: Any) -> Any:
    return value if value is not None or one.required else one.default


def _unknown(value: str) -> Text:
    return format_lazy(_("{value} (not known here)"), value=value)
