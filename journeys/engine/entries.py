"""Which versions people may come into just now, and in how many journeys at once their brands let them be."""

from dataclasses import dataclass, field
from uuid import UUID

from journeys.models import Journey
from journeys.version import Version, version


@dataclass(slots=True)
class Entries:
    """Versions by (brand, entry event), those of the highest priority first, and the caps of brands that have one."""

    by_event: dict[tuple[UUID, str], list[Version]] = field(default_factory=dict)
    at_once: dict[UUID, int] = field(default_factory=dict)

    def of(self, brand_id: UUID, event: str) -> list[Version]:
        return self.by_event.get((brand_id, event), [])


def live_entries() -> Entries:
    """All that are live, by one statement."""
    entries = Entries()
    live = Journey.objects.filter(status=Journey.Status.LIVE).exclude(live_version=None)
    for id_, brand_id, most in live.values_list("live_version_id", "brand_id", "brand__journeys_at_once"):
        one = version(id_)
        entries.by_event.setdefault((brand_id, one.definition.entry.event), []).append(one)
        if most is not None:
            entries.at_once[brand_id] = most
    for candidates in entries.by_event.values():
        candidates.sort(key=lambda one: -one.definition.entry.priority)
    return entries
