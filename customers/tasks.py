"""Celery's doors into customers."""

from celery import shared_task

from customers import bells, jobs, kept_answers, sql, tally
from customers.clock import utcnow
from customers.duplicates import search
from customers.imports import prune
from customers.retention import apply
from customers.segments.count import count_all

SECONDS = 20.0


@shared_task(name="customers.work_on_jobs")
def work_on_jobs() -> None:
    """Work on what people have asked for that takes long."""
    if not jobs.work_on(utcnow, seconds=SECONDS):
        bells.ring("slow")


@shared_task(name="customers.look_for_duplicates")
def look_for_duplicates() -> None:
    """Have the search for duplicates made for every brand."""
    search.ask_for_all(utcnow())


@shared_task(name="customers.ensure_partitions")
def ensure_partitions() -> None:
    """Have next months' event partitions ready before their first event."""
    sql.ensure_partitions(utcnow())


@shared_task(name="customers.prune_kept_answers")
def prune_kept_answers() -> None:
    """Forget what partners' calls were answered a week ago."""
    kept_answers.prune(utcnow())


@shared_task(name="customers.prune_imports")
def prune_imports() -> None:
    """Remove imported files that nobody goes on with."""
    prune.prune(utcnow())


@shared_task(name="customers.fold_tallies")
def fold_tallies() -> None:
    """Have one row an hour of what sources sent."""
    tally.fold_all()


@shared_task(name="customers.retain")
def retain() -> None:
    """Have a job take away what is kept no longer."""
    apply.ask(utcnow())


@shared_task(name="customers.count_segments")
def count_segments() -> None:
    """Count who is in each segment, for its list and its chart."""
    count_all(utcnow())
