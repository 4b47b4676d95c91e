"""What is packed by hand comes back from PostgreSQL as psycopg would have brought it."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from psycopg import DataError
from psycopg.types.json import Jsonb

from customers.pg import copy_rows, raw_cursor

EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
ZONES = st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-3, minutes=-7))])
# Python's own first and last day have no such time in every zone.
SECONDS = st.integers(-60_000_000_000, 250_000_000_000)
MOMENTS = st.builds(
    lambda second, micros, zone: (EPOCH + dt.timedelta(seconds=second, microseconds=micros)).astimezone(zone),
    SECONDS,
    st.integers(0, 999_999),
    ZONES,
)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
INTS = {2: st.integers(-(2**15), 2**15 - 1), 4: st.integers(-(2**31), 2**31 - 1), 8: st.integers(-(2**63), 2**63 - 1)}
DOCUMENTS = st.dictionaries(TEXTS, st.none() | st.booleans() | TEXTS | INTS[4])
COLUMNS = {
    "int2": INTS[2],
    "int4": INTS[4],
    "int8": INTS[8],
    "timestamptz": MOMENTS,
    "uuid": st.uuids(),
    "varchar": TEXTS,
    "text": TEXTS,
    "bool": st.booleans(),
    "bytea": st.binary(),
    "jsonb": DOCUMENTS,
}
ROWS = st.lists(st.tuples(*(st.none() | values for values in COLUMNS.values())), max_size=20)
ARRAYS = {"bigint[]": INTS[8], "uuid[]": st.uuids(), "timestamptz[]": MOMENTS, "text[]": TEXTS}


class Packing(TestCase):
    @given(ROWS)
    def test_rows_come_back_from_copy_as_they_went(self, rows: list[tuple[Any, ...]]) -> None:
        columns = [(f"c{n}", type_) for n, type_ in enumerate(COLUMNS)]
        with raw_cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS packed")
            cursor.execute(f"CREATE TEMP TABLE packed ({', '.join(map(' '.join, columns))})")
            documents = [(*row[:-1], None if row[-1] is None else Jsonb(row[-1])) for row in rows]
            copy_rows(cursor, "packed", columns, iter(documents))
            assert cursor.execute("SELECT * FROM packed").fetchall() == rows

    @given(st.data())
    def test_arrays_come_back_as_they_went(self, data: st.DataObject) -> None:
        with raw_cursor() as cursor:
            for type_, values in ARRAYS.items():
                sent = data.draw(st.lists(st.none() | values), label=type_)
                assert cursor.execute(f"SELECT %b::{type_}", [sent]).fetchone() == (sent,)


@pytest.mark.django_db
def test_arrays_of_arrays_and_of_other_types_are_psycopg_s() -> None:
    nested: list[Any] = [[1, 2], [3, None]]
    with raw_cursor() as cursor:
        assert cursor.execute("SELECT %b::bigint[]", [nested]).fetchone() == (nested,)
        assert cursor.execute("SELECT %b::bytea[]", [[b"\0", None]]).fetchone() == ([b"\0", None],)
        assert cursor.execute("SELECT %b::uuid[]", [[None]]).fetchone() == ([None],)
        assert cursor.execute("SELECT %s::text[]", [["a", None]]).fetchone() == (["a", None],)


@pytest.mark.django_db
def test_what_text_cannot_hold_is_refused_before_it_is_sent() -> None:
    with raw_cursor() as cursor:
        for statement, value in (("SELECT %b::text[]", ["a\0b"]), ("SELECT %b::text[]", ["\ud800"])):
            with pytest.raises((DataError, UnicodeEncodeError)):
                cursor.execute(statement, [value])
        assert cursor.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.django_db
def test_a_column_that_repeats_itself_is_told_apart_by_value() -> None:
    one, other = uuid4(), UUID(int=1)
    rows = [(1, "a", one), (1, "b", other), (None, "a", None), (-1, "", one)]
    with raw_cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE packed_again (n smallint, t varchar, u uuid)")
        copy_rows(cursor, "packed_again", (("n", "int2"), ("t", "varchar"), ("u", "uuid")), rows)
        assert cursor.execute("SELECT * FROM packed_again").fetchall() == rows
