"""Customers as a pure function of the edge set: the same facts in any order give the same people."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Node:
    """A profile. `once` is (kind, namespace) when its kind is one-per-person, `value` its identifier's value."""

    id: UUID
    once: tuple[str, UUID] | None
    value: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """An edge: `joins` says whether it tells two profiles together or apart."""

    id: int
    low: UUID
    high: UUID
    joins: bool
    assurance: int
    occurred_at: datetime
    source_id: UUID
    message_id: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """`customer` names each profile's customer: the least profile id of its component."""

    customer: dict[UUID, UUID]
    skipped: frozenset[int]


class _Groups:
    """Union-find that also knows which one-per-person values each group holds."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.parent: dict[UUID, UUID] = {}
        self.members: dict[UUID, set[UUID]] = {}
        self.once: dict[UUID, dict[tuple[str, UUID], str]] = {}
        for node in nodes:
            self.parent[node.id] = node.id
            self.members[node.id] = {node.id}
            self.once[node.id] = {node.once: node.value} if node.once else {}

    def root(self, node: UUID) -> UUID:
        while self.parent[node] != node:
            self.parent[node] = node = self.parent[self.parent[node]]
        return node

    def clash(self, one: UUID, other: UUID) -> bool:
        """Whether uniting the two would give a person two values of a kind that people have once."""
        few, many = sorted((self.once[one], self.once[other]), key=len)
        return any(many.get(kind, value) != value for kind, value in few.items())

    def unite(self, one: UUID, other: UUID) -> None:
        kept, absorbed = (one, other) if one < other else (other, one)
        self.parent[absorbed] = kept
        self.members[kept] |= self.members.pop(absorbed)
        self.once[kept] |= self.once.pop(absorbed)


def group(nodes: Collection[Node], edges: Iterable[Evidence]) -> Grouping:
    """Join profiles along the edges, the most certain and oldest evidence first (DESIGN §3, Identity).

    An edge is skipped when it would join two values of a one-per-person kind, or a pair that evidence of at
    least the same assurance tells apart.
    """
    groups = _Groups(nodes)
    joins: list[Evidence] = []
    splits: list[Evidence] = []
    for edge in edges:
        (joins if edge.joins else splits).append(edge)
    joins.sort(
        key=lambda edge: (
            -edge.assurance,
            edge.occurred_at,
            edge.source_id,
            edge.message_id,
            edge.low,
            edge.high,
        )
    )
    skipped = set()
    for edge in joins:
        one, other = groups.root(edge.low), groups.root(edge.high)
        if one == other:
            continue
        if groups.clash(one, other) or _apart(groups, one, other, edge.assurance, splits):
            skipped.add(edge.id)
        else:
            groups.unite(one, other)
    return Grouping({node.id: groups.root(node.id) for node in nodes}, frozenset(skipped))


def _apart(groups: _Groups, one: UUID, other: UUID, assurance: int, splits: Iterable[Evidence]) -> bool:
    return any(
        split.assurance >= assurance and {groups.root(split.low), groups.root(split.high)} == {one, other}
        for split in splits
    )
