"""By which event people come in, whatever kind of entry it is."""

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from customers.internal import SEGMENT_ENTERED, SEGMENT_LEFT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journeys.definition import Entry

# Somebody is called into one journey, which its properties name.
CALLED: Final = "journey.called"


def needed_by(entry: "Mapping[str, Any]") -> str:
    """The field without which an entry, as it is written, is none."""
    return "event" if entry.get("kind", "event") == "event" else "segment"


def event_of(entry: "Entry") -> str:
    if entry.kind == "schedule":
        return CALLED
    if entry.kind == "segment":
        return SEGMENT_ENTERED if entry.moved == "entered" else SEGMENT_LEFT
    return entry.event


def is_meant(entry: "Entry", journey_id: UUID, name: str, properties: "Mapping[str, Any]") -> bool:
    """Whether an event of this name is about this entry: one about another segment or journey is no entry event."""
    if name == CALLED:
        return bool(properties.get("journey") == str(journey_id))
    return entry.kind != "segment" or properties.get("segment") == entry.segment
