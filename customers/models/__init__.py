"""The tables of the sense layer, one file an idea."""

from customers.models.address import Address, AddressProfile
from customers.models.audit import AuditEntry, BatchClaim, DeadLetter, UnitAttempt
from customers.models.brand import Brand, Squad, SquadMember
from customers.models.event import Event, EventPayload
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
)
from customers.models.inbox import InboxItem, MessageKey, QuarantinedEvent
from customers.models.queues import AwaitedName, MatchItem, MergeItem
from customers.models.registry import EventType, SchemaVersion
from customers.models.source import Source, WriteKey
from customers.models.trait import Trait

__all__ = [
    "Address",
    "AddressProfile",
    "Assurance",
    "AuditEntry",
    "AwaitedName",
    "BatchClaim",
    "Brand",
    "Customer",
    "DeadLetter",
    "Edge",
    "EdgeKind",
    "ErasedSubject",
    "Event",
    "EventPayload",
    "EventType",
    "Identifier",
    "IdentifierKind",
    "InboxItem",
    "MatchItem",
    "MergeItem",
    "MessageKey",
    "Profile",
    "ProfileBrand",
    "QuarantinedEvent",
    "SchemaVersion",
    "Source",
    "Squad",
    "SquadMember",
    "Trait",
    "UnitAttempt",
    "WriteKey",
]
