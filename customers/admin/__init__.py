"""The staff pages of the sense layer, one file an idea."""

from customers.admin import (
    access,
    audit,
    brands,
    duplicates,
    event_types,
    events,
    identity,
    jobs,
    kinds,
    machinery,
    quarantine,
    schema_versions,
    sources,
    tokens,
    traits,
)

__all__ = [
    "access",
    "audit",
    "brands",
    "duplicates",
    "event_types",
    "events",
    "identity",
    "jobs",
    "kinds",
    "machinery",
    "quarantine",
    "schema_versions",
    "sources",
    "tokens",
    "traits",
]
