"""Celery's doors into consent."""

from celery import shared_task

from consent import expiring
from consent.anchors.make import make_anchor
from consent.privacy.export import remove_old
from customers.clock import utcnow


@shared_task(name="consent.anchor_ledgers")
def anchor_ledgers() -> None:
    """Tell outside the database what the ledgers hold."""
    make_anchor(utcnow())


@shared_task(name="consent.remove_privacy_files")
def remove_privacy_files() -> None:
    """Take away files of what is held of somebody whose time is over."""
    remove_old(utcnow())


@shared_task(name="consent.tell_expiring")
def tell_expiring() -> None:
    """Tell of consents that are about to expire, and of those that have."""
    expiring.tell(utcnow())
