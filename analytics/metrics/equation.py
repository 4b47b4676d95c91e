"""Numbers that must add up: a total counted one way, and its parts counted another."""

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Part:
    key: str
    label: str | Promise
    count: int


@dataclass(frozen=True, slots=True)
class Equation:
    """`definition` says what is counted, from where, and so how far the two sides are independent."""

    key: str
    label: str | Promise
    definition: str | Promise
    total: int
    parts: tuple[Part, ...]

    @property
    def holds(self) -> bool:
        return self.total == sum(part.count for part in self.parts)
