"""Celery's doors into journeys."""

from celery import shared_task

from customers import bells
from customers.clock import utcnow
from journeys.engine.calls.due import call_due as make_due_calls
from journeys.engine.lanes import drain_in_lanes

SECONDS = 20.0


@shared_task(name="journeys.drain")
def drain_queues() -> None:
    """Resolve, match and advance whatever is there."""
    if not drain_in_lanes(utcnow, seconds=SECONDS):
        bells.ring("engine")


@shared_task(name="journeys.call_due")
def call_due() -> None:
    """Ask other systems what runs wait to know."""
    if not make_due_calls(utcnow, seconds=SECONDS):
        bells.ring("calls")
