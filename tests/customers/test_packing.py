"""What is packed by hand comes back from PostgreSQL as psycopg would have brought it."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from customers.pg import raw_cursor

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
NUMBERS = st.integers(-(2**63), 2**63 - 1)
ARRAYS = {"bigint[]": NUMBERS, "uuid[]": st.uuids(), "timestamptz[]": MOMENTS, "text[]": TEXTS}


class Packing(TestCase):
    @given(st.data())
    def test_arrays_come_back_as_they_went(self, data: st.DataObject) -> None:
        with raw_cursor() as cursor:
            for type_, values in ARRAYS.items():
                sent = data.draw(st.lists(values) | st.lists(st.none() | values), label=type_)
                assert cursor.execute(f"SELECT %b::{type_}", [sent]).fetchone() == (sent,)


@pytest.mark.django_db
def test_arrays_of_arrays_and_of_other_types_are_psycopg_s() -> None:
    nested: list[Any] = [[1, 2], [3, None]]
    with raw_cursor() as cursor:
        assert cursor.execute("SELECT %b::bigint[]", [nested]).fetchone() == (nested,)
        assert cursor.execute("SELECT %b::bytea[]", [[b"\0", None]]).fetchone() == ([b"\0", None],)
        assert cursor.execute("SELECT %b::uuid[]", [[None]]).fetchone() == ([None],)
        assert cursor.execute("SELECT %s::text[]", [["a", None]]).fetchone() == (["a", None],)
