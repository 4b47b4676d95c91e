"""Identity on the timeline: identifiers, and the evidence that profiles are, or are not, one person."""

from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from analytics.timeline.entry import Entry, Place, Scope, beyond
from customers.models import Edge, EdgeKind, Identifier, Profile


def opened(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    found = beyond(_identifiers(scope), after, "opened", "opened_at", limit)
    return [_identifier(one, "opened", _("known by")) for one in found]


def closed(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    found = beyond(_identifiers(scope), after, "closed", "closed_at", limit)
    return [_identifier(one, "closed", _("no longer known by")) for one in found]


def _identifiers(scope: Scope) -> "QuerySet[Any]":
    return scope.see(Identifier).filter(profile_id__in=scope.profiles).select_related("kind")


def _identifier(one: Identifier, stream: str, text: str) -> Entry:
    at = one.closed_at if stream == "closed" and one.closed_at else one.opened_at
    return Entry(
        place=Place(at, stream, str(one.pk)),
        kind="identity",
        title=one.kind.name,
        text=text,
        link=("customers_identifier", one.pk),
        detail={_("value"): one.original},
    )


def edges(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    whose = Q(low_id__in=scope.profiles) | Q(high_id__in=scope.profiles)
    found = beyond(scope.see(Edge).filter(whose), after, "edge", "occurred_at", limit)
    return [_edge(edge) for edge in found]


def _edge(edge: Edge) -> Entry:
    texts = {
        EdgeKind.JOIN: _("two profiles are the same person"),
        EdgeKind.SPLIT: _("two profiles are not the same person"),
    }
    text = texts[EdgeKind(edge.kind)]
    if edge.skipped:
        text = _("not followed: it would give one person two values of a kind that people have once")
    return Entry(
        place=Place(edge.occurred_at, "edge", str(edge.pk)),
        kind="identity",
        title=_("evidence"),
        text=text,
        link=("customers_edge", edge.pk),
        tone="warn" if edge.skipped or edge.kind == EdgeKind.SPLIT else "",
        detail={_("assurance"): edge.get_assurance_display()},
    )


def joined(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    """Since when a profile is with this customer, where it was with another before."""
    rows = scope.see(Profile).filter(pk__in=scope.profiles, customer_since__gt=F("created_at"))
    found = beyond(rows.select_related("identifier__kind"), after, "joined", "customer_since", limit)
    return [_joined(profile) for profile in found]


def _joined(profile: Profile) -> Entry:
    identifier = getattr(profile, "identifier", None)
    return Entry(
        place=Place(profile.customer_since, "joined", str(profile.pk)),
        kind="identity",
        title=_("profile"),
        text=_("with this customer since then"),
        link=("customers_profile", profile.pk),
        detail={identifier.kind.name: identifier.original} if identifier else {},
    )
