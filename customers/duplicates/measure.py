"""How good the search is, on people of whom it is known who is who."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from customers.duplicates import model
from customers.duplicates.linking import Match, Record, find
from customers.duplicates.records import record

# What Febrl calls the columns of our model; the two parts of a street are put together.
_COLUMNS = {
    model.FIRST_NAME: ("given_name",),
    model.LAST_NAME: ("surname",),
    model.BIRTH_DATE: ("date_of_birth",),
    model.STREET: ("street_number", "address_1"),
    model.CITY: ("suburb",),
    model.POSTCODE: ("postcode",),
    model.TAX_ID: ("soc_sec_id",),
}


@dataclass(frozen=True, slots=True)
class Quality:
    found: int
    right: int
    there: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.there if self.there else 0.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def measure(path: Path, *, with_tax_id: bool) -> Quality:
    """The product's own search on a file of Febrl's."""
    rows = list(_rows(path))
    matches = find(_records(rows, with_tax_id))
    people = Counter(_person(row["rec_id"]) for row in rows)
    there = sum(count * (count - 1) // 2 for count in people.values())
    return Quality(len(matches), sum(map(_is_right, matches)), there)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file, skipinitialspace=True)


def _records(rows: Iterable[dict[str, str]], with_tax_id: bool) -> Iterator[Record]:
    for row in rows:
        values = {name: " ".join(row[part] or "" for part in parts) for name, parts in _COLUMNS.items()}
        if not with_tax_id:
            del values[model.TAX_ID]
        yield record(row["rec_id"], values)


def _person(rec_id: str) -> str:
    """rec-12-org and rec-12-dup-0 are the same."""
    return rec_id.split("-")[1]


def _is_right(match: Match) -> bool:
    return _person(match.low) == _person(match.high)
