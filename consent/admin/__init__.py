"""The staff pages of consent, one file an idea."""

from consent.admin import entries, notices, preferences, purposes, suppressions

__all__ = ["entries", "notices", "preferences", "purposes", "suppressions"]
