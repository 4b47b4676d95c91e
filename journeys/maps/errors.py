"""Why a map was not changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from journeys.models import MapPart, MapRevision


class MapError(Exception):
    """A map was not changed."""


class StillUsed(MapError):
    """A stage or channel that still has touchpoints cannot be taken off the map."""


class Gone(MapError):
    """The stage or channel asked for is no longer on this map."""


class Full(MapError):
    """The map has as many parts of this kind as a page can show."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field as it stood when the person began, as it stands now, and as they want it."""

    name: str
    before: Any
    theirs: Any
    mine: Any

    @property
    def is_contested(self) -> bool:
        """Whether both have changed it, and not to the same."""
        return self.before not in (self.theirs, self.mine) and self.theirs != self.mine


class Outdated(MapError):
    """Somebody else changed the part meanwhile; nothing was written, `changes` tell the two versions apart."""

    def __init__(self, part: MapPart, since: Sequence[MapRevision], changes: Sequence[FieldChange]) -> None:
        super().__init__(f"revision {part.lock_version} is newer")
        self.part = part
        self.since = tuple(since)
        self.changes = tuple(changes)

    @property
    def merged(self) -> Mapping[str, Any]:
        """Both people's changes; where they contradict each other, the one who comes now."""
        return {change.name: change.theirs if change.mine == change.before else change.mine for change in self.changes}
