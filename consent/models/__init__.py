"""The tables of consent, one file an idea."""

from consent.models.ledger import (
    EARLIEST,
    LATEST,
    ConsentChain,
    ConsentEntry,
    ConsentEvidence,
    ConsentHead,
    Method,
    State,
)
from consent.models.privacy import Erasure, PrivacyArchive, PrivacyRequest, PrivacyStep, Restriction
from consent.models.purpose import Notice, NoticeText, NoticeVersion, Purpose
from consent.models.queue import ConsentItem
from consent.models.suppression import Suppression

__all__ = [
    "EARLIEST",
    "LATEST",
    "ConsentChain",
    "ConsentEntry",
    "ConsentEvidence",
    "ConsentHead",
    "ConsentItem",
    "Erasure",
    "Method",
    "Notice",
    "NoticeText",
    "NoticeVersion",
    "PrivacyArchive",
    "PrivacyRequest",
    "PrivacyStep",
    "Purpose",
    "Restriction",
    "State",
    "Suppression",
]
