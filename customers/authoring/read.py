"""From a submitted form to the values it stands for; what cannot be read is kept as it was typed and told."""

import re
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from customers.authoring import durations, rule_form, scalars
from customers.authoring.describe import NOTHING, Field
from customers.authoring.posted import Posted
from customers.hints import Text
from customers.rules.errors import Problem

# Rows of a list.
MOST_ROWS: Final = 200
ADDED: Final = "~set"
ABSENT: Final = object()


class Reader:
    """Reads fields, and keeps in `problems` what it could not read. A subclass adds the kinds its documents have."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def fields(self, fields: tuple[Field, ...], posted: Posted, pointer: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for one in fields:
            value = self.value(one, posted, f"{pointer}/{one.name}")
            if value is not ABSENT and (one.default is NOTHING or value != default_of(one)):
                values[one.name] = value
        kept = {one.name for one in rule_form.fitting(fields, values)}
        return {name: value for name, value in values.items() if name in kept}

    def value(self, one: Field, posted: Posted, pointer: str) -> Any:
        """Raises TooLarge for more rows than any list may have."""
        here = posted.at(one.name)
        match one.kind:
            case "group":
                return self.unless_unset(one, here, lambda: self.fields(one.fields, here, pointer))
            case "list":
                return self.unless_unset(one, here, lambda: self.rows(one, posted, pointer))
            case "rule":
                found = rule_form.read(here, self.fields, pointer)
                return ABSENT if found is None else found
            case "duration":
                return self._duration(here, pointer)
            case "number":
                return self._number(one, posted.text(one.name).strip(), pointer)
            case "flag":
                return bool(posted.text(one.name))
            case "value":
                return self._scalar(here, pointer)
            case "names":
                return [name for name in re.split(r"[,\s]+", posted.text(one.name)) if name]
            case "json":
                return self._json(posted.text(one.name), pointer)
        return posted.text(one.name).strip() or ABSENT

    def unless_unset(self, one: Field, here: Posted, read: Any) -> Any:
        return read() if not one.may_be_unset or here.text(ADDED) else ABSENT

    def rows(self, one: Field, posted: Posted, pointer: str) -> list[Any]:
        rows = posted.rows(one.name, MOST_ROWS)
        return [self.fields(one.fields, row, f"{pointer}/{n}") for n, row in enumerate(rows)]

    def _duration(self, here: Posted, pointer: str) -> Any:
        number = here.text("~n").strip()
        if not number:
            return ABSENT
        spelled = durations.join(number, here.text("~unit"))
        if spelled is None:
            self._tell("not_a_duration", pointer, _("This is no number of minutes, hours or days."))
        return number if spelled is None else spelled

    def _number(self, one: Field, text: str, pointer: str) -> Any:
        if not text:
            return ABSENT
        value = scalars.read(scalars.NUMBER, text)
        if value is scalars.UNREADABLE or (one.whole and not isinstance(value, int)):
            self._tell("not_a_number", pointer, _("This is no number."))
            return text
        return value

    def _scalar(self, here: Posted, pointer: str) -> Any:
        kind, text = here.text("~kind"), here.text("~text")
        if not text and kind not in (scalars.YES, scalars.NO):
            return ABSENT
        value = scalars.read(kind, text)
        if value is scalars.UNREADABLE:
            self._tell("unreadable", pointer, _("This cannot be read as what it is said to be."))
            return text
        return ABSENT if value is None else value

    def _json(self, text: str, pointer: str) -> Any:
        if not text.strip():
            return ABSENT
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
