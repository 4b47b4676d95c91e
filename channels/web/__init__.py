"""Calls to other systems: where they may go, and one at a time within a deadline."""

from channels.web.call import call
from channels.web.exchange import CallError, Reply, Request
from channels.web.line import Line

__all__ = ["CallError", "Line", "Reply", "Request", "call"]
