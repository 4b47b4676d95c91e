"""The staff pages of consent, one file an idea."""

from consent.admin import anchors, entries, notices, preferences, privacy, purposes, suppressions

__all__ = ["anchors", "entries", "notices", "preferences", "privacy", "purposes", "suppressions"]
