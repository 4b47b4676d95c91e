"""Edits of a map: each makes a revision, and none overwrites what its author has not seen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import transaction

from journeys.maps import places
from journeys.maps.errors import FieldChange, Full, Gone, Outdated, StillUsed
from journeys.maps.places import AnyPart
from journeys.models import JourneyMap, MapChannel, MapPart, MapRevision, MapStage, Touchpoint

# More than these nobody can take in, and the page stays quick.
MOST: Final[Mapping[type[MapPart], int]] = {MapStage: 12, MapChannel: 20, Touchpoint: 200}
_REMOVED = "removed"
_Action = MapRevision.Action
P = TypeVar("P", MapStage, MapChannel, Touchpoint)


def add(part: P, *, by: int | None, now: datetime) -> P:
    """Put a new stage, channel or touchpoint on its map, after those already there."""
    with transaction.atomic():
        _lock_map(part.map_id)
        shown = type(part)._default_manager.filter(map_id=part.map_id, removed_at=None)
        if shown.count() >= MOST[type(part)]:
            raise Full
        part.position = len(places.others(part))
        _check(part)
        part.save(force_insert=True)
        _note(part, _Action.ADDED, by, now)
    return part


def edit(
    part: P, values: Mapping[str, Any], *, lock: int, by: int | None, now: datetime, action: _Action = _Action.EDITED
) -> P:
    """Write `values` unless the part has changed since revision `lock`; then raise Outdated and write nothing.

    A removed part whose removal the author has seen (`lock` is its revision) comes back with the edit.
    """
    with transaction.atomic():
        _lock_map(part.map_id)
        current = _locked(part)
        if current.lock_version != lock:
            raise _outdated(current, lock, values)
        before = values_of(current)
        stood = _as_it_stood(current)
        _set(current, values)
        current.removed_at = None
        if values_of(current) == before:
            return current
        _check(current)
        if stood.removed_at is not None or places.cell_of(current) != places.cell_of(stood):
            places.put(current, len(places.others(current)))
            places.close_up(stood, current)
        return _save(current, action, by, now)


def move(
    touchpoint: Touchpoint, stage_id: UUID, channel_id: UUID, *, lock: int, by: int | None, now: datetime
) -> Touchpoint:
    """Put a touchpoint into another cell, after those already there."""
    return edit(
        touchpoint, {"stage_id": stage_id, "channel_id": channel_id}, lock=lock, by=by, now=now, action=_Action.MOVED
    )


def shift(part: P, by_places: int, *, lock: int, by: int | None, now: datetime) -> P:
    """Move a part along its neighbours: stages to the side, channels up and down, touchpoints within their cell."""
    with transaction.atomic():
        _lock_map(part.map_id)
        current = _locked(part)
        if current.lock_version != lock:
            raise _outdated(current, lock, {})
        at = current.position
        places.put(current, at + by_places)
        if current.position == at:
            return current
        return _save(current, _Action.MOVED, by, now)


def remove(part: P, *, lock: int, by: int | None, now: datetime) -> P:
    """Take a part off the map; its row, numbers and revisions stay."""
    with transaction.atomic():
        _lock_map(part.map_id)
        current = _locked(part)
        if current.lock_version != lock:
            raise _outdated(current, lock, {})
        stood = _as_it_stood(current)
        _take_off(current, now)
        places.close_up(stood, current)
        return _save(current, _Action.REMOVED, by, now)


def undo(part: P, *, lock: int, by: int | None, now: datetime) -> P:
    """Take back the edit that made revision `lock`, if it is still the newest; this, too, is a revision."""
    with transaction.atomic():
        _lock_map(part.map_id)
        current = _locked(part)
        if current.lock_version != lock:
            raise _outdated(current, lock, {})
        before = MapRevision.objects.filter(part_id=current.pk, number=lock - 1).first()
        if before is None:
            stood = _as_it_stood(current)
            _take_off(current, now)
            places.close_up(stood, current)
        else:
            _go_back(current, before, now)
        return _save(current, _Action.UNDONE, by, now)


def _go_back(current: P, to: MapRevision, now: datetime) -> None:
    """Have the part be as that revision had it; its place only if it was its place that changed since."""
    stood = _as_it_stood(current)
    _set(current, to.values)
    at = current.position if places.was_put(current, current.lock_version) else stood.position
    if to.values[_REMOVED]:
        _take_off(current, now)
    else:
        current.removed_at = None
        _check(current)
        places.put(current, at)
    places.close_up(stood, current)


def values_of(part: MapPart) -> dict[str, Any]:
    """What a revision keeps, as JSON has it."""
    values = {name: getattr(part, name) for name in part.written}
    values = {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}
    return values | {_REMOVED: part.removed_at is not None}


def _lock_map(map_id: UUID) -> None:
    """One edit at a time, map by map: edits are people's and rare, and places depend on each other."""
    JourneyMap.objects.select_for_update(no_key=True).get(pk=map_id)


def _locked(part: P) -> P:
    return type(part)._default_manager.select_for_update(no_key=True).get(pk=part.pk)


def _set(part: MapPart, values: Mapping[str, Any]) -> None:
    for name in part.written:
        if name in values:
            field: Any = part._meta.get_field(name)
            setattr(part, name, field.to_python(values[name]))


def _check(part: MapPart) -> None:
    """Raises Gone, or ValidationError by field."""
    if isinstance(part, Touchpoint):
        for cell, model in ((part.stage_id, MapStage), (part.channel_id, MapChannel)):
            if not model._default_manager.filter(pk=cell, map_id=part.map_id, removed_at=None).exists():
                raise Gone
    part.clean_fields()


def _take_off(part: MapPart, now: datetime) -> None:
    if not isinstance(part, Touchpoint):
        within: Any = part
        if within.touchpoints.filter(removed_at=None).exists():
            raise StillUsed
    part.removed_at = now


def _save(part: P, action: _Action, by: int | None, now: datetime) -> P:
    part.lock_version += 1
    part.save()
    _note(part, action, by, now)
    return part


def _note(part: AnyPart, action: _Action, by: int | None, now: datetime) -> None:
    MapRevision.objects.create(
        map_id=part.map_id,
        part_id=part.pk,
        number=part.lock_version,
        action=action,
        values=values_of(part),
        at=now,
        by_id=by,
    )


def _outdated(current: P, lock: int, mine: Mapping[str, Any]) -> Outdated:
    since = list(
        MapRevision.objects.filter(part_id=current.pk, number__gte=lock).select_related("by").order_by("number")
    )
    theirs = values_of(current)
    # A number that never was is nothing the author can have seen.
    before = since[0].values if since and since[0].number == lock else {}
    wanted = values_of(_with(current, mine))
    changes = [
        FieldChange(name, before.get(name), theirs[name], wanted[name] if name in mine else before.get(name))
        for name in (*current.written, _REMOVED)
        if name != "position"
    ]
    return Outdated(current, [revision for revision in since if revision.number > lock], changes)


def _with(part: P, values: Mapping[str, Any]) -> P:
    """A copy, so that the values are compared in the words of a revision."""
    copy = _as_it_stood(part)
    _set(copy, values)
    return copy


def _as_it_stood(part: P) -> P:
    return type(part)(**{field.attname: getattr(part, field.attname) for field in part._meta.concrete_fields})
