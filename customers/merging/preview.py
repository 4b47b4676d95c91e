"""What a decision would do: computed as the decision itself is, and not written."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from customers import kinds
from customers.merging.decide import Decision, Tie, crossing, evidence, ties
from customers.merging.effects import Effect, Regrouped, effects
from customers.models import Assurance
from customers.pg import raw_cursor
from customers.resolve.component import Component, closure, regroup
from customers.resolve.graph import Evidence


@dataclass(frozen=True, slots=True)
class Preview:
    """The people there would be, each by its customer's key with its profiles; `stays` is whether nothing would
    change, as when other evidence holds two apart, or together."""

    people: dict[UUID, list[UUID]]
    moved: frozenset[UUID]
    effects: Sequence[Effect]

    @property
    def stays(self) -> bool:
        return not self.moved


def preview_join(one: UUID, other: UUID, made: Decision) -> Preview:
    return _preview([one, other], lambda component: ties(component, one, other), made)


def preview_split(out: Collection[UUID], made: Decision) -> Preview:
    """Raises NothingToSplit where there is no line to cut along."""
    return _preview(out, lambda component: crossing(component, out), made)


def _preview(touched: Collection[UUID], decide: Callable[[Component], Sequence[Tie]], made: Decision) -> Preview:
    # The closure locks what it looks at; the locks go with the transaction, in which nothing is written.
    with transaction.atomic(), raw_cursor() as cursor:
        component = closure(cursor, kinds.current(made.now), touched, {})
        added = evidence(decide(component), made)
        # Of what people decided the latest stands.
        superseded = {(edge.low, edge.high, edge.kind) for edge in added}
        component.edges = [edge for edge in component.edges if not _is_superseded(edge, superseded)]
        grouped = regroup(component, added)
    moved = frozenset(move.profile_id for move in grouped.moves)
    concerned = {one for move in grouped.moves for one in (move.from_id, move.to_id)}
    before = {profile: home.customer_id for profile, home in component.homes.items()}
    touching = {
        profile for profile in before if before[profile] in concerned or grouped.customer[profile] in concerned
    } | set(touched)
    people: dict[UUID, list[UUID]] = {}
    for profile in sorted(touching):
        people.setdefault(grouped.customer[profile], []).append(profile)
    regrouped = Regrouped(
        {profile: before[profile] for profile in touching},
        {profile: grouped.customer[profile] for profile in touching},
        {profile: component.homes[profile].since for profile in touching},
        made.now,
    )
    return Preview(people, moved, effects(regrouped) if moved else ())


def _is_superseded(edge: Evidence, superseded: set[tuple[UUID, UUID, str]]) -> bool:
    return edge.assurance == Assurance.PERSON and (edge.low, edge.high, edge.kind) in superseded
