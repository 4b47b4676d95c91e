"""Events on the timeline, with what they said."""

from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from analytics.timeline.entry import STREAMS, Entry, Place, Scope
from customers.models import Event, EventPayload

# Per profile from the index, so that a person of a hundred thousand events costs as much as one of ten.
_NEXT = """
    SELECT e.id, e.received_at
    FROM unnest(%(profiles)s::uuid[]) AS p(id), LATERAL (
        SELECT e.id, e.received_at, e.occurred_at FROM customers_event e
        WHERE e.profile_id = p.id AND e.occurred_at <= %(at)s AND {later} AND {brands}
        ORDER BY e.occurred_at DESC, e.id LIMIT %(limit)s
    ) e
    ORDER BY e.occurred_at DESC, e.id LIMIT %(limit)s
"""
_LATER = {
    "any": "true",
    "earlier": "e.occurred_at < %(at)s",
    "same": "(e.occurred_at < %(at)s OR e.id > %(key)s)",
}
_SHOWN = 12


def events(scope: Scope, after: Place | None, limit: int) -> list[Entry]:
    references = _next(scope, after, limit)
    if not references:
        return []
    keys = {"pk__in": [id_ for id_, _at in references], "received_at__in": [at for _id, at in references]}
    said = {row.event_id: row.payload for row in scope.see(EventPayload).filter(**keys)}
    found = {event.pk: event for event in scope.see(Event).select_related("source").filter(**keys)}
    return [_entry(found[id_], said.get(id_)) for id_, _at in references if id_ in found]


def _next(scope: Scope, after: Place | None, limit: int) -> list[tuple[int, Any]]:
    later = "any" if after is None else _side(after)
    values = {
        "profiles": list(scope.profiles),
        "at": after.at if after else "infinity",
        "key": int(after.key) if after and later == "same" else 0,
        "limit": limit,
        "brands": list(scope.brands or ()),
    }
    brands = "true" if scope.brands is None else "e.brand_id = ANY(%(brands)s::uuid[])"
    with connection.cursor() as cursor:
        cursor.execute(_NEXT.format(later=_LATER[later], brands=brands), values)
        found: list[tuple[int, Any]] = cursor.fetchall()
    return found


def _side(after: Place) -> str:
    """How events of the very instant of the place stand to it."""
    mine, its = STREAMS.index("event"), STREAMS.index(after.stream)
    if mine == its:
        return "same"
    return "earlier" if mine < its else "any"


def _entry(event: Event, payload: dict[str, Any] | None) -> Entry:
    content = payload or {}
    said = content.get("properties") or content.get("traits") or {}
    text = _("from %(source)s") if not event.historical else _("from %(source)s, imported")
    return Entry(
        place=Place(event.occurred_at, "event", str(event.pk)),
        kind="event",
        title=event.name,
        text=text % {"source": event.source.name},
        link=("customers_event", event.pk),
        brand_id=event.brand_id,
        detail=dict(list(said.items())[:_SHOWN]) if isinstance(said, dict) else {},
    )
