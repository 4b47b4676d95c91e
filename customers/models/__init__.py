"""The tables of the sense layer, one file an idea."""

from customers.models.access import (
    BrandGroupPermission,
    BrandUserPermission,
    SquadGroupPermission,
    SquadUserPermission,
)
from customers.models.address import Address, AddressProfile
from customers.models.audit import AuditEntry, BatchClaim, DeadLetter, UnitAttempt
from customers.models.back_off import LogInBackOff
from customers.models.brand import Brand, Squad, SquadMember
from customers.models.duplicate import DuplicatePair
from customers.models.event import Event, EventPayload, TimeSource
from customers.models.hook import Hook, ReceivedBody
from customers.models.identity import (
    Assurance,
    Customer,
    Edge,
    EdgeKind,
    ErasedAddress,
    ErasedSubject,
    Identifier,
    IdentifierKind,
    Profile,
    ProfileBrand,
    ProfileMove,
)
from customers.models.imports import Import, ImportChunk, RefusedRow
from customers.models.inbox import InboxItem, MessageKey, QuarantinedEvent
from customers.models.job import Job
from customers.models.named import ProfileSource
from customers.models.queues import AwaitedName, MatchItem, MergeItem
from customers.models.registry import EventType, SchemaVersion, SourceEventType
from customers.models.retention import RetentionRecord, RetentionRule
from customers.models.segment import (
    Segment,
    SegmentInput,
    SegmentItem,
    SegmentMembership,
    SegmentSize,
    SegmentTurn,
    SegmentVersion,
)
from customers.models.source import Source, WriteKey
from customers.models.tally import HourTally, Outcome, Tally
from customers.models.token import KeptAnswer, PartnerToken, Scope
from customers.models.trait import Trait, TraitDefinition
from customers.models.two_factor import Authenticator, RecoveryCode
from customers.models.visitor import VisitorSecret

__all__ = [
    "Address",
    "AddressProfile",
    "Assurance",
    "AuditEntry",
    "Authenticator",
    "AwaitedName",
    "BatchClaim",
    "Brand",
    "BrandGroupPermission",
    "BrandUserPermission",
    "Customer",
    "DeadLetter",
    "DuplicatePair",
    "Edge",
    "EdgeKind",
    "ErasedAddress",
    "ErasedSubject",
    "Event",
    "EventPayload",
    "EventType",
    "Hook",
    "HourTally",
    "Identifier",
    "IdentifierKind",
    "Import",
    "ImportChunk",
    "InboxItem",
    "Job",
    "KeptAnswer",
    "LogInBackOff",
    "MatchItem",
    "MergeItem",
    "MessageKey",
    "Outcome",
    "PartnerToken",
    "Profile",
    "ProfileBrand",
    "ProfileMove",
    "ProfileSource",
    "QuarantinedEvent",
    "ReceivedBody",
    "RecoveryCode",
    "RefusedRow",
    "RetentionRecord",
    "RetentionRule",
    "SchemaVersion",
    "Scope",
    "Segment",
    "SegmentInput",
    "SegmentItem",
    "SegmentMembership",
    "SegmentSize",
    "SegmentTurn",
    "SegmentVersion",
    "Source",
    "SourceEventType",
    "Squad",
    "SquadGroupPermission",
    "SquadMember",
    "SquadUserPermission",
    "Tally",
    "TimeSource",
    "Trait",
    "TraitDefinition",
    "UnitAttempt",
    "VisitorSecret",
    "WriteKey",
]
