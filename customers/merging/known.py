"""What holds a customer together, what was not followed and why, and how they came to be who they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import Assurance, Customer, Edge, EdgeKind, Identifier, ProfileMove, Source

if TYPE_CHECKING:
    from customers.sight import Person

_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class KnownEdge:
    """`low` and `high` are the identifiers it joins, None where they may not be seen; `why` says why it is skipped."""

    edge: Edge
    low: Identifier | None
    high: Identifier | None
    source: str
    by: str
    why: "str | Promise"


@dataclass(frozen=True, slots=True)
class Moved:
    """Profiles that came or went at once. `by` is empty where evidence did it; `back` are those that are still here
    and could be taken out again."""

    at: datetime
    came: bool
    other_id: UUID
    identifiers: tuple[Identifier, ...]
    by: str
    back: tuple[UUID, ...]


def edges_of(customer: Customer, viewer: "Person") -> list[KnownEdge]:
    """The most certain first, as they are followed."""
    touching = Q(low__customer_id=customer.pk) | Q(high__customer_id=customer.pk)
    edges = list(Edge.objects.visible_to(viewer).filter(touching).order_by("-assurance", "occurred_at", "pk")[:_SHOWN])
    ends = {profile for edge in edges for profile in (edge.low_id, edge.high_id)}
    known = _identifiers(ends, viewer)
    told = Source.objects.visible_to(viewer).filter(pk__in={one.source_id for one in edges})
    sources = dict(told.values_list("pk", "name"))
    homes = {one.profile_id: one.profile.customer_id for one in known.values()}
    apart = {frozenset((homes.get(e.low_id), homes.get(e.high_id))) for e in edges if e.kind == EdgeKind.SPLIT}
    people = _people(edges)
    return [
        KnownEdge(
            edge,
            known.get(edge.low_id),
            known.get(edge.high_id),
            sources.get(edge.source_id, ""),
            people.get(edge.pk, ""),
            _why(edge, known, apart, homes) if edge.skipped else "",
        )
        for edge in edges
    ]


def _why(edge: Edge, known: dict[UUID, Identifier], apart: Collection[Any], homes: dict[UUID, UUID]) -> "str | Promise":
    both = [known[end] for end in (edge.low_id, edge.high_id) if end in known]
    if any(one.shared_at for one in both):
        return _("one of the two is shared by too many people")
    if frozenset((homes.get(edge.low_id), homes.get(edge.high_id))) in apart:
        return _("other evidence tells them apart")
    return _("a person would have more values of a kind than its limit")


def history_of(customer: Customer, viewer: "Person") -> list[Moved]:
    """The latest first. What one decision or event moved at once is one row."""
    moves = ProfileMove.objects.visible_to(viewer).filter(
        Q(to_customer_id=customer.pk) | Q(from_customer_id=customer.pk)
    )
    groups: dict[tuple[datetime, UUID, UUID], list[UUID]] = defaultdict(list)
    for move in moves.order_by("-at", "-pk")[:_SHOWN]:
        groups[move.at, move.from_customer_id, move.to_customer_id].append(move.profile_id)
    known = _identifiers({profile for profiles in groups.values() for profile in profiles}, viewer)
    deciders = _deciders({at for at, _from, _to in groups})
    here = {profile for profile, one in known.items() if one.profile.customer_id == customer.pk}
    return [
        Moved(
            at=at,
            came=to == customer.pk,
            other_id=from_ if to == customer.pk else to,
            identifiers=tuple(known[one] for one in profiles if one in known),
            by=deciders.get(at, ""),
            back=tuple(one for one in profiles if to == customer.pk and one in here),
        )
        for (at, from_, to), profiles in groups.items()
    ]


def _identifiers(profiles: Collection[UUID], viewer: "Person") -> dict[UUID, Identifier]:
    rows = Identifier.objects.shown_to(viewer).filter(profile_id__in=profiles).select_related("kind", "profile")
    return {one.profile_id: one for one in rows}


def _deciders(times: Collection[datetime]) -> dict[datetime, str]:
    """Who decided what was followed at these times; the rest followed from evidence alone."""
    edges = list(Edge.objects.filter(recorded_at__in=times, assurance=Assurance.PERSON))
    people = _people(edges)
    return {edge.recorded_at: people.get(edge.pk, "") for edge in edges}


def _people(edges: Iterable[Edge]) -> dict[int, str]:
    """By edge, the name of who decided it: a decision's message is its reference and the person's key."""
    keys = {edge.pk: edge.message_id.rpartition(":")[2] for edge in edges if edge.assurance == Assurance.PERSON}
    users = get_user_model()._default_manager.filter(pk__in={key for key in keys.values() if key.isdecimal()})
    names = {str(user.pk): user.get_username() for user in users}
    return {edge: names.get(key, key) for edge, key in keys.items()}
