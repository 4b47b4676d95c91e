"""The segments that an entry names, as ids of its brand."""

from uuid import UUID

from django.utils.translation import gettext as _

from customers.models import Segment
from customers.rules.errors import Problem
from journeys.definition import Entry


def named(entry: Entry) -> dict[str, str]:
    """By pointer, the keys of the segments it names."""
    return {"/entry/exclude": entry.exclude} if entry.exclude else {}


def bind_segments(brand_id: UUID, entry: Entry) -> tuple[dict[str, str], list[Problem]]:
    """The ids by key, and a problem for each that is not there; asked only of an entry that names any."""
    keys = named(entry)
    if not keys:
        return {}, []
    there = Segment.objects.filter(brand_id=brand_id, key__in=keys.values()).exclude(state=Segment.State.ARCHIVED)
    ids = {key: str(id_) for key, id_ in there.values_list("key", "id")}
    problems = [
        Problem(
            "unknown_segment",
            pointer,
            _("There is no segment “%(key)s”.") % {"key": key},
            _("Use the key of a segment of this brand."),
        )
        for pointer, key in keys.items()
        if key not in ids
    ]
    return ids, problems
