"""What differs between two documents, told line by line: where, from what, to what."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """`before` or `after` is None where there was nothing."""

    place: str
    before: str | None
    after: str | None


def differences(before: Any, after: Any) -> list[Difference]:
    """The leaves of both documents that are not the same, in the order of the newer one."""
    was, became = dict(_leaves(before)), dict(_leaves(after))
    places = [*became, *(place for place in was if place not in became)]
    return [
        Difference(place, was.get(place), became.get(place)) for place in places if was.get(place) != became.get(place)
    ]


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, held in value.items():
            yield from _leaves(held, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list) and value:
        for number, held in enumerate(value, start=1):
            yield from _leaves(held, f"{place}[{number}]")
    elif value is not None:
        yield place, value if isinstance(value, str) else str(value)
