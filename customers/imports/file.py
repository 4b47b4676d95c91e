"""A file handed in: stored, looked at, and the first of its rows."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction

from customers.ids import new_id
from customers.imports import chunks
from customers.imports.columns import Naming, name_columns
from customers.imports.detect import Dialect, Looker
from customers.imports.limits import FileRefused
from customers.imports.records import Record, records
from customers.models import Import, Source


@transaction.atomic
def hand_in(
    source: Source, rows: str, file_name: str, parts: Iterable[bytes], now: datetime, *, by: Any = None
) -> Import:
    """Store a file that comes in parts and tell how it is to be read, as far as it shows; or FileRefused."""
    looker = Looker()
    parent = Import(pk=new_id(), source=source, rows=rows, file_name=file_name[-200:], created_by=by, created_at=now)
    parent.size, parent.digest = chunks.put(parent.pk, parts, looker)
    told = looker.dialect()
    parent.encoding, parent.delimiter = told.encoding, told.delimiter
    parent.mark, parent.has_header = told.mark, told.has_header
    parent.columns = naming(parent).names
    parent.save(force_insert=True)
    return parent


def dialect_of(parent: Import) -> Dialect:
    return Dialect(parent.encoding, parent.delimiter, parent.mark, parent.has_header)


def read(parent: Import) -> Iterator[Record]:
    """All rows of the file, the one with the names included."""
    dialect = dialect_of(parent)
    return records(chunks.StoredFile(parent.pk, dialect.mark), dialect, dialect.mark)


def naming(parent: Import) -> Naming:
    """What its columns are called, read as it is said to be; or FileRefused."""
    first = next(read(parent), None)
    if first is None:
        raise FileRefused("no_rows")
    if first.fault:
        raise FileRefused("first_row_broken")
    return name_columns(first.cells, has_header=parent.has_header)


def first_rows(parent: Import, count: int) -> list[Record]:
    """The first rows that are no names of columns."""
    start = 1 if parent.has_header else 0
    return list(islice(read(parent), start, start + count))


def read_as(parent: Import, *, encoding: str, delimiter: str, has_header: bool) -> Naming:
    """Read it otherwise than it looks; its columns may have other names then. Or FileRefused, and all stays."""
    if encoding != parent.encoding:
        parent.mark = 0
    parent.encoding, parent.delimiter, parent.has_header = encoding, delimiter, has_header
    told = naming(parent)
    parent.columns = told.names
    parent.save(update_fields=["mark", "encoding", "delimiter", "has_header", "columns"])
    return told
