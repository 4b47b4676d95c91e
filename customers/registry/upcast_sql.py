"""Upcasts as SQL: one jsonb expression that equals what `upcast.apply` makes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from customers.registry.upcast import DECIMAL, INTEGER, LARGEST, Coerce, Default, Drop, Map, Operation, Rename

Fragment = tuple[str, list[Any]]

# A value by its type; where no line suits, it stays.
_IS: Final = "jsonb_typeof(s.d #> %s::text[]) = "
_TEXT: Final = "(s.d #>> %s::text[])"
_NUMBER: Final = f"{_TEXT}::numeric"
_WHOLE: Final = f"WHEN {_IS}'number' AND trunc({_NUMBER}) = {_NUMBER} AND abs({_NUMBER}) < {LARGEST} THEN "
_ONE: Final = f"WHEN {_IS}'boolean' THEN to_jsonb({_TEXT}::boolean::int)"
_COERCE: Final[Mapping[str, str]] = {
    "integer": f"{_ONE} {_WHOLE} to_jsonb(trunc({_TEXT}::numeric))"
    f" WHEN {_IS}'string' AND {_TEXT} ~ '^{INTEGER}$' THEN to_jsonb({_TEXT}::numeric)",
    "number": f"{_ONE} WHEN {_IS}'string' AND {_TEXT} ~ '^{DECIMAL}$' THEN to_jsonb({_TEXT}::numeric)",
    "string": f"WHEN {_IS}'boolean' THEN to_jsonb({_TEXT}) {_WHOLE} to_jsonb(trunc({_TEXT}::numeric)::text)",
    "boolean": f"WHEN {_IS}'string' AND {_TEXT} IN ('true', 'false') THEN to_jsonb({_TEXT}::boolean)"
    f" WHEN {_IS}'number' AND {_TEXT}::numeric IN (0, 1) THEN to_jsonb({_TEXT}::numeric = 1)",
}


def chain(operations: Sequence[Operation], said: Fragment) -> Fragment:
    """`said`, a jsonb expression, after all operations; each reads the one before as s.d, computed once."""
    expression, values = said
    for operation in operations:
        step, own = _step(operation)
        # OFFSET 0 keeps the planner from writing the inner expression out at each of its uses.
        expression = f"(SELECT {step} FROM (SELECT {expression} AS d OFFSET 0) s)"
        values = [*own, *values]
    return expression, values


def _step(operation: Operation) -> Fragment:
    path = operation.path
    match operation:
        case Rename(to=name):
            to = [*path[:-1], name]
            return (
                "CASE WHEN s.d #> %s::text[] IS NULL THEN s.d"
                " ELSE jsonb_set(s.d #- %s::text[], %s::text[], s.d #> %s::text[]) END"
            ), [path, path, to, path]
        case Default(value=value):
            return (
                "CASE WHEN jsonb_typeof(s.d #> %s::text[]) = 'object' AND s.d #> %s::text[] IS NULL"
                " THEN jsonb_set(s.d, %s::text[], %s::text::jsonb) ELSE s.d END"
            ), [path[:-1], path, path, orjson.dumps(value).decode()]
        case Map(values=values):
            known = orjson.dumps(values).decode()
            return (
                f"CASE WHEN {_IS}'string' AND %s::text::jsonb -> {_TEXT} IS NOT NULL"
                f" THEN jsonb_set(s.d, %s::text[], %s::text::jsonb -> {_TEXT}) ELSE s.d END"
            ), [path, known, path, path, known, path]
        case Drop():
            return "CASE WHEN s.d #> %s::text[] IS NULL THEN s.d ELSE s.d #- %s::text[] END", [path, path]
        case Coerce(to=kind):
            made = _COERCE[kind]
            number = made.count("%s")
            return (
                f"CASE WHEN s.d #> %s::text[] IS NULL THEN s.d"
                f" ELSE jsonb_set(s.d, %s::text[], CASE {made} ELSE s.d #> %s::text[] END) END"
            ), [path] * (number + 3)
    raise TypeError(operation)
