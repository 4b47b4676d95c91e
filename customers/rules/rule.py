"""A rule: leaves under all, any and not, compiled once and asked many times."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from customers.rules.leaf import Facts, Holds, Leaf
from customers.rules.reading import TIMELESS, Fragment, Reading


class Node(Protocol):
    """A leaf, a group of nodes, or the opposite of one."""

    @property
    def inputs(self) -> frozenset[str]: ...
    @property
    def traits(self) -> frozenset[str]: ...
    @property
    def is_timed(self) -> bool: ...
    @property
    def events(self) -> frozenset[str]: ...
    @property
    def identifiers(self) -> frozenset[str]: ...
    @property
    def segments(self) -> frozenset[str]: ...
    @property
    def watched(self) -> frozenset[tuple[str, str]]: ...
    def python(self) -> Holds: ...
    def sql(self, reading: Reading) -> Fragment: ...
    def as_of(self, reading: Reading) -> Fragment: ...
    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """`holds` answers for facts in memory; `inputs` names what may change the answer when it changes, `traits` the
    customer's traits among that."""

    root: Node
    holds: Holds = field(init=False, repr=False, compare=False)
    inputs: frozenset[str] = field(init=False, repr=False, compare=False)
    traits: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "holds", self.root.python())
        object.__setattr__(self, "inputs", self.root.inputs)
        object.__setattr__(self, "traits", tuple(sorted(self.root.traits)))

    def sql(self, reading: Reading | None = None) -> Fragment:
        """A boolean expression, never null, over the aliases that the leaf kinds name, and its parameters. What it
        needs beside the customer it leaves in the reading."""
        return self.root.sql(reading or Reading(TIMELESS))

    def as_of(self, moment: datetime | Reading) -> Fragment:
        """The same as it stood at `moment`."""
        return self.root.as_of(Reading(moment) if isinstance(moment, datetime) else moment)

    @property
    def is_timed(self) -> bool:
        """Whether the answer may become another by the passing of time alone."""
        return self.root.is_timed

    def bound(self, reading: Reading, *, most: bool) -> Fragment:
        """An expression that holds wherever the rule may hold at any time, or only where it holds at all times."""
        return _bound(self.root, reading, most)

    def to_json(self) -> dict[str, Any]:
        return self.root.to_json()


@dataclass(frozen=True, slots=True)
class Group:
    """All of the nodes, or any of them."""

    key: Literal["all", "any"]
    nodes: tuple[Node, ...]

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset(name for node in self.nodes for name in node.inputs)

    @property
    def traits(self) -> frozenset[str]:
        return frozenset(name for node in self.nodes for name in node.traits)

    @property
    def is_timed(self) -> bool:
        return any(node.is_timed for node in self.nodes)

    @property
    def events(self) -> frozenset[str]:
        return frozenset(name for node in self.nodes for name in node.events)

    @property
    def identifiers(self) -> frozenset[str]:
        return frozenset(name for node in self.nodes for name in node.identifiers)

    @property
    def segments(self) -> frozenset[str]:
        return frozenset(name for node in self.nodes for name in node.segments)

    @property
    def watched(self) -> frozenset[tuple[str, str]]:
        return frozenset(one for node in self.nodes for one in node.watched)

    def python(self) -> Holds:
        tests = tuple(node.python() for node in self.nodes)
        if len(tests) == 1:
            return tests[0]
        return _all_hold(tests) if self.key == "all" else _any_holds(tests)

    def sql(self, reading: Reading) -> Fragment:
        return self.joined([node.sql(reading) for node in self.nodes])

    def as_of(self, reading: Reading) -> Fragment:
        return self.joined([node.as_of(reading) for node in self.nodes])

    def to_json(self) -> dict[str, Any]:
        return {self.key: [node.to_json() for node in self.nodes]}

    def joined(self, fragments: Sequence[Fragment]) -> Fragment:
        word = " AND " if self.key == "all" else " OR "
        text = word.join(text for text, _parameters in fragments)
        return f"({text})", [one for _text, parameters in fragments for one in parameters]


@dataclass(frozen=True, slots=True)
class Not:
    node: Node

    @property
    def inputs(self) -> frozenset[str]:
        return self.node.inputs

    @property
    def traits(self) -> frozenset[str]:
        return self.node.traits

    @property
    def is_timed(self) -> bool:
        return self.node.is_timed

    @property
    def events(self) -> frozenset[str]:
        return self.node.events

    @property
    def identifiers(self) -> frozenset[str]:
        return self.node.identifiers

    @property
    def segments(self) -> frozenset[str]:
        return self.node.segments

    @property
    def watched(self) -> frozenset[tuple[str, str]]:
        return self.node.watched

    def python(self) -> Holds:
        test = self.node.python()
        return lambda facts: not test(facts)

    def sql(self, reading: Reading) -> Fragment:
        return self.denied(self.node.sql(reading))

    def as_of(self, reading: Reading) -> Fragment:
        return self.denied(self.node.as_of(reading))

    def to_json(self) -> dict[str, Any]:
        return {"not": self.node.to_json()}

    def denied(self, fragment: Fragment) -> Fragment:
        text, parameters = fragment
        return f"NOT ({text})", parameters


def leaves(node: Node, pointer: str = "") -> Iterator[tuple[str, Leaf]]:
    """(pointer into the rule, leaf) of each."""
    if isinstance(node, Group):
        for n, one in enumerate(node.nodes):
            yield from leaves(one, f"{pointer}/{node.key}/{n}")
    elif isinstance(node, Not):
        yield from leaves(node.node, f"{pointer}/not")
    elif isinstance(node, Leaf):
        yield pointer, node


def _bound(node: Node, reading: Reading, most: bool) -> Fragment:
    if not node.is_timed:
        return node.sql(reading)
    if isinstance(node, Group):
        return node.joined([_bound(one, reading, most) for one in node.nodes])
    if isinstance(node, Not):
        return node.denied(_bound(node.node, reading, not most))
    return ("true" if most else "false"), []


# Plain loops: all() and any() over a generator take half as long again.


def _all_hold(tests: Sequence[Callable[[Facts], bool]]) -> Holds:
    def holds(facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110
            if not test(facts):
                return False
        return True

    return holds


def _any_holds(tests: Sequence[Callable[[Facts], bool]]) -> Holds:
    def holds(facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110
            if test(facts):
                return True
        return False

    return holds
