"""JSON values as rules see them: three scalar kinds that are never coerced into one another."""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

Test = Callable[[Any], bool]

# Below this, binary floats and the decimals they are written as stand in the same order as integers do.
_SAFE = 2**53


def is_number(value: object) -> bool:
    kind = type(value)
    return kind is int or kind is float


def added_to(traits: Mapping[str, Any], added: Mapping[str, int | float]) -> dict[str, Any]:
    """What the numbers make of the traits: of one that is not known they are the beginning, and what is no number
    stays as it is."""
    known = {name: 0 if traits.get(name) is None else traits[name] for name in added}
    return {name: known[name] + more for name, more in added.items() if is_number(known[name])}


def exact(number: float) -> int | Decimal:
    """The number as JSON writes it, which is the one PostgreSQL compares."""
    return Decimal(repr(number)) if type(number) is float else int(number)


def is_safe(number: float) -> bool:
    """Whether Python may compare this number with any other without first making both exact."""
    return -_SAFE < number < _SAFE


def as_json(value: object) -> str:
    return json.dumps(value, allow_nan=False)


def at_path(path: Sequence[str]) -> Callable[[Mapping[str, Any]], Any]:
    """A function that follows the path through nested objects; None where it ends early, or at null."""
    first, *rest = path
    if not rest:
        return lambda values: values.get(first)

    def follow(values: Mapping[str, Any]) -> Any:
        value = values.get(first)
        for name in rest:
            if type(value) is not dict:
                return None
            value = value.get(name)
        return value

    return follow
