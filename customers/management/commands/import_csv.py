"""`manage.py import_csv`: import a CSV file of customers, events or consents, as the page does it."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from customers import jobs
from customers.clock import utcnow
from customers.imports import file, plan
from customers.imports.job import begin
from customers.imports.limits import CHUNK_BYTES, FileRefused
from customers.imports.refused_file import refused_file
from customers.mapping import MappingError
from customers.models import Import, Job, RefusedRow, Source

_TURN_SECONDS = 15.0
_PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    help = (
        "Import a CSV file of customers, events or consents: each row becomes a message by the mapping, and is accepted"
        " as if its source had sent it. The same file twice imports nothing twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--source", required=True, metavar="KEY")
        parser.add_argument("--brand", metavar="KEY", help="needed where several brands have such a source")
        parser.add_argument("--rows", choices=Import.Rows.values, default=Import.Rows.EVENTS)
        parser.add_argument("--map", required=True, metavar="FILE", type=Path, help="the mapping, as JSON")
        parser.add_argument("--no-header", action="store_true", help="the first row is no names of columns")
        parser.add_argument("--encoding", choices=Import.Encoding.values, help="instead of what the file looks like")
        parser.add_argument("--delimiter", choices=Import.Delimiter.values, help="instead of what the file looks like")
        parser.add_argument("--refused", metavar="FILE", type=Path, help="write the refused rows there, as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        source = _find(options["source"], options["brand"])
        try:
            mapping = orjson.loads(options["map"].read_bytes())
            # A file that cannot be imported so is not kept.
            with transaction.atomic(), options["file"].open("rb") as opened:
                parent = file.hand_in(source, options["rows"], options["file"].name, _parts(opened), utcnow())
                _read_otherwise(parent, options)
                plan.keep(parent, mapping, utcnow())
        except (FileRefused, MappingError, orjson.JSONDecodeError, OSError) as error:
            raise CommandError(str(error)) from error
        job = self._work(parent)
        report = {name: job.report.get(name, 0) for name in ("accepted", "duplicates", "rejected")}
        self.stdout.write("  ".join(f"{name} {number}" for name, number in report.items()))
        if options["refused"] and report["rejected"]:
            rows = RefusedRow.objects.filter(parent=parent).iterator()
            options["refused"].write_bytes(b"".join(refused_file(parent, rows)))
        if job.state != Job.State.DONE:
            raise CommandError(f"the import {job.state}: {job.reason}")

    def _work(self, parent: Import) -> Job:
        """Work on it here, together with whatever workers there are."""
        job = begin(parent, utcnow())
        while not job.is_over:
            jobs.work_on(utcnow, _TURN_SECONDS)
            job.refresh_from_db()
            self.stderr.write(f"{job.done} of {job.total} bytes", ending="\r")
            if not job.is_over:
                time.sleep(_PAUSE_SECONDS)
        self.stderr.write("")
        return job


def _parts(opened: IO[bytes]) -> Iterator[bytes]:
    while part := opened.read(CHUNK_BYTES):
        yield part


def _read_otherwise(parent: Import, options: dict[str, Any]) -> None:
    file.read_as(
        parent,
        encoding=options["encoding"] or parent.encoding,
        delimiter=options["delimiter"] or parent.delimiter,
        has_header=parent.has_header and not options["no_header"],
    )


def _find(key: str, brand: str | None) -> Source:
    found = Source.objects.select_related("brand").filter(key=key)
    sources = list(found.filter(brand__key=brand) if brand else found)
    if not sources:
        raise CommandError(f"there is no source {key!r}" + (f" in brand {brand!r}" if brand else ""))
    if len(sources) > 1:
        brands = ", ".join(sorted(source.brand.key for source in sources))
        raise CommandError(f"several brands have a source {key!r}; add --brand, one of: {brands}")
    return sources[0]
