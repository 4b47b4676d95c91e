"""The tables of the decide layer, one file an idea."""

from journeys.models.draft import DraftRevision
from journeys.models.halt import Halt
from journeys.models.journey import Journey, JourneyVersion
from journeys.models.journey_map import (
    JourneyMap,
    MapChannel,
    MapPart,
    MapRevision,
    MapStage,
    PlacedStep,
    Touchpoint,
)
from journeys.models.run import (
    CancelWatch,
    Cause,
    EntryMemory,
    EntryRefusal,
    RecheckItem,
    RuleInputs,
    Run,
    RunContext,
    Transition,
)
from journeys.models.variable import Variable

__all__ = [
    "CancelWatch",
    "Cause",
    "DraftRevision",
    "EntryMemory",
    "EntryRefusal",
    "Halt",
    "Journey",
    "JourneyMap",
    "JourneyVersion",
    "MapChannel",
    "MapPart",
    "MapRevision",
    "MapStage",
    "PlacedStep",
    "RecheckItem",
    "RuleInputs",
    "Run",
    "RunContext",
    "Touchpoint",
    "Transition",
    "Variable",
]
