"""A mapping applied to a document: the events that come of it, or everything that stands in their way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from msgspec import UNSET

from customers.mapping.document import EventMapping, EventRule, Field, Test, Value
from customers.mapping.paths import ABSENT, Ground, Path, escape, read_path
from customers.mapping.problems import Problem
from customers.mapping.steps import MAX_TEXT, StepFailed, step_of

MAX_ITEMS: Final = 1000
MAX_EVENT_BYTES: Final = 64 * 1024
MAX_BYTES: Final = 4_000_000
# More would only repeat what the first have said.
MAX_PROBLEMS: Final = 20
_NOTHING: Mapping[str, Mapping[str, Any]] = {}
_TEXTS = frozenset(("name", "id", "occurred_at", "group"))
_TEXT_PARTS = frozenset(("identifiers", "previous"))


@dataclass(frozen=True, slots=True)
class Mapped:
    """An event of our own dialect, and where it comes from: the rule's key and, of a list, the item's number."""

    key: str
    number: int
    # Where the item stands in the document.
    place: str
    item: dict[str, Any]


@dataclass(slots=True)
class Result:
    """All events of a document, or none and the problems. `applies` is false where the mapping is for others."""

    applies: bool = False
    events: list[Mapped] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class _Stop(Exception):
    """A limit is reached, or enough is wrong: nothing more is looked at."""


def apply(mapping: EventMapping, document: Any, beside: Mapping[str, Mapping[str, Any]] = _NOTHING) -> Result:
    """The events in `document`; `beside` are documents that came with it, such as headers, by name."""
    work = _Work(Ground(document, beside))
    try:
        for number, rule in enumerate(mapping.events):
            work.by_rule(rule, f"/events/{number}")
    except _Stop:
        pass
    if work.result.problems:
        work.result.events.clear()
    return work.result


class _Work:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.result = Result()
        self.bytes = 0

    def by_rule(self, rule: EventRule, where: str) -> None:
        if not _hold(rule.when, self.ground):
            return
        if rule.each is None:
            self.result.applies = True
            self._add(rule, self.ground, 0, where)
            return
        path = _path(rule.each)
        items = self.ground.find(path)
        if items is ABSENT or items is None:
            items = []
        if not isinstance(items, list):
            self.result.applies = True
            self._wrong("not_a_list", f"{where}/each", rule.each)
            return
        # An empty list is as good an answer as a full one; a list of what others are for is not.
        self.result.applies |= not items
        for number, item in enumerate(items):
            ground = Ground(self.ground.document, self.ground.beside, item, f"{self.ground.locate(path)}/{number}")
            if _hold(rule.only, ground):
                self.result.applies = True
                self._add(rule, ground, number, where)

    def _add(self, rule: EventRule, ground: Ground, number: int, where: str) -> None:
        if len(self.result.events) >= MAX_ITEMS:
            self._wrong("too_many_items", f"{where}/each" if rule.each is not None else where, ground.place)
            raise _Stop
        item = self._item(rule, ground, where)
        try:
            size = len(orjson.dumps(item))
        except orjson.JSONEncodeError:
            self._wrong("not_storable", where, ground.place)
            raise _Stop from None
        self.bytes += size
        for code, much, most in (
            ("event_too_large", size, MAX_EVENT_BYTES),
            ("result_too_large", self.bytes, MAX_BYTES),
        ):
            if much > most:
                self._wrong(code, where, ground.place)
                raise _Stop
        self.result.events.append(Mapped(rule.key, number, ground.place, item))

    def _item(self, rule: EventRule, ground: Ground, where: str) -> dict[str, Any]:
        item: dict[str, Any] = {"type": rule.type}
        for name, held in rule.single_fields():
            value = self._value(held, ground, f"{where}/{name}", text=name in _TEXTS)
            if value is not ABSENT:
                item[name] = value
        for part, name, held in rule.named_fields():
            value = self._value(held, ground, f"{where}/{part}/{escape(name)}", text=part in _TEXT_PARTS)
            if value is not ABSENT:
                item.setdefault(part, {})[name] = value
        if rule.schema_version is not None:
            item["schema_version"] = rule.schema_version
        if rule.historical:
            item["historical"] = True
        return item

    def _value(self, held: Field, ground: Ground, where: str, *, text: bool) -> Any:
        """The value, or ABSENT, also where it is wrong: then that is noted."""
        wanted = Value(path=held) if isinstance(held, str) else held
        value, origin = _origin(wanted, ground)
        for number, step in enumerate(wanted.steps if value is not ABSENT else ()):
            try:
                value = step_of(step).at(lambda path: ground.find(_path(path))).apply(value)
            except StepFailed as failed:
                return self._wrong(str(failed), f"{where}/steps/{number}", origin)
        if _is_nothing(value):
            if wanted.default is UNSET:
                return self._wrong("missing_value", where, origin) if wanted.required else ABSENT
            value = wanted.default
        if text and not isinstance(value, str):
            return self._wrong("not_text", where, origin)
        if isinstance(value, str) and len(value) > MAX_TEXT:
            return self._wrong("text_too_long", where, origin)
        return value

    def _wrong(self, code: str, field_: str, pointer: str) -> Any:
        self.result.problems.append(Problem(code, field_, pointer))
        if len(self.result.problems) >= MAX_PROBLEMS:
            raise _Stop
        return ABSENT


def _origin(wanted: Value, ground: Ground) -> tuple[Any, str]:
    """The value before anything is done to it, and the place it comes from."""
    if wanted.constant is not UNSET:
        return wanted.constant, ""
    if isinstance(wanted.join, list):
        parts = [_joinable(ground.find(_path(path))) for path in wanted.join]
        return wanted.between.join(part for part in parts if part) or ABSENT, ground.locate(_path(wanted.join[0]))
    paths = wanted.first if isinstance(wanted.first, list) else [str(wanted.path)]
    for text in paths:
        value = ground.find(_path(text))
        if not _is_nothing(value):
            return value, ground.locate(_path(text))
    return ABSENT, ground.locate(_path(paths[0]))


def _joinable(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _is_nothing(value: Any) -> bool:
    return value is ABSENT or value is None or (isinstance(value, str) and (not value or value.isspace()))


def _hold(tests: list[Test], ground: Ground) -> bool:
    return all(_holds(test, ground) for test in tests)


def _holds(test: Test, ground: Ground) -> bool:
    value = ground.find(_path(test.path))
    if test.present is not UNSET:
        return test.present is not _is_nothing(value)
    if isinstance(test.is_, list):
        return any(_same(value, one) for one in test.is_)
    return not any(_same(value, one) for one in _listed(test.is_not))


def _listed(values: Any) -> Iterator[Any]:
    return iter(values if isinstance(values, list) else ())


def _same(value: Any, other: Any) -> bool:
    """Equal as JSON is: true is not 1, and 1 is 1.0."""
    return isinstance(value, bool) is isinstance(other, bool) and bool(value == other)


def _path(text: str) -> Path:
    path = read_path(text)
    if path is None:
        raise ValueError("the mapping was not parsed")
    return path
