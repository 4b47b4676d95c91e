"""What a leaf kind is, and the register of them: each lives in one file of the app that owns its data."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec

from customers.hints import Text
from customers.rules.errors import Problem

# SQL text with %s placeholders, and their values.
Fragment = tuple[str, list[Any]]

_NOTHING: Mapping[str, Any] = {}


@dataclass(slots=True)
class Facts:
    """What a rule looks at: the customer's traits, the properties of the event at hand, and what other leaf
    kinds ask for by name in `extra`."""

    traits: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    properties: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    extra: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


Holds = Callable[[Facts], bool]


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One condition. A subclass that sets `kind` is known to the parser as soon as its module is imported.

    Both back ends say true or false for every input, never unknown, and say the same.
    """

    kind: ClassVar[str]
    # What forms call it; without one, its kind.
    label: ClassVar[Text] = ""
    # What must be looked at again when it changes: "traits", "event", ...
    inputs: ClassVar[frozenset[str]]
    # What forms suggest for a field: its name, then what kind of name is meant (trait, property).
    suggests: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @property
    def traits(self) -> frozenset[str]:
        """Names of the customer's traits that are looked at, so that what was seen can be kept."""
        return frozenset()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in cls.__dict__:
            _register(cls)

    def problems(self) -> Iterable[Problem]:
        """What is wrong beyond the types of the fields; pointers are relative to the leaf."""
        return ()

    def python(self) -> Holds:
        """The condition as a function of facts already in memory."""
        raise TypeError(f"leaf kind {self.kind!r} does not say when it is true in memory")

    def sql(self) -> Fragment:
        """The condition over the tables as they are now, by the aliases that the kind's file names."""
        raise TypeError(f"leaf kind {self.kind!r} does not say when it is true in SQL")

    def as_of(self, moment: datetime) -> Fragment:
        """The condition as it stood at `moment`, in valid time."""
        raise TypeError(f"leaf kind {self.kind!r} does not say when it was true")

    def to_json(self) -> dict[str, Any]:
        fields = msgspec.structs.asdict(self)
        given = {name: value for name, value in fields.items() if value is not msgspec.UNSET}
        return {"leaf": self.kind, **given}


_kinds: dict[str, type[Leaf]] = {}


def _register(leaf: type[Leaf]) -> None:
    other = _kinds.setdefault(leaf.kind, leaf)
    if other is not leaf:
        raise RuntimeError(f"two leaf kinds are called {leaf.kind}: {other!r}, {leaf!r}")


def leaf_kinds() -> Mapping[str, type[Leaf]]:
    return _kinds
