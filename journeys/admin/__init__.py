"""The staff pages of the decide layer, one file an idea."""

from journeys.admin import calls, journeys, runs

__all__ = ["calls", "journeys", "runs"]
