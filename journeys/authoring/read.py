"""From a submitted form to the document it stands for; what cannot be read is kept as it was typed and told."""

from dataclasses import dataclass, field
from typing import Any

from customers.authoring import scalars
from customers.authoring.describe import Field
from customers.authoring.posted import Posted, TooLarge
from customers.authoring.read import MOST_ROWS, Reader
from customers.rules.errors import Problem
from journeys.authoring.describe import TYPE, definition_fields, step_forms
from journeys.authoring.references import rename
from journeys.validate import MAX_STEPS


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


class _Reader(Reader):
    def __init__(self) -> None:
        super().__init__()
        self.forms = step_forms()

    def value(self, one: Field, posted: Posted, pointer: str) -> Any:
        match one.kind:
            case "states":
                return self.unless_unset(one, posted.at(one.name), lambda: self.rows(one, posted, pointer))
            case "steps":
                return [self._step(row, f"{pointer}/{n}") for n, row in enumerate(posted.rows(one.name, MAX_STEPS))]
            case "moves":
                return _pairs(posted.texts(one.name))
        return super().value(one, posted, pointer)

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
