"""A submitted form as a tree: names are paths with slashes, such as steps/0/branches/1/next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# Deeper than any form of ours: a rule of eight levels within a branch within a step.
_DEEPEST = 32


class TooLarge(Exception):
    """A form with more rows than any journey may have."""


@dataclass(slots=True)
class Posted:
    """The values given under one path."""

    values: list[str] = field(default_factory=list)
    below: dict[str, "Posted"] = field(default_factory=dict)

    def at(self, name: str) -> "Posted":
        return self.below.get(name, _NOTHING)

    def text(self, name: str) -> str:
        values = self.at(name).values
        return values[-1] if values else ""

    def texts(self, name: str) -> list[str]:
        return self.at(name).values

    def rows(self, name: str, most: int) -> list["Posted"]:
        """The numbered parts under `name`, in the order of their numbers."""
        below = self.at(name).below
        keys = sorted(filter(_is_index, below), key=int)
        if len(keys) > most:
            raise TooLarge(name)
        return [below[key] for key in keys]


_NOTHING = Posted()


def tree(data: Mapping[str, Sequence[str]] | Iterable[tuple[str, Sequence[str]]]) -> Posted:
    root = Posted()
    for name, values in data.items() if isinstance(data, Mapping) else data:
        path = name.split("/")
        if len(path) > _DEEPEST:
            continue
        here = root
        for part in path:
            here = here.below.setdefault(part, Posted())
        here.values = list(values)
    return root


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= 6
