"""Taking away what the plan names, in slices of a job; what went is recorded in the transaction that took it."""

from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from customers import jobs
from customers.jobs import Slice
from customers.models import Job
from customers.retention.kinds import Share, shares
from customers.retention.months import Month
from customers.retention.plan import condition, measure_partition, months_to_drop

RETAIN: Final = "retention"
# Pages of a table looked through at once.
_PAGES: Final = 500
# Dropping waits for whoever reads the table, and everybody else for it: so no longer than this.
_LOCK_MS: Final = 2_000
_RECORD: Final = """
    INSERT INTO customers_retentionrecord (job_id, kind, brand_id, partition, cutoff, rows, oldest, newest, at)
    VALUES (%(job)s, %(kind)s, %(brand)s, %(partition)s, %(cutoff)s, %(rows)s, %(oldest)s, %(newest)s, %(at)s)
    ON CONFLICT (job_id, kind, brand_id, partition) DO UPDATE SET
        rows = customers_retentionrecord.rows + excluded.rows, at = excluded.at,
        oldest = least(customers_retentionrecord.oldest, excluded.oldest),
        newest = greatest(customers_retentionrecord.newest, excluded.newest)
"""


def ask(now: datetime, by: Any = None) -> Job:
    """Have everything taken whose time is over at `now`."""
    return jobs.ask(RETAIN, now, by=by, once=True)


def work(slice_: Slice) -> bool:
    """Share by share, in the order they are listed; where it stands is kept with each piece."""
    job = slice_.job
    # Of one moment from the first slice to the last.
    now = job.begun_at or slice_.now
    listed = shares(now)
    while (number := job.cursor.get("share", 0)) < len(listed):
        share = listed[number]
        is_done = _drop_next(share, slice_, now) if share.kind.months else _delete_next(share, slice_)
        if is_done:
            slice_.note(share=number + 1, page=0)
        if not slice_.has_time:
            return False
    return True


def _drop_next(share: Share, slice_: Slice, now: datetime) -> bool:
    """Drop the oldest month that is over; whether there was none."""
    over = months_to_drop(share, now)
    if not over:
        return True
    with transaction.atomic():
        rows, oldest, newest = _drop(over[0])
        _record(share, slice_, rows, oldest, newest, over[0].name)
        slice_.note(done=slice_.job.done + rows)
    return False


def _drop(month: Month) -> tuple[int, datetime | None, datetime | None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {_LOCK_MS}")
        # Nobody adds to it between the count and the end.
        cursor.execute(f"LOCK TABLE {month.name} IN SHARE MODE")
        counted = measure_partition(month.name)
        cursor.execute(f"DROP TABLE {month.name}")
    return counted


def _delete_next(share: Share, slice_: Slice) -> bool:
    """Look through some more pages of the table; whether that was the last of it."""
    page, table = slice_.job.cursor.get("page", 0), share.kind.table
    where, values = condition(share)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::int", [table])
        [pages] = cursor.fetchone()
        if page >= pages:
            return True
        cursor.execute(
            f"""
            WITH gone AS (
                DELETE FROM {table} t WHERE t.ctid >= %(first)s::tid AND t.ctid < %(last)s::tid AND {where}
                RETURNING {share.kind.time} AS time
            ) SELECT count(*), min(time), max(time) FROM gone
            """,
            {**values, "first": f"({page},0)", "last": f"({page + _PAGES},0)"},
        )
        rows, oldest, newest = cursor.fetchone()
        if rows:
            _record(share, slice_, rows, oldest, newest)
        slice_.note(done=slice_.job.done + rows, page=page + _PAGES)
    return False


def _record(
    share: Share, slice_: Slice, rows: int, oldest: datetime | None, newest: datetime | None, partition: str = ""
) -> None:
    values: dict[str, Any] = {
        "job": slice_.job.pk, "kind": share.kind.key, "brand": share.brand_id, "partition": partition,
        "cutoff": share.cutoff, "rows": rows, "oldest": oldest, "newest": newest, "at": slice_.now,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
    counts = slice_.job.report.setdefault("taken", {})
    counts[share.kind.key] = counts.get(share.kind.key, 0) + rows


def register() -> None:
    jobs.register(RETAIN, _("Take away what is kept no longer"), work)
