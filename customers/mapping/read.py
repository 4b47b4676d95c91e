"""From plain data to a mapping; every mistake in it is reported, with where it is."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from customers.accept.native import KEY_PATTERN
from customers.mapping.document import EventMapping, EventRule, Field, Test, Value
from customers.mapping.paths import escape, read_path
from customers.mapping.problems import MappingError, Problem
from customers.mapping.steps import step_of

MAX_EVENTS: Final = 20
MAX_FIELDS: Final = 200
MAX_TESTS: Final = 20
MAX_STEPS: Final = 10
_KEY = re.compile(r"[a-z0-9_-]{1,32}")
_FIELD_NAME = re.compile(KEY_PATTERN.strip("^$"))
_NOT_FOR = {
    "track": ("traits", "group", "previous"),
    "identify": ("name", "properties", "group", "previous"),
    "group": ("name", "properties", "previous"),
    "alias": ("name", "properties", "traits", "group", "schema_version"),
    "product": (
        "name",
        "id",
        "occurred_at",
        "identifiers",
        "previous",
        "group",
        "traits",
        "context",
        "schema_version",
    ),
}


def parse(document: object) -> EventMapping:
    """The mapping written as `document`, or MappingError."""
    try:
        mapping = msgspec.convert(document, EventMapping)
    except msgspec.ValidationError as error:
        raise MappingError([_misfit(error)]) from None
    problems = list(_of_mapping(mapping))
    if problems:
        raise MappingError(problems)
    return mapping


def _misfit(error: msgspec.ValidationError) -> Problem:
    said, _at, path = str(error).partition(" - at `$")
    where = path.rstrip("`").replace(".", "/").replace("[", "/").replace("]", "")
    return Problem("invalid_mapping", where, detail=said)


def _of_mapping(mapping: EventMapping) -> Iterator[Problem]:
    if not mapping.events:
        yield Problem("no_events", "/events")
    if len(mapping.events) > MAX_EVENTS:
        yield Problem("too_many_events", "/events")
        return
    keys: set[str] = set()
    for number, rule in enumerate(mapping.events):
        where = f"/events/{number}"
        if not _KEY.fullmatch(rule.key):
            yield Problem("invalid_key", f"{where}/key")
        elif rule.key in keys:
            yield Problem("key_twice", f"{where}/key")
        keys.add(rule.key)
        yield from _of_rule(rule, where)


def _of_rule(rule: EventRule, where: str) -> Iterator[Problem]:
    fields = [*rule.named_fields()]
    if len(fields) > MAX_FIELDS:
        yield Problem("too_many_fields", where)
        return
    if len(rule.when) + len(rule.only) > MAX_TESTS:
        yield Problem("too_many_tests", f"{where}/when")
        return
    yield from _of_type(rule, where)
    if rule.each is not None:
        yield from _of_path(rule.each, f"{where}/each", in_list=False)
    yield from _of_tests(rule.when, f"{where}/when", in_list=False)
    if rule.only and rule.each is None:
        yield Problem("no_item", f"{where}/only")
    yield from _of_tests(rule.only, f"{where}/only", in_list=True)
    in_list = rule.each is not None
    for name, field in rule.single_fields():
        yield from _of_field(field, f"{where}/{name}", in_list=in_list)
    for part, name, field in fields:
        here = f"{where}/{part}/{escape(name)}"
        if part in ("properties", "traits") and not _FIELD_NAME.fullmatch(name):
            yield Problem("invalid_field_name", here)
        if part in ("identifiers", "previous") and isinstance(field, Value) and field.constant is not msgspec.UNSET:
            yield Problem("constant_identifier", here)
        yield from _of_field(field, here, in_list=in_list)


def _of_type(rule: EventRule, where: str) -> Iterator[Problem]:
    for name in _NOT_FOR[rule.type]:
        if getattr(rule, name):
            yield Problem("not_for_type", f"{where}/{name}")
    if rule.type == "product":
        if "key" not in rule.properties:
            yield Problem("missing_key", f"{where}/properties/key")
    elif not rule.identifiers:
        yield Problem("missing_identifiers", f"{where}/identifiers")
    if rule.type == "track" and rule.name is None:
        yield Problem("missing_name", f"{where}/name")
    if rule.type == "group" and rule.group is None:
        yield Problem("missing_group", f"{where}/group")
    if rule.type == "alias" and len(rule.previous) != 1:
        yield Problem("missing_previous", f"{where}/previous")


def _of_tests(tests: Iterable[Test], where: str, *, in_list: bool) -> Iterator[Problem]:
    for number, test in enumerate(tests):
        here = f"{where}/{number}"
        asked = [one for one in (test.is_, test.is_not, test.present) if one is not msgspec.UNSET]
        if len(asked) != 1:
            yield Problem("one_test", here)
        yield from _of_path(test.path, f"{here}/path", in_list=in_list)


def _of_field(field: Field, where: str, *, in_list: bool) -> Iterator[Problem]:
    if isinstance(field, str):
        yield from _of_path(field, where, in_list=in_list)
        return
    origins = {
        name: held
        for name in ("path", "first", "join", "constant")
        if (held := getattr(field, name)) is not msgspec.UNSET
    }
    if len(origins) != 1 or any(name != "constant" and held == [] for name, held in origins.items()):
        yield Problem("one_origin", where)
    for name, held in origins.items():
        if name == "path":
            yield from _of_path(held, f"{where}/path", in_list=in_list)
        elif name != "constant":
            for number, path in enumerate(held):
                yield from _of_path(path, f"{where}/{name}/{number}", in_list=in_list)
    if len(field.steps) > MAX_STEPS:
        yield Problem("too_many_steps", f"{where}/steps")
    for number, step in enumerate(field.steps):
        for code, name in step_of(step).faults():
            yield Problem(code, f"{where}/steps/{number}/{name}")
        for path, name in step_of(step).paths():
            yield from _of_path(path, f"{where}/steps/{number}/{name}", in_list=in_list)


def _of_path(text: str, where: str, *, in_list: bool) -> Iterator[Problem]:
    path = read_path(text)
    if path is None:
        yield Problem("invalid_path", where)
    elif path.of_item and not in_list:
        yield Problem("no_item", where)
