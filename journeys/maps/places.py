"""Where parts stand among their neighbours: stages and channels on their map, touchpoints in their cell.

Places are counted without gaps, so that the place a revision remembers is one to go back to.
"""

from typing import Any
from uuid import UUID

from journeys.models import MapChannel, MapRevision, MapStage, Touchpoint

_Action = MapRevision.Action
AnyPart = MapStage | MapChannel | Touchpoint


def cell_of(part: AnyPart) -> tuple[UUID, UUID] | None:
    return (part.stage_id, part.channel_id) if isinstance(part, Touchpoint) else None


def others(part: AnyPart) -> list[Any]:
    """The other parts shown where this one is or would be, in their order."""
    rows: Any = type(part)._default_manager
    rows = rows.filter(map_id=part.map_id, removed_at=None).exclude(pk=part.pk)
    if isinstance(part, Touchpoint):
        rows = rows.filter(stage_id=part.stage_id, channel_id=part.channel_id)
    return list(rows.order_by("position", "pk"))


def put(part: AnyPart, at: int) -> None:
    """Have it stand at this place, or the nearest there is. Where the others stand is no edit of theirs: they keep
    their revision. The part itself is left to the caller to save."""
    row = others(part)
    part.position = min(max(at, 0), len(row))
    row.insert(part.position, part)
    _count(part, row)


def close_up(before: AnyPart, after: AnyPart) -> None:
    """Count anew those whom a part has left: it was taken off, or went into another cell."""
    is_there_still = after.removed_at is None and cell_of(before) == cell_of(after)
    if before.removed_at is None and not is_there_still:
        _count(before, others(before))


def _count(part: AnyPart, row: list[Any]) -> None:
    stood = {one.pk: one.position for one in row}
    for place, one in enumerate(row):
        one.position = place
    moved = [one for one in row if one.pk != part.pk and stood[one.pk] != one.position]
    type(part)._default_manager.bulk_update(moved, ("position",))


def was_put(part: AnyPart, number: int) -> bool:
    """Whether this revision is about where the part stands; an edit of its words is not, wherever it stood then."""
    actions = dict(
        MapRevision.objects.filter(part_id=part.pk, number__lte=number).values_list("number", "action").order_by()
    )
    while actions.get(number) == _Action.UNDONE:
        number -= 1
    return actions.get(number) in (_Action.MOVED, _Action.REMOVED)
