"""The staff pages of the sense layer, one file an idea."""

from customers.admin import (
    access,
    audit,
    brands,
    duplicates,
    events,
    identity,
    imports,
    jobs,
    kinds,
    machinery,
    merging,
    quarantine,
    sources,
    tokens,
    traits,
)

__all__ = [
    "access",
    "audit",
    "brands",
    "duplicates",
    "events",
    "identity",
    "imports",
    "jobs",
    "kinds",
    "machinery",
    "merging",
    "quarantine",
    "sources",
    "tokens",
    "traits",
]
