"""Celery's doors into customers."""

from celery import shared_task

from customers import sql
from customers.clock import utcnow


@shared_task(name="customers.ensure_partitions")
def ensure_partitions() -> None:
    """Have next months' event partitions ready before their first event."""
    sql.ensure_partitions(utcnow())
