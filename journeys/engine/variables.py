"""Typed variables of runs in the engine: read for many at once where something ahead asks, given by events, written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from psycopg import Cursor

from customers.pg import copy_rows
from journeys.engine.runs import RunState
from journeys.variables import MOMENT_FORM, beginning, given

if TYPE_CHECKING:
    from journeys.engine.walk import Walked
    from journeys.version import Version

_LAST: Final = """
    SELECT DISTINCT ON (v.run_id, v.name) v.run_id, v.name, v.text, v.number, v.boolean, v.moment
    FROM journeys_variable v WHERE v.run_id = ANY(%b) ORDER BY v.run_id, v.name, v.seq DESC
"""
_ROW: Final = (
    ("run_id", "int8"),
    ("name", "varchar"),
    ("seq", "int4"),
    ("text", "text"),
    ("number", "float8"),
    ("boolean", "bool"),
    ("moment", "timestamptz"),
)


@dataclass(slots=True)
class Kept:
    """A value that the run's move number `seq` gave a variable."""

    run: RunState
    seq: int
    name: str
    value: Any


def read_variables(cursor: Cursor[Any], runs: Iterable[RunState]) -> None:
    """Give each of these runs the variables it holds."""
    wanted = list(runs)
    if not wanted:
        return
    held: dict[int, dict[str, Any]] = {run.id: {} for run in wanted}
    for run_id, name, *columns in cursor.execute(_LAST, [list(held)], prepare=True).fetchall():
        held[run_id][name] = value_of(*columns)
    for run in wanted:
        run.variables = held[run.id]


def value_of(text: str | None, number: float | None, boolean: bool | None, moment: datetime | None) -> Any:
    """The one of a row's columns that is filled, as rules and templates see it."""
    if number is not None:
        return int(number) if number.is_integer() else number
    if moment is not None:
        return moment.astimezone(UTC).strftime(MOMENT_FORM)
    return boolean if boolean is not None else text


def at_entry(version: "Version", properties: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a run of this version begins with; None where it declares nothing."""
    declared = version.definition.variables
    return beginning(declared, properties) if declared else None


def keep_entry(run: RunState, walked: "Walked") -> None:
    walked.kept += [Kept(run, 1, name, value) for name, value in (run.variables or {}).items()]


def give(run: RunState, branch: int, properties: Mapping[str, Any], walked: "Walked") -> None:
    """Let the event that resumes the run by this branch give what the branch says; called before the move is made."""
    sets = run.version.steps[run.step].gives(branch)
    if not sets:
        return
    new = given(run.version.definition.variables, sets, properties)
    run.variables = {**(run.variables or {}), **new}
    walked.kept += [Kept(run, run.seq + 1, name, value) for name, value in new.items()]


def write_variables(cursor: Cursor[Any], kept: Iterable[Kept]) -> None:
    copy_rows(cursor, "journeys_variable", _ROW, ((one.run.id, one.name, one.seq, *_columns(one)) for one in kept))


def _columns(one: Kept) -> tuple[str | None, float | None, bool | None, datetime | None]:
    kind = next(declared.kind for declared in one.run.version.definition.variables if declared.name == one.name)
    value = one.value
    return (
        value if kind == "text" else None,
        float(value) if kind == "number" else None,
        value if kind == "boolean" else None,
        datetime.fromisoformat(value) if kind == "moment" else None,
    )
