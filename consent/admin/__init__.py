"""The staff pages of consent, one file an idea."""

from consent.admin import anchors, entries, notices, person, preferences, privacy, purposes, suppressions

__all__ = ["anchors", "entries", "notices", "person", "preferences", "privacy", "purposes", "suppressions"]
