"""From a submitted form to the document it stands for; what cannot be read is kept as it was typed and told."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.hints import Text
from customers.rules.errors import Problem
from journeys.authoring import durations, rule_form, scalars
from journeys.authoring.describe import NOTHING, TYPE, Field, definition_fields, step_forms
from journeys.authoring.posted import Posted, TooLarge
from journeys.authoring.references import rename
from journeys.validate import MAX_STEPS

# Rows of a list within a step or the journey: branches, states, exits.
MOST_ROWS = 200
ADDED = "~set"
_ABSENT = object()


@dataclass(slots=True)
class Reading:
    """A document as read, and what could not be read of it."""

    document: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)


def read(posted: Posted) -> Reading:
    """Raises TooLarge for more than a journey may have."""
    reader = _Reader()
    document = reader.fields(definition_fields(), posted, "")
    for kind, rows in (("step", "steps"), ("state", "states")):
        key = "id" if kind == "step" else "name"
        rename(document, kind, _renamed(posted.rows(rows, MAX_STEPS), document.get(rows, []), key))
    return Reading(document, reader.problems)


def _renamed(rows: list[Posted], items: list[Any], key: str) -> dict[str, str]:
    """Which names changed since the form was shown, where no other bears the old one now."""
    names = [item.get(key) if isinstance(item, dict) else None for item in items]
    pairs = zip((row.text("~was") for row in rows), names, strict=True)
    return {was: name for was, name in pairs if was and isinstance(name, str) and was != name and was not in names}


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.forms = step_forms()

    def fields(self, fields: tuple[Field, ...], posted: Posted, pointer: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for one in fields:
            value = self._value(one, posted, f"{pointer}/{one.name}")
            if value is not _ABSENT and (one.default is NOTHING or value != default_of(one)):
                values[one.name] = value
        return values

    def _value(self, one: Field, posted: Posted, pointer: str) -> Any:
        here = posted.at(one.name)
        match one.kind:
            case "group":
                return self._unless_unset(one, here, lambda: self.fields(one.fields, here, pointer))
            case "list" | "states":
                return self._unless_unset(one, here, lambda: self._rows(one, posted, pointer))
            case "steps":
                return [self._step(row, f"{pointer}/{n}") for n, row in enumerate(posted.rows(one.name, MAX_STEPS))]
            case "moves":
                return _pairs(posted.texts(one.name))
            case "rule":
                found = rule_form.read(here, self.fields, pointer)
                return _ABSENT if found is None else found
            case "duration":
                return self._duration(here, pointer)
            case "number":
                return self._number(one, posted.text(one.name).strip(), pointer)
            case "flag":
                return bool(posted.text(one.name))
            case "value":
                return self._scalar(here, pointer)
            case "json":
                return self._json(posted.text(one.name), pointer)
        return posted.text(one.name).strip() or _ABSENT

    def _unless_unset(self, one: Field, here: Posted, read: Any) -> Any:
        return read() if not one.may_be_unset or here.text(ADDED) else _ABSENT

    def _rows(self, one: Field, posted: Posted, pointer: str) -> list[Any]:
        rows = posted.rows(one.name, MOST_ROWS)
        return [self.fields(one.fields, row, f"{pointer}/{n}") for n, row in enumerate(rows)]

    def _step(self, row: Posted, pointer: str) -> Any:
        type_ = row.text(TYPE)
        known = self.forms.get(type_)
        if known is not None:
            return {TYPE: type_} | self.fields(known.fields, row, pointer)
        text = row.text("~json")
        if not text:
            return {TYPE: type_, "id": row.text("id").strip()}
        value = scalars.read_json(text)
        return text if value is scalars.UNREADABLE else value

    def _duration(self, here: Posted, pointer: str) -> Any:
        number = here.text("~n").strip()
        if not number:
            return _ABSENT
        spelled = durations.join(number, here.text("~unit"))
        if spelled is None:
            self._tell("not_a_duration", pointer, _("This is no number of minutes, hours or days."))
        return number if spelled is None else spelled

    def _number(self, one: Field, text: str, pointer: str) -> Any:
        if not text:
            return _ABSENT
        value = scalars.read(scalars.NUMBER, text)
        if value is scalars.UNREADABLE or (one.whole and not isinstance(value, int)):
            self._tell("not_a_number", pointer, _("This is no number."))
            return text
        return value

    def _scalar(self, here: Posted, pointer: str) -> Any:
        kind, text = here.text("~kind"), here.text("~text")
        if not text and kind not in (scalars.YES, scalars.NO):
            return _ABSENT
        value = scalars.read(kind, text)
        if value is scalars.UNREADABLE:
            self._tell("unreadable", pointer, _("This cannot be read as what it is said to be."))
            return text
        return _ABSENT if value is None else value

    def _json(self, text: str, pointer: str) -> Any:
        if not text.strip():
            return _ABSENT
        value = scalars.read_json(text)
        if value is scalars.UNREADABLE:
            self._tell("not_json", pointer, _("This is no JSON."))
            return text
        return value

    def _tell(self, code: str, pointer: str, message: Text) -> None:
        self.problems.append(Problem(code, pointer, message))


def default_of(one: Field) -> Any:
    """What leaving the field out stands for, as forms spell it."""
    span = durations.read(one.default) if one.kind == "duration" else None
    return one.default if span is None else durations.spell(span)


def _pairs(texts: list[str]) -> list[list[str]]:
    """Moves, each a JSON pair of state names, once each."""
    if len(texts) > MOST_ROWS**2:
        raise TooLarge("transitions")
    found: dict[tuple[str, str], None] = {}
    for text in texts:
        match scalars.read_json(text):
            case [str() as before, str() as after]:
                found[before, after] = None
    return [list(pair) for pair in found]
