"""The table of bad inputs names tests that there are, and leaves no number out."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TABLE = (TESTS.parent / "docs" / "bad-inputs.md").read_text()
_ROW = re.compile(r"^\| (\d+) \|(.*)\|$", re.MULTILINE)
_TEST = re.compile(r"`([\w/]+)/(\w+)::(\w+)`")


def is_there(folder: str, file: str, name: str) -> bool:
    path = TESTS / folder / f"test_{file}.py"
    if not path.exists():
        return False
    return any(
        isinstance(one, ast.FunctionDef) and one.name == f"test_{name}" for one in ast.walk(ast.parse(path.read_text()))
    )


def test_every_number_has_its_row() -> None:
    numbers = [int(number) for number, _rest in _ROW.findall(TABLE)]
    assert numbers == [*range(1, 57), 87, 88, 89, 104, *range(81, 85), 86, *range(90, 103), *range(74, 81)]


def test_every_row_names_a_test() -> None:
    assert [number for number, rest in _ROW.findall(TABLE) if not _TEST.search(rest)] == []


def test_every_test_named_is_there() -> None:
    named = set(_TEST.findall(TABLE))
    assert len(named) > 40
    assert sorted(one for one in named if not is_there(*one)) == []
