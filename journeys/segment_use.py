"""Which journeys wait for somebody to come into a segment, or to leave it, or let nobody in who is in it: it cannot be
archived under them."""

from collections.abc import Iterator
from typing import Any, Final

from customers.internal import SEGMENT_ENTERED, SEGMENT_LEFT
from customers.models import Segment
from journeys.models import Journey

_EVENTS: Final = (SEGMENT_ENTERED, SEGMENT_LEFT)
_AT_WORK: Final = (Journey.Status.LIVE, Journey.Status.PAUSED)


def journeys_at(segment: Segment) -> list[str]:
    """Names of the journeys at work that name it; who waits for any segment waits for no certain one."""
    rows = Journey.objects.filter(brand=segment.brand_id, status__in=_AT_WORK).exclude(live_version=None)
    named = rows.order_by("name").values_list("name", "live_version__definition")
    return [
        name
        for name, definition in named
        if definition["entry"].get("exclude") == segment.key or _waits_for(definition, segment.key)
    ]


def _waits_for(part: Any, key: str) -> bool:
    return any(
        one.get("event") in _EVENTS and any(_names(leaf, key) for leaf in _objects(one.get("rule")))
        for one in _objects(part)
    )


def _names(leaf: dict[str, Any], key: str) -> bool:
    if leaf.get("leaf") != "event_property" or leaf.get("name") != "segment":
        return False
    value = leaf.get("value")
    return key in value if isinstance(value, list) else key == value


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    """The part, if it is an object, and all objects in it."""
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from _objects(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _objects(inner)
