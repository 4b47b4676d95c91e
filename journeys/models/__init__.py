"""The tables of the decide layer, one file an idea."""

from journeys.models.journey import Journey, JourneyVersion
from journeys.models.run import (
    CancelWatch,
    Cause,
    EntryMemory,
    EntryRefusal,
    RecheckItem,
    Run,
    RunContext,
    Transition,
)

__all__ = [
    "CancelWatch",
    "Cause",
    "EntryMemory",
    "EntryRefusal",
    "Journey",
    "JourneyVersion",
    "RecheckItem",
    "Run",
    "RunContext",
    "Transition",
]
