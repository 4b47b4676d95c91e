"""The job that takes in a file: some rows at a time, each time in one transaction with where it stands."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from customers import jobs, keys
from customers.imports.chunks import StoredFile
from customers.imports.file import dialect_of
from customers.imports.limits import MAX_REFUSED
from customers.imports.records import Record, records
from customers.imports.take import Taker
from customers.mapping import parse
from customers.models import Import, ImportChunk, Job

KIND: Final = "import"
ROWS_AT_ONCE: Final = 1000
# More turns than rows of them can wait: an import rests while the inbox is long.
_REMEMBERED: Final = 50
_CHARACTERS_AT_ONCE: Final = 4_000_000
_REST: Final = timedelta(seconds=1)
_WAITING: Final = "SELECT count(*) FROM (SELECT FROM customers_inbox LIMIT %s) i"


class SourceIsOff(Exception):
    """The source takes nothing at present."""


class TooManyRefusedRows(Exception):
    """So many rows were refused that something is wrong with the mapping, or with the file."""


def register() -> None:
    jobs.register(KIND, _("Import of a file"), work)


def begin(parent: Import, now: datetime, by: Any = None) -> Job:
    """Have the file imported from its beginning, or from where an earlier attempt stood, if its job is over."""
    with transaction.atomic():
        kept = Import.objects.select_for_update().select_related(None).get(pk=parent.pk)
        job = kept.job if kept.job_id else None
        if job is not None and not job.is_over:
            return job
        stood = {"cursor": job.cursor, "done": job.done, "report": job.report} if job is not None else {}
        source = parent.source
        parent.job = jobs.ask(
            KIND,
            now,
            by=by,
            brand_id=source.brand_id,
            squad_id=source.squad_id,
            subject=parent.file_name,
            arguments={"import": str(parent.pk)},
            total=parent.size,
            **stood,
        )
        parent.save(update_fields=["job"])
    return parent.job


def work(turn: jobs.Slice) -> bool:
    """Take in rows as long as there is time; whether there are none left."""
    parent = Import.objects.select_related("source").get(pk=turn.job.arguments["import"])
    writer = keys.writer_of(parent.source_id)
    if writer is None:
        raise SourceIsOff
    taker = Taker(parent, parse(parent.mapping), writer)
    rows = _rows(parent, turn.job.cursor)
    while turn.has_time:
        if turn.job.report.get("rejected", 0) >= MAX_REFUSED:
            raise TooManyRefusedRows
        if _is_crowded():
            turn.rest = _REST
            return False
        if _take_some(turn, taker, parent, rows):
            return True
    return False


def _rows(parent: Import, cursor: dict[str, Any]) -> Iterator[Record]:
    dialect = dialect_of(parent)
    offset, row = cursor.get("offset", dialect.mark), cursor.get("row", 0)
    found = records(StoredFile(parent.pk, offset), dialect, offset, row)
    return islice(found, 1, None) if parent.has_header and not row else found


def _take_some(turn: jobs.Slice, taker: Taker, parent: Import, rows: Iterator[Record]) -> bool:
    """Take in the next rows; whether they were the last."""
    batch = list(_next(rows))
    with transaction.atomic():
        if not batch:
            forget_file(parent, turn.now)
            turn.note(done=parent.size)
            return True
        taken = taker.take(batch, turn.now)
        _add(turn.job.report, asdict(taken))
        turn.note(done=batch[-1].end, offset=batch[-1].end, row=batch[-1].row, moments=_moments(turn))
    return False


def _moments(turn: jobs.Slice) -> list[str]:
    """When rows were accepted that may still wait in the inbox: by this, and by nothing else, all of them are known."""
    noted: list[str] = turn.job.cursor.get("moments", [])
    now = turn.now.isoformat()
    return noted if now in noted else [*noted, now][-_REMEMBERED:]


def _next(rows: Iterator[Record]) -> Iterator[Record]:
    length = 0
    for record in islice(rows, ROWS_AT_ONCE):
        yield record
        length += sum(map(len, record.cells))
        if length > _CHARACTERS_AT_ONCE:
            return


def _add(report: dict[str, Any], numbers: dict[str, int]) -> None:
    for name, number in numbers.items():
        report[name] = report.get(name, 0) + number


def _is_crowded() -> bool:
    limit = int(settings.IMPORT_INBOX_LIMIT)
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [limit])
        return bool(cursor.fetchone()[0] >= limit)


def forget_file(parent: Import, now: datetime) -> None:
    """Remove the file: what it held of people is where it belongs by now, or will never be."""
    ImportChunk.objects.filter(parent=parent).delete()
    Import.objects.filter(pk=parent.pk).update(removed_at=now)
