"""One timeline of a customer over all channels: events, messages and missing messages, consents, runs, identity."""

from analytics.timeline.entry import KINDS, Entry, Place, Scope
from analytics.timeline.page import Page, timeline

__all__ = ["KINDS", "Entry", "Page", "Place", "Scope", "timeline"]
