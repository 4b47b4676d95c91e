"""The refused rows as a CSV file: to be mended in a spreadsheet, which must take no cell for a formula."""

from collections.abc import Iterator

from customers.csv_file import csv_file
from customers.imports.columns import REFUSED_HEADINGS
from customers.imports.words import words_of
from customers.models import Import, RefusedRow


def refused_file(parent: Import, rows: Iterator[RefusedRow]) -> Iterator[bytes]:
    told = ((one.row, one.code, *words_of(one.code, one.message, one.hint), *one.cells) for one in rows)
    return csv_file([*REFUSED_HEADINGS, *parent.columns], told)
