"""The plain admin of the sense layer, one file an idea."""

from customers.admin import access, audit, brands, events, identity, machinery, quarantine, sources, tokens

__all__ = ["access", "audit", "brands", "events", "identity", "machinery", "quarantine", "sources", "tokens"]
