"""The tables of consent, one file an idea."""

from consent.models.anchor import LedgerAnchor
from consent.models.confirmation import Confirmation
from consent.models.law import Law
from consent.models.ledger import (
    EARLIEST,
    LATEST,
    ConsentChain,
    ConsentEntry,
    ConsentEvidence,
    ConsentHead,
    ErasedEvidence,
    Method,
    State,
)
from consent.models.preference import Pause, Preference
from consent.models.privacy import Erasure, PrivacyArchive, PrivacyRequest, PrivacyStep, Restriction
from consent.models.purpose import Notice, NoticeText, NoticeVersion, Purpose, PurposeText
from consent.models.queue import ConsentItem
from consent.models.suppression import Suppression

__all__ = [
    "EARLIEST",
    "LATEST",
    "Confirmation",
    "ConsentChain",
    "ConsentEntry",
    "ConsentEvidence",
    "ConsentHead",
    "ConsentItem",
    "ErasedEvidence",
    "Erasure",
    "Law",
    "LedgerAnchor",
    "Method",
    "Notice",
    "NoticeText",
    "NoticeVersion",
    "Pause",
    "Preference",
    "PrivacyArchive",
    "PrivacyRequest",
    "PrivacyStep",
    "Purpose",
    "PurposeText",
    "Restriction",
    "State",
    "Suppression",
]
