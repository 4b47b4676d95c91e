"""Celery's doors into journeys."""

from celery import shared_task

from customers import bells
from customers.clock import utcnow
from journeys.engine import drain

SECONDS = 20.0


@shared_task(name="journeys.drain")
def drain_queues() -> None:
    """Resolve, match and advance whatever is there."""
    if not drain.drain(utcnow, seconds=SECONDS):
        bells.ring("engine")
