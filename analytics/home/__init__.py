"""Today at a glance: what came, what went out, what did not, and what wants somebody's hand.

Every number here is counted within bounds, so that the page is as quick with millions of rows as with none; one that
reached its bound says so.
"""

from analytics.home.attention import Attention, attention
from analytics.home.count import Count
from analytics.home.journeys import JourneyToday, journeys_today
from analytics.home.pipeline import Tray, pipeline
from analytics.home.today import BrandToday, NotSent, brands_today, not_sent_today

__all__ = [
    "Attention",
    "BrandToday",
    "Count",
    "JourneyToday",
    "NotSent",
    "Tray",
    "attention",
    "brands_today",
    "journeys_today",
    "not_sent_today",
    "pipeline",
]
