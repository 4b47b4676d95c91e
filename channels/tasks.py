"""Celery's doors into channels."""

import time

from celery import shared_task

from channels import dispatch
from channels.approvals import asking
from channels.broadcasts import turn as broadcasts
from channels.catalogue import coviews
from channels.entitlements.expiring import expire_all
from channels.pacing.freeing import free_lately_ended
from channels.pulled import copies
from channels.test_sends.send import is_waiting, send_all
from channels.webhooks.deliver import deliver_due
from channels.worklist.expiring import expire_tasks, give_back
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


@shared_task(name="channels.run_broadcasts")
def run_broadcasts() -> None:
    """Bring on every broadcast that has something to be done."""
    if not broadcasts.work(utcnow, SECONDS):
        bells.ring("broadcasts")


@shared_task(name="channels.sweep")
def sweep() -> None:
    """Settle messages whose worker died, expire what was granted, look again at what an ended policy holds."""
    now = utcnow()
    if dispatch.sweep(now).queued:
        bells.ring("dispatch")
    expire_all(now)
    give_back(now)
    expire_tasks(now)
    copies.prune(now)
    free_lately_ended(now, SECONDS / 2)
    if is_waiting():
        bells.ring("tests")


@shared_task(name="channels.count_views")
def count_views() -> None:
    """Count which products are viewed together, of the days that were not counted for good."""
    coviews.count_all(utcnow(), SECONDS)


@shared_task(name="channels.list_templates")
def list_templates() -> None:
    """Ask providers how the templates stand that they approve."""
    asking.ask_all(utcnow(), SECONDS)


@shared_task(name="channels.deliver_webhooks")
def deliver_webhooks() -> None:
    """Tell other systems what they asked to be told."""
    if not deliver_due(utcnow, seconds=SECONDS):
        bells.ring("webhooks")


@shared_task(name="channels.send_tests")
def send_tests() -> None:
    """Send the tests that somebody waits for."""
    if not send_all(utcnow, seconds=SECONDS):
        bells.ring("tests")
