"""The page of an import: how the file is read, what its columns become, what its first rows make, and how far it is."""

from dataclasses import replace
from typing import Any, Final

import msgspec
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers import clock, keys, kinds, personal
from customers.admin.import_forms import ReadingForm, column_rows, helps, read_choices, said_rows
from customers.imports import file, plan
from customers.imports.choices import Choices, as_mapping
from customers.imports.guess import guess
from customers.imports.limits import FileRefused
from customers.imports.records import Record
from customers.imports.rows import kind_of
from customers.imports.take import Made, Taker
from customers.imports.words import put_into_words, words_of
from customers.mapping import EventMapping, MappingError, Problem, parse
from customers.models import Import, InboxItem, Job, RefusedRow
from customers.visibility import sees_pii

_PREVIEWED: Final = 10
_SAMPLED: Final = 3
_GUESSED_FROM: Final = 50
_SHOWN: Final = 20
# More are not counted to their end for a page.
_COUNTED: Final = 10_000
REASONS: Final = {
    "SourceIsOff": _("The source is switched off."),
    "TooManyRefusedRows": _("So many rows were refused that something is wrong with the columns, or with the file."),
}


def draft_of(parent: Import, request: HttpRequest, *, posted: Any = None) -> dict[str, Any]:
    """What the page of an import that was not begun shows."""
    rows = file.first_rows(parent, _GUESSED_FROM)
    reads = sees_pii(request.user, parent.source.brand_id)
    problems: list[str] = []
    choices = _choices(parent, rows, posted, problems)
    mapping = _mapping(parent, choices, problems)
    writer = keys.writer_of(parent.source_id)
    tried = (
        Taker(parent, mapping, writer).try_out(rows[:_PREVIEWED], clock.utcnow())
        if mapping is not None and writer is not None
        else []
    )
    samples = [_as_shown(record.cells, reads) for record in rows[:_SAMPLED]]
    return {
        "reading": ReadingForm(
            initial={
                "encoding": parent.encoding,
                "delimiter": parent.delimiter,
                "has_header": parent.has_header,
            }
        ),
        "notes": file.naming(parent).notes,
        "columns": column_rows(parent, choices, samples),
        "said": said_rows(parent, choices),
        "kind": kind_of(parent),
        "choices": choices,
        "problems": problems,
        "preview": [_preview(one, reads) for one in tried],
        "is_sound": not problems,
        "is_off": writer is None,
        "is_masked": not reads,
        **helps(),
    }


def keep_choices(parent: Import, posted: Any) -> list[str]:
    """Keep what was chosen, and the mapping where it is sound; return what is not."""
    problems: list[str] = []
    choices = _choices(parent, [], posted, problems)
    if problems:
        return problems
    parent.choices = msgspec.to_builtins(choices)
    parent.mapping = {}
    try:
        mapping = as_mapping(parent, choices)
        plan.check(parent, parse(mapping), clock.utcnow())
        parent.mapping = mapping
    except (FileRefused, MappingError) as error:
        problems += _in_words(error)
    parent.save(update_fields=["choices", "mapping"])
    return problems


def _choices(parent: Import, rows: list[Record], posted: Any, problems: list[str]) -> Choices:
    """What was chosen just now, else before, else what the names and values of the columns make likely."""
    if posted is not None:
        try:
            return read_choices(posted, parent)
        except msgspec.ValidationError:
            problems.append(str(_("One of the choices is none that is offered.")))
    if parent.choices:
        kept = msgspec.convert(parent.choices, Choices)
        if len(kept.columns) == len(parent.columns):
            return kept
    known = kinds.current(clock.utcnow())
    return guess(parent, [record.cells for record in rows if not record.fault], known, parent.source.brand)


def _mapping(parent: Import, choices: Choices, problems: list[str]) -> EventMapping | None:
    """The mapping that the choices make; what is wrong with them goes to `problems`."""
    try:
        # One that came with a command was chosen there.
        mapping = parse(parent.mapping if parent.mapping and not parent.choices else as_mapping(parent, choices))
        plan.check(parent, mapping, clock.utcnow())
        return mapping
    except (FileRefused, MappingError) as error:
        problems += _in_words(error)
        return None


def _in_words(error: FileRefused | MappingError) -> list[str]:
    return [str(error)] if isinstance(error, FileRefused) else [_told(problem) for problem in error.problems]


def _told(problem: Problem) -> str:
    place = problem.field.rpartition("/events/0/")[2]
    return f"{problem.message} {problem.hint} ({place})".replace("  ", " ")


def _as_shown(cells: list[str], reads: bool) -> list[str]:
    return cells if reads else [personal.MASK for _cell in cells]


def _preview(made: Made, reads: bool) -> dict[str, Any]:
    """A row as it would be taken in: whose, what, when and with what; or why not."""
    item, refusal = made.item or {}, made.refusal
    said, to_do = ("", "") if refusal is None else words_of(refusal.code, refusal.message, refusal.hint)
    parts = [
        (part, list((held if reads else personal.mask(held, personal.DOCUMENT)).items()))
        for part in ("identifiers", "traits", "properties")
        if (held := item.get(part))
    ]
    return {
        "row": made.record.row,
        "name": item.get("name", ""),
        "at": item.get("occurred_at", ""),
        "parts": parts,
        "refusal": refusal and replace(refusal, message=said, hint=to_do),
    }


def progress_of(parent: Import, request: HttpRequest) -> dict[str, Any]:
    """How far an import is that was begun, and what its rows came to."""
    job = parent.job
    assert job is not None
    numbers = {name: int(job.report.get(name, 0)) for name in ("accepted", "duplicates", "rejected")}
    total = job.total or 1
    refused = RefusedRow.objects.shown_to(request.user).filter(parent=parent)
    moments = job.cursor.get("moments", [])
    return {
        "job": job,
        "is_over": job.is_over,
        "percent": 100 if job.state == Job.State.DONE else min(job.done * 100 // total, 99),
        "numbers": numbers,
        "rows_done": sum(numbers.values()),
        "queued": InboxItem.objects.filter(source_id=parent.source_id, received_at__in=moments)[:_COUNTED].count(),
        "reason": REASONS.get(job.reason, job.reason),
        "refused": [put_into_words(row) for row in refused[:_SHOWN]],
        "may_go_on": job.is_over and job.state != Job.State.DONE and parent.removed_at is None,
    }
