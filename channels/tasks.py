"""Celery's doors into channels."""

import time

from celery import shared_task

from channels import dispatch
from channels.pacing.freeing import free_lately_ended
from channels.webhooks.deliver import deliver_due
from customers import bells
from customers.clock import utcnow

SECONDS = 20.0


@shared_task(name="channels.dispatch_due")
def dispatch_due() -> None:
    """Send whatever is due."""
    until = time.monotonic() + SECONDS
    dispatch.dispatch_all(utcnow(), stop_after_seconds=SECONDS)
    if time.monotonic() >= until:
        bells.ring("dispatch")


@shared_task(name="channels.sweep")
def sweep() -> None:
    """Settle messages whose worker died, and look again at those that an ended policy holds."""
    now = utcnow()
    if dispatch.sweep(now).queued:
        bells.ring("dispatch")
    free_lately_ended(now, SECONDS / 2)


@shared_task(name="channels.deliver_webhooks")
def deliver_webhooks() -> None:
    """Tell other systems what they asked to be told."""
    if not deliver_due(utcnow, seconds=SECONDS):
        bells.ring("webhooks")
