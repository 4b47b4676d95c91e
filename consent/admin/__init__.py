"""The staff pages of consent, one file an idea."""

from consent.admin import anchors, entries, notices, purposes, suppressions

__all__ = ["anchors", "entries", "notices", "purposes", "suppressions"]
