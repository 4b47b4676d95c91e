"""What is left of a list: the lines of which nobody came in, each with the reason, as a file to be handed in again."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from django.utils.translation import gettext as _

from customers.csv_file import csv_file
from customers.models import Job
from customers.pg import raw_cursor
from journeys.models import CallList, CallListRow, EntryRefusal

_LET_IN: Final = """
    SELECT c.message_id FROM journeys_run r JOIN journeys_runcontext c ON c.run_id = r.id
    WHERE r.journey_id = %b AND r.entered_at >= %b AND c.message_id LIKE %b
"""
_REFUSED: Final = """
    SELECT e.message_id, f.reason FROM journeys_entryrefusal f
    JOIN customers_event e ON e.id = f.event_id AND e.received_at = f.event_received_at
    WHERE f.journey_id = %b AND f.at >= %b AND e.message_id LIKE %b
"""


def remainder(chosen: CallList, rows: Iterable[CallListRow]) -> Iterator[bytes]:
    """The file piece by piece. Without a call, the lines that would not be called; whose data was erased since is left
    out."""
    return csv_file([chosen.kind, *chosen.columns, _("line"), _("reason")], _left(chosen, rows))


def _left(chosen: CallList, rows: Iterable[CallListRow]) -> Iterator[list[str]]:
    let_in, refused = (set[int](), dict[int, str]()) if chosen.call_job is None else _came(chosen, chosen.call_job)
    for row in rows:
        reason = _reason(chosen, row, let_in, refused)
        if reason:
            yield [row.value, *(_cell(row.data, name) for name in chosen.columns), str(row.line), reason]


def _came(chosen: CallList, job: Job) -> tuple[set[int], dict[int, str]]:
    """By line, who was let in, and why others were not."""
    values = [chosen.journey_id, job.created_at, f"{job.pk}-%"]
    with raw_cursor() as cursor:
        let_in = {_line(row[0]) for row in cursor.execute(_LET_IN, values).fetchall()}
        refused = {_line(message): reason for message, reason in cursor.execute(_REFUSED, values).fetchall()}
    return let_in, refused


def _line(message_id: str) -> int:
    return int(message_id.rpartition("-")[2])


def _reason(chosen: CallList, row: CallListRow, let_in: set[int], refused: Mapping[int, str]) -> str:
    """Why nobody came in by this line; nothing where somebody did, or may yet."""
    if row.problem:
        return str(CallListRow.Problem(row.problem).label)
    if chosen.call_job is None or row.line in let_in:
        return ""
    if row.line in refused:
        return str(EntryRefusal.Reason(refused[row.line]).label)
    was_called = row.line <= int(chosen.call_job.cursor.get("after", 0))
    return _("not decided yet") if was_called else _("not called")


def _cell(data: object, path: str) -> str:
    here = data
    for name in path.split("."):
        here = here.get(name, "") if isinstance(here, dict) else ""
    return str(here).lower() if isinstance(here, bool) else str(here)
