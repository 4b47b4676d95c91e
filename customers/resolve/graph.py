"""Customers as a pure function of the edge set: the same facts in any order give the same people."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from customers.models.identity import Assurance

# (kind, namespace): in which a person may have only so many values.
Once = tuple[str, UUID]
# An id that was renamed more often than this was not: somebody joins ids that way.
MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class Node:
    """A profile. `most` is how many values of its kind one person may have, None for any number; a `shared` one
    belongs to too many people to tell anybody from anybody, and joins none. `typed` is what people put in."""

    id: UUID
    kind: Once
    value: str
    most: int | None = None
    shared: bool = False
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """An edge. `kind` is join, alias (a join whose two ends are names of one thing) or split."""

    id: int
    low: UUID
    high: UUID
    kind: str
    assurance: int
    occurred_at: datetime
    source_id: UUID
    message_id: str

    def place(self, by_id: Mapping[UUID, Node]) -> tuple[Any, ...]:
        """The most certain and oldest first; of what a source saw, its own ids before what somebody typed there. What
        one message told is told apart by what it named: profiles are called in the order of their making, which is no
        order of the facts."""
        both = by_id[self.low], by_id[self.high]
        typed = self.assurance == Assurance.OBSERVED and any(end.typed for end in both)
        ends = sorted((end.kind, end.value) for end in both)
        return -self.assurance, typed, self.occurred_at, self.source_id, self.message_id, ends, self.low, self.high


@dataclass(frozen=True, slots=True)
class Grouping:
    """`customer` names each profile's customer: the least profile id of its component."""

    customer: dict[UUID, UUID]
    skipped: frozenset[int]


def group(nodes: Collection[Node], edges: Iterable[Evidence]) -> Grouping:
    """Join profiles along the edges, the most certain and oldest evidence first (DESIGN §3, Identity).

    An edge is skipped when it would give a person more values of a kind than people have, when one of its ends is
    shared, or when evidence that weighs as much tells its two sides apart. Among decisions of people the later weighs
    more.
    """
    by_id = {node.id: node for node in nodes}
    joins: list[Evidence] = []
    splits: list[Evidence] = []
    for edge in edges:
        (splits if edge.kind == "split" else joins).append(edge)
    joins.sort(key=lambda edge: edge.place(by_id))
    skipped = {edge.id for edge in joins if by_id[edge.low].shared or by_id[edge.high].shared}
    followed = [edge for edge in joins if edge.id not in skipped]
    groups = _Groups(by_id.values(), _names(by_id, followed, splits))
    for edge in followed:
        one, other = groups.root(edge.low), groups.root(edge.high)
        if one == other:
            continue
        if groups.clash(one, other) or _apart(groups, one, other, edge, splits):
            skipped.add(edge.id)
        else:
            groups.unite(one, other)
    return Grouping({node: groups.root(node) for node in by_id}, frozenset(skipped))


class _Groups:
    """Union-find that also knows which values of limited kinds each group holds."""

    def __init__(self, nodes: Iterable[Node], names: dict[UUID, UUID]) -> None:
        self.parent: dict[UUID, UUID] = {}
        self.values: dict[UUID, dict[Once, set[UUID]]] = {}
        self.most: dict[Once, int] = {}
        for node in nodes:
            self.parent[node.id] = node.id
            self.values[node.id] = {}
            if node.most is not None:
                self.most[node.kind] = node.most
                self.values[node.id] = {node.kind: {names.get(node.id, node.id)}}

    def root(self, node: UUID) -> UUID:
        while self.parent[node] != node:
            self.parent[node] = node = self.parent[self.parent[node]]
        return node

    def clash(self, one: UUID, other: UUID) -> bool:
        """Whether uniting the two would give a person more values of a kind than people have."""
        few, many = sorted((self.values[one], self.values[other]), key=len)
        return any(kind in many and len(values | many[kind]) > self.most[kind] for kind, values in few.items())

    def unite(self, one: UUID, other: UUID) -> None:
        kept, absorbed = (one, other) if one < other else (other, one)
        self.parent[absorbed] = kept
        into = self.values[kept]
        for kind, values in self.values.pop(absorbed).items():
            into[kind] = into.get(kind, set()) | values


def _names(by_id: dict[UUID, Node], joins: Sequence[Evidence], splits: Collection[Evidence]) -> dict[UUID, UUID]:
    """By profile, the one that stands for all its names: an alias makes two values of a kind count as one."""
    names: dict[UUID, set[UUID]] = {}
    for edge in joins:
        if edge.kind != "alias" or by_id[edge.low].kind != by_id[edge.high].kind:
            continue
        if any((split.low, split.high) == (edge.low, edge.high) and _outweighs(split, edge) for split in splits):
            continue
        both = names.get(edge.low, {edge.low}) | names.get(edge.high, {edge.high})
        if len(both) <= MOST_NAMES:
            names.update(dict.fromkeys(both, both))
    return {node: min(both) for node, both in names.items()}


def _apart(groups: _Groups, one: UUID, other: UUID, edge: Evidence, splits: Iterable[Evidence]) -> bool:
    return any(
        _outweighs(split, edge) and {groups.root(split.low), groups.root(split.high)} == {one, other}
        for split in splits
    )


def _outweighs(split: Evidence, edge: Evidence) -> bool:
    if split.assurance == edge.assurance == Assurance.PERSON:
        return split.occurred_at >= edge.occurred_at
    return split.assurance >= edge.assurance
