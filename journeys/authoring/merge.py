"""Two people's changes to one draft, put together: steps by their id, states by their name, all else by key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_ABSENT: Final = object()
# Lists whose rows are told apart by a key of theirs.
_KEYS: Final = {"/steps": "id", "/states": "name"}


@dataclass(slots=True)
class Merged:
    """`conflicts` are the pointers of what both changed, each in another way; there mine was taken."""

    document: dict[str, Any]
    conflicts: list[str] = field(default_factory=list)


def merge(base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Merged:
    conflicts: list[str] = []
    document = _merge(dict(base), dict(mine), dict(theirs), "", conflicts)
    return Merged(document if isinstance(document, dict) else dict(mine), conflicts)


def _merge(base: Any, mine: Any, theirs: Any, pointer: str, conflicts: list[str]) -> Any:
    if mine == theirs or theirs == base:
        return mine
    if mine == base:
        return theirs
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return _merge_objects(base if isinstance(base, dict) else {}, mine, theirs, pointer, conflicts)
    key = _KEYS.get(pointer)
    if key and all(_is_keyed(rows, key) for rows in (mine, theirs)):
        return _merge_rows(base if _is_keyed(base, key) else [], mine, theirs, pointer, key, conflicts)
    if pointer == "/transitions" and all(isinstance(rows, list) for rows in (base, mine, theirs)):
        # Pairs that stand for themselves: what either added is added, what either removed is removed.
        kept = [pair for pair in mine if pair in theirs or pair not in base]
        return kept + [pair for pair in theirs if pair not in mine and pair not in base]
    conflicts.append(pointer)
    return mine


def _merge_objects(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any], pointer: str, conflicts: list[str]
) -> dict[str, Any]:
    merged = {}
    for name in [*mine, *(name for name in theirs if name not in mine)]:
        was, one, other = (side.get(name, _ABSENT) for side in (base, mine, theirs))
        value = _merge(was, one, other, f"{pointer}/{name}", conflicts)
        if value is not _ABSENT:
            merged[name] = value
    return merged


def _merge_rows(
    base: list[Any], mine: list[Any], theirs: list[Any], pointer: str, key: str, conflicts: list[str]
) -> list[Any]:
    """Mine in my order; what they added comes after the row it follows with them."""
    sides = [{row[key]: row for row in rows} for rows in (base, mine, theirs)]
    merged: dict[str, Any] = {}
    for name in _order([row[key] for row in mine], [row[key] for row in theirs]):
        was, one, other = (side.get(name, _ABSENT) for side in sides)
        value = _merge(was, one, other, f"{pointer}/{name}", conflicts)
        if value is not _ABSENT:
            merged[name] = value
    return list(merged.values())


def _order(mine: list[str], theirs: list[str]) -> list[str]:
    order = list(mine)
    for n, name in enumerate(theirs):
        if name not in order:
            before = next((other for other in reversed(theirs[:n]) if other in order), None)
            order.insert(0 if before is None else order.index(before) + 1, name)
    return order


def _is_keyed(rows: Any, key: str) -> bool:
    names = [row.get(key) if isinstance(row, dict) else None for row in rows] if isinstance(rows, list) else [None]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
