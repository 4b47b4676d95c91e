"""The plain admin of the sense layer, one file an idea."""

from customers.admin import brands, events, identity, machinery, sources

__all__ = ["brands", "events", "identity", "machinery", "sources"]
