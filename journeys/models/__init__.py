"""The tables of the decide layer, one file an idea."""

from journeys.models.call import Call, CallContent
from journeys.models.call_list import CallList, CallListRow
from journeys.models.cause import BROKEN_OFF, EXITS, Cause
from journeys.models.changeover import Changeover
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
from journeys.models.occurrence import Occurrence
from journeys.models.run import (
    CancelWatch,
    EntryMemory,
    EntryRefusal,
    RecheckItem,
    RuleInputs,
    Run,
    RunContext,
    Transition,
)
from journeys.models.simulation import SimulatedEvents, Simulation
from journeys.models.variable import Variable

__all__ = [
    "BROKEN_OFF",
    "EXITS",
    "Call",
    "CallContent",
    "CallList",
    "CallListRow",
    "CancelWatch",
    "Cause",
    "Changeover",
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
    "Occurrence",
    "PlacedStep",
    "RecheckItem",
    "RuleInputs",
    "Run",
    "RunContext",
    "SimulatedEvents",
    "Simulation",
    "Touchpoint",
    "Transition",
    "Variable",
]
