"""Dispatch: from the outbox to the providers, each message once, each refusal with its reason."""

from channels.dispatch.due import dispatch_all, dispatch_due
from channels.dispatch.sweep import sweep

__all__ = ["dispatch_all", "dispatch_due", "sweep"]
