"""Celery's doors into analytics."""

from celery import shared_task

from analytics.map_counts import count_all
from customers.clock import utcnow

SECONDS = 20.0


@shared_task(name="analytics.count_maps")
def count_maps() -> None:
    """Count what happened at the touchpoints of all maps; what is not done in time is next time's."""
    count_all(utcnow(), SECONDS)
