"""Which versions people may come into just now, and what is said beside: caps of brands, and ramps that are over."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec

from journeys.compiling import version
from journeys.entry.names import CALLED
from journeys.models import Journey
from journeys.version import Version

SAID_BESIDE: Final = ("brand__journeys_at_once", "ramp_over")


@dataclass(slots=True)
class Entries:
    """Versions by (brand, entry event), those of the highest priority first, and the caps of brands that have one."""

    by_event: dict[tuple[UUID, str], list[Version]] = field(default_factory=dict)
    at_once: dict[UUID, int] = field(default_factory=dict)
    # Journeys whose ramp is over.
    widened: set[UUID] = field(default_factory=set)

    def add(self, one: Version, at_once: int | None, ramp_over: object) -> None:
        """A live version, with its brand's cap and the ramp that somebody ended, if any."""
        # Whatever it begins with, people may be called into it.
        for event in {one.entry_event, CALLED}:
            self.by_event.setdefault((one.brand_id, event), []).append(one)
        if at_once is not None:
            self.at_once[one.brand_id] = at_once
        ramp = one.definition.entry.ramp
        if ramp is not None and msgspec.to_builtins(ramp) == ramp_over:
            self.widened.add(one.journey_id)

    def of(self, brand_id: UUID, event: str) -> list[Version]:
        return self.by_event.get((brand_id, event), [])


def live_entries() -> Entries:
    """All that are live, by one statement."""
    entries = Entries()
    live = Journey.objects.filter(status=Journey.Status.LIVE).exclude(live_version=None)
    for id_, *said in live.values_list("live_version_id", *SAID_BESIDE):
        entries.add(version(id_), *said)
    for candidates in entries.by_event.values():
        candidates.sort(key=lambda one: -one.definition.entry.priority)
    return entries
