"""Calls to other systems: where they may go, and one at a time within a deadline."""

from channels.web.call import CallError, Reply, Request, call

__all__ = ["CallError", "Reply", "Request", "call"]
