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
from customers.models.identity import (
    Assurance,
    Customer,
    Edge,
    EdgeKind,
    ErasedSubject,
    Identifier,
    IdentifierKind,
    Profile,
    ProfileBrand,
    ProfileMove,
)
from customers.models.inbox import InboxItem, MessageKey, QuarantinedEvent
from customers.models.job import Job
from customers.models.named import ProfileSource
from customers.models.queues import AwaitedName, MatchItem, MergeItem
from customers.models.registry import EventType, SchemaVersion
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
from customers.models.token import KeptAnswer, PartnerToken, Scope
from customers.models.trait import Trait, TraitDefinition
from customers.models.two_factor import Authenticator, RecoveryCode

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
    "ErasedSubject",
    "Event",
    "EventPayload",
    "EventType",
    "Identifier",
    "IdentifierKind",
    "InboxItem",
    "Job",
    "KeptAnswer",
    "LogInBackOff",
    "MatchItem",
    "MergeItem",
    "MessageKey",
    "PartnerToken",
    "Profile",
    "ProfileBrand",
    "ProfileMove",
    "ProfileSource",
    "QuarantinedEvent",
    "RecoveryCode",
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
    "Squad",
    "SquadGroupPermission",
    "SquadMember",
    "SquadUserPermission",
    "TimeSource",
    "Trait",
    "TraitDefinition",
    "UnitAttempt",
    "WriteKey",
]
