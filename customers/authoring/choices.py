"""What a form offers to choose from or suggests, by what its fields refer to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from customers.hints import Text

# So many are listed at most; others can be typed in.
MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """`group` is what the choices of one kind are narrowed by: the channel."""

    value: str
    label: Text
    group: str = ""


@dataclass(slots=True)
class Choices:
    """By what a field refers to."""

    by_kind: dict[str, list[Choice]] = field(default_factory=dict)

    def of(self, kind: str, group: str = "") -> list[Choice]:
        """Those of the group; each once of all of them if there is no group."""
        found = self.by_kind.get(kind, [])
        if group:
            return [choice for choice in found if choice.group == group]
        return list({choice.value: choice for choice in found}.values())


def named(rows: Iterable[tuple[str, ...]]) -> list[Choice]:
    """Choices out of (key, name) or (key, name, group)."""
    return [Choice(key, name if name == key else f"{name} ({key})", *group) for key, name, *group in rows]
