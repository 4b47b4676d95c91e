"""The tables of the learn layer: what was counted once so that pages need not."""

from analytics.models.map_counts import MapCount, TouchpointDay, TouchpointMove

__all__ = ["MapCount", "TouchpointDay", "TouchpointMove"]
