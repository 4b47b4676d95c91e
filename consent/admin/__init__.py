"""The staff pages of consent, one file an idea."""

from consent.admin import entries, notices, purposes, suppressions

__all__ = ["entries", "notices", "purposes", "suppressions"]
