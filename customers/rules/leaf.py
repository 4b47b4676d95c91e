"""What a leaf kind is, and the register of them: each lives in one file of the app that owns its data."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import UUID

import msgspec

from customers.hints import Text
from customers.rules.errors import Problem
from customers.rules.reading import TIMELESS, Fragment, Reading

if TYPE_CHECKING:
    from customers.sight import Person

# Where a rule is asked: of somebody to whom something happens just now, of all people, as segments do, or of somebody
# on their way through a journey.
MOMENT: Final = "moment"
PEOPLE: Final = "people"
WALK: Final = "walk"

# Said of a field that is not filled in yet.
BLANK: Final = "…"
_NOTHING: Mapping[str, Any] = {}


@dataclass(slots=True)
class Facts:
    """What a rule looks at: the customer's traits, the properties of the event at hand, what other leaf kinds ask
    for by name in `extra`, and the time."""

    traits: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    properties: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    extra: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    now: datetime = TIMELESS


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
    # In which rules it may stand.
    places: ClassVar[frozenset[str]] = frozenset({MOMENT, PEOPLE, WALK})

    @property
    def traits(self) -> frozenset[str]:
        """Names of the customer's traits that are looked at, so that what was seen can be kept."""
        return frozenset()

    @property
    def is_timed(self) -> bool:
        """Whether the answer may become another by the passing of time alone."""
        return False

    @property
    def events(self) -> frozenset[str]:
        """Names of the past events that are looked at."""
        return frozenset()

    @property
    def identifiers(self) -> frozenset[str]:
        """Kinds of identifiers that are looked at."""
        return frozenset()

    @property
    def segments(self) -> frozenset[str]:
        """Keys of the segments that are looked at."""
        return frozenset()

    @property
    def watched(self) -> frozenset[tuple[str, str]]:
        """(kind, name) of what else is looked at; who owns it tells segments when it changes (segments.watch)."""
        return frozenset()

    def seen(self, facts: Facts) -> Mapping[str, Any]:
        """What it looks at beside traits and the event, by a name of its own: kept with the decision that it made."""
        return {}

    @property
    def is_personal(self) -> bool:
        """Whether to know the answer is to know personal data: what only those may be told who read it."""
        return False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in cls.__dict__:
            _register(cls)

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        """The condition as a person would say it, out of its fields as they would be said."""
        return " ".join(said.values())

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        """What a brand has for the fields to refer to, by what they refer to: (value, label), and the group that
        narrows it."""
        return {}

    def problems(self) -> Iterable[Problem]:
        """What is wrong beyond the types of the fields; pointers are relative to the leaf."""
        return ()

    def absent(self, brand_id: UUID) -> Iterable[Problem]:
        """What it names that the brand does not have; pointers as above."""
        return ()

    def python(self) -> Holds:
        """The condition as a function of facts already in memory."""
        raise TypeError(f"leaf kind {self.kind!r} does not say when it is true in memory")

    def sql(self, reading: Reading) -> Fragment:
        """The condition over the tables as they are at `reading.now`, by the aliases that the kind's file names."""
        raise TypeError(f"leaf kind {self.kind!r} does not say when it is true in SQL")

    def as_of(self, reading: Reading) -> Fragment:
        """The condition as it stood at `reading.now`, in valid time."""
        raise TypeError(f"leaf kind {self.kind!r} does not say when it was true")

    def to_json(self) -> dict[str, Any]:
        return {"leaf": self.kind, **msgspec.to_builtins(self)}


_kinds: dict[str, type[Leaf]] = {}


def _register(leaf: type[Leaf]) -> None:
    other = _kinds.setdefault(leaf.kind, leaf)
    if other is not leaf:
        raise RuntimeError(f"two leaf kinds are called {leaf.kind}: {other!r}, {leaf!r}")


def leaf_kinds(place: str = MOMENT) -> Mapping[str, type[Leaf]]:
    return {key: leaf for key, leaf in _kinds.items() if place in leaf.places}


def every_kind() -> Mapping[str, type[Leaf]]:
    """Wherever they may stand."""
    return _kinds
