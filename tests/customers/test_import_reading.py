"""Reading CSV: every dialect that spreadsheets write, from any row on, and past rows that are broken."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.imports import detect
from customers.imports.columns import name_columns
from customers.imports.detect import Dialect, Looker
from customers.imports.limits import FileRefused
from customers.imports.records import Record, records

_SIGNS = st.sampled_from(detect.Delimiter.values)
_ENCODINGS = st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"])
# All that can be written down in every encoding, with what hurts more often than by chance.
_CELL = st.text(
    st.one_of(
        st.sampled_from('",;\t|\n\r =+-@\0'),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)
_ROWS = st.lists(st.lists(_CELL, min_size=1, max_size=5), min_size=1, max_size=12)


def written(rows: list[list[str]], delimiter: str = ",", **how: Any) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, **how).writerows(rows)
    return out.getvalue()


def read(data: bytes, dialect: Dialect, offset: int = 0, row: int = 0) -> list[Record]:
    return list(records(io.BytesIO(data[offset:]), dialect, offset, row))


def looked_at(data: bytes, piece: int = 7) -> Dialect:
    looker = Looker()
    for start in range(0, len(data), piece):
        looker.look(data[start : start + piece])
    return looker.dialect()


@given(rows=_ROWS, delimiter=_SIGNS, encoding=_ENCODINGS, quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_whatever_python_writes_is_read_as_it_was(
    rows: list[list[str]], delimiter: str, encoding: str, quoting: int
) -> None:
    data = written(rows, delimiter, quoting=quoting).encode(encoding)
    found = read(data, Dialect(encoding, delimiter))
    assert [record.cells for record in found] == rows
    assert not any(record.fault for record in found)
    assert found[-1].end == len(data)


@pytest.mark.parametrize("dialect", ["excel", "excel-tab", "unix"])
@given(rows=_ROWS)
def test_the_dialects_that_python_knows_are_read(dialect: str, rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, dialect).writerows(rows)
    sign = csv.get_dialect(dialect).delimiter
    assert [record.cells for record in read(out.getvalue().encode(), Dialect("utf-8", sign))] == rows


@given(data=st.binary(max_size=300), encoding=st.sampled_from(["utf-8", "utf-16-le", "cp1252"]))
def test_any_row_is_a_place_to_go_on_from(data: bytes, encoding: str) -> None:
    data = data[: len(data) // 2 * 2]
    dialect = Dialect(encoding, ",")
    whole = read(data, dialect)
    for number, record in enumerate(whole):
        assert read(data, dialect, record.end, record.row) == whole[number + 1 :]


@given(rows=st.lists(st.lists(st.text(st.characters(codec="cp1252"), max_size=9), min_size=2, max_size=3), min_size=1))
def test_windows_1252_is_read_as_it_was(rows: list[list[str]]) -> None:
    data = written(rows).encode("cp1252")
    assert [record.cells for record in read(data, Dialect("cp1252", ","))] == rows


@pytest.mark.parametrize("delimiter", detect.Delimiter.values)
@pytest.mark.parametrize(
    ("encoding", "expected", "mark"),
    [
        ("utf-8", "utf-8", 0),
        ("utf-8-sig", "utf-8", 3),
        ("utf-16", "utf-16-le", 2),
        ("utf-16-le", "utf-16-le", 0),
        ("utf-16-be", "utf-16-be", 0),
        ("cp1252", "cp1252", 0),
    ],
)
def test_encoding_and_delimiter_are_seen(delimiter: str, encoding: str, expected: str, mark: int) -> None:
    rows = [["nome", "cidade", "total"], ["João", "São Paulo", "1.234"], ["Zoë", "Köln", "20"]]
    data = written(rows, delimiter).encode(encoding)
    dialect = looked_at(data)
    assert dialect == Dialect(expected, delimiter, mark, has_header=True)
    assert [record.cells for record in read(data, dialect, mark)] == rows


def test_a_decimal_comma_is_no_delimiter() -> None:
    assert looked_at(b"name;total\nAna;1,50\nBia;2,50\n").delimiter == ";"


def test_what_shows_only_at_the_end_of_a_long_file_counts() -> None:
    data = b"name,city\n" + b"Ana,Lins\n" * 20_000 + "Zé,Maceió\n".encode("cp1252")
    assert looked_at(data, piece=65_536).encoding == "cp1252"


def test_one_broken_character_makes_no_other_encoding_of_a_file() -> None:
    data = "name,city\nJoão,Maceió\n".encode() + b"Jo\xe3o,Lins\n" + "Zé,Bauru\n".encode()
    dialect = looked_at(data)
    assert dialect.encoding == "utf-8"
    assert [(record.row, record.fault) for record in read(data, dialect)] == [
        (1, ""),
        (2, ""),
        (3, "invalid_encoding"),
        (4, ""),
    ]


def test_a_quotation_mark_that_is_never_closed_costs_its_own_row_only() -> None:
    found = read(b'a,b\n"x,1\n"y",2\nz,3\n"w', Dialect("utf-8", ","))
    assert [(one.row, one.cells, one.fault) for one in found] == [
        (1, ["a", "b"], ""),
        (2, [], "broken_quotes"),
        (3, ["y", "2"], ""),
        (4, ["z", "3"], ""),
        (5, [], "broken_quotes"),
    ]


def test_an_unclosed_mark_in_a_long_file_costs_its_own_row_only() -> None:
    data = b'a,b\n"x,1\n' + b"y,2\n" * 100_000
    found = read(data, Dialect("utf-8", ","))
    assert (len(found), [one.row for one in found if one.fault]) == (100_002, [2])


def test_a_row_without_end_is_passed_over() -> None:
    data = b"a,b\n" + b"x" * 3_000_000 + b"\ny,2\n"
    found = read(data, Dialect("utf-8", ","))
    assert [(one.row, one.fault, one.end) for one in found] == [
        (1, "", 4),
        (2, "row_too_long", 3_000_005),
        (3, "", len(data)),
    ]


def test_a_cell_that_is_too_long_costs_its_own_row_only() -> None:
    found = read(b"a,b\n" + b"x" * 40_000 + b",1\ny,2\n", Dialect("utf-8", ","))
    assert [one.fault for one in found] == ["", "cell_too_long", ""]


def test_an_empty_line_is_counted_and_says_nothing() -> None:
    assert [(one.row, one.cells) for one in read(b"a,b\n\n1,2\n", Dialect("utf-8", ","))] == [
        (1, ["a", "b"]),
        (3, ["1", "2"]),
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b"PK\x03\x04rest", "file_packed"),
        (b"\x1f\x8brest", "file_packed"),
        (b"a,b\n1,\0\n", "file_binary"),
        (b"\xff\xfea\0,\0b", "file_cut_off"),
    ],
)
def test_what_is_no_csv_is_refused_by_name(data: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        looked_at(data, piece=1 << 20)
    assert refused.value.code == code


@pytest.mark.parametrize("text", ["1,2\n3,4\n", "ana@example.com,Lins\n", "2026-01-31,x\n"])
def test_a_first_row_of_values_names_no_columns(text: str) -> None:
    assert looked_at(text.encode()).has_header is False


def test_every_column_has_a_name_and_no_two_the_same() -> None:
    naming = name_columns(["email", "", "email", " city\n", "x" * 300], has_header=True)
    assert naming.names == ["email", "Column 2", "email (2)", "city", "x" * 100]
    assert naming.notes == [
        "Column 2 has no name; it is called Column 2.",
        "Two columns are called email; the second is called email (2).",
        "The name of column 5 is too long; it was cut.",
    ]


def test_five_thousand_columns_are_refused_with_their_number() -> None:
    with pytest.raises(FileRefused, match="5000 columns; at most 500"):
        name_columns(["x"] * 5000, has_header=True)
