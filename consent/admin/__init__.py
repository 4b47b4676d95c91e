"""The staff pages of consent, one file an idea."""

from consent.admin import anchors, entries, notices, preferences, purposes, suppressions

__all__ = ["anchors", "entries", "notices", "preferences", "purposes", "suppressions"]
