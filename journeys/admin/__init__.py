"""The staff pages of the decide layer, one file an idea."""

from journeys.admin import journeys, runs

__all__ = ["journeys", "runs"]
