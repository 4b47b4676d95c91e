"""A draft schema for events that nobody planned, from some of them: types that were seen, and what was in all."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from customers.registry.flat import Schema, kind_of

_DEEPEST: Final = 8


def infer(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A schema that all samples fit; without any, one that says nothing yet."""
    return _object(list(samples), 0)


def _object(samples: Sequence[Mapping[str, Any]], depth: int) -> dict[str, Any]:
    names = list(dict.fromkeys(name for one in samples for name in one))
    held = {name: [one[name] for one in samples if name in one] for name in names}
    return {
        "type": "object",
        "required": [name for name in names if len(held[name]) == len(samples)],
        "properties": {name: _schema(values, depth + 1) for name, values in held.items()},
    }


def _schema(values: Sequence[Any], depth: int) -> Schema:
    kinds = sorted({kind_of(value) for value in values})
    if "number" in kinds:
        kinds = [kind for kind in kinds if kind != "integer"]
    if not kinds or depth > _DEEPEST:
        return {}
    made: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    if "object" in kinds:
        inner = _object([one for one in values if isinstance(one, dict)], depth)
        made |= {word: inner[word] for word in ("required", "properties")}
    if "array" in kinds:
        made["items"] = _schema([one for held in values if isinstance(held, list) for one in held], depth)
    return made
