"""Resolve: accepted messages become events of a known profile (DESIGN §3, first stage of the pipeline).

    inbox → identifiers and profiles → edges → customers → events, traits, addresses → consumers → queues

All of a batch is one transaction, written with a few statements whatever its size.
"""

from customers.resolve.stage import QUEUE, resolve_inbox

__all__ = ["QUEUE", "resolve_inbox"]
