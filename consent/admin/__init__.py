"""The plain admin of consent: purposes and notices by hand; the ledger and what people chose, to be read."""

from consent.admin import ledger, notices, preferences, purposes, suppressions

__all__ = ["ledger", "notices", "preferences", "purposes", "suppressions"]
