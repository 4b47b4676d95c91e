"""How good the search for duplicates is, on made-up people of whom it is known who is who."""

from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.duplicates import linking
from customers.duplicates.measure import measure

_FILE = Path("tests/data/febrl-dataset3.csv")


class Command(BaseCommand):
    help = "Print precision, recall and F1 of the search for duplicates on a file of Febrl's, with and without tax id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=_FILE, help=f"a CSV file of Febrl's, else {_FILE}")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if not linking.is_available():
            raise CommandError("The extra is missing: uv sync --extra duplicates, or pip install 'splink>=5,<6'")
        if not file.exists():
            raise CommandError(f"There is no file {file}")
        for with_tax_id in (True, False):
            begun = monotonic()
            found = measure(file, with_tax_id=with_tax_id)
            name = "with the tax id" if with_tax_id else "without the tax id"
            self.stdout.write(
                f"{name}: precision {found.precision:.4f}, recall {found.recall:.4f}, F1 {found.f1:.4f}"
                f" ({found.found:,} found, {found.right:,} right, {found.there:,} there, {monotonic() - begun:.1f} s)"
            )
