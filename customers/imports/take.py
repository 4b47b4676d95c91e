"""A few rows taken in: mapped, accepted like events of any other door, and the others noted with their reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from customers import keys, things
from customers.accept import strict_json
from customers.accept.batch import Outcome, Submission, accept, read_all, reading_of
from customers.accept.dialects import CSV_DOOR, DIALECTS
from customers.accept.refusal import Refusal
from customers.accept.words_in import told_at
from customers.ids import hash_uuid
from customers.imports import refuse
from customers.imports.columns import is_of_refused
from customers.imports.records import Record
from customers.mapping import EventMapping, apply
from customers.models import Import
from customers.neutral import as_it_was


@dataclass(slots=True)
class Taken:
    """What became of some rows; every row is one of the three."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """A row as an event of our own dialect, or why it makes none."""

    record: Record
    item: dict[str, Any] | None
    refusal: Refusal | None

    def refused(self, why: Refusal) -> refuse.RefusedCells:
        at = None if self.item is None else told_at(orjson.dumps(self.item).decode())
        return refuse.RefusedCells(self.record.row, self.record.cells, why, at)


class Taker:
    """Takes in the rows of one file."""

    def __init__(self, parent: Import, mapping: EventMapping, writer: keys.Writer) -> None:
        self._parent = parent
        self._mapping = mapping
        self._writer = writer
        self._columns: list[str] = parent.columns
        self._is_of_refused = is_of_refused(self._columns)
        self._id = f"csv-{id_of(parent)}-"

    def take(self, rows: Sequence[Record], now: datetime) -> Taken:
        """In the caller's transaction: whatever happens, a row is counted once."""
        made = [self.make(record) for record in rows]
        sent = [one for one in made if one.item is not None]
        outcome = Outcome("/id") if not sent else self._accept(sent, now)
        refused = [(one, one.refusal) for one in made if one.refusal is not None]
        refused += [(sent[index], refusal) for index, refusal in outcome.refusals.items()]
        if refused:
            refuse.keep(self._parent, [one.refused(why) for one, why in refused], now)
        return Taken(outcome.accepted, outcome.duplicates, len(refused))

    def try_out(self, rows: Sequence[Record], now: datetime) -> list[Made]:
        """What the rows would become, as far as can be told without writing anything."""
        made = [self.make(record) for record in rows]
        sent = [one for one in made if one.item is not None]
        if not sent:
            return made
        if self._is_of_things(sent):
            outcome = self._take_things(sent, now, writes=False)
        else:
            outcome, submission = Outcome("/id"), _submission(sent)
            read_all(submission, reading_of(submission, self._writer, now, now), outcome)
        refusals = {sent[index].record.row: refusal for index, refusal in outcome.refusals.items()}
        return [Made(one.record, one.item, one.refusal or refusals.get(one.record.row)) for one in made]

    def _accept(self, sent: Sequence[Made], now: datetime) -> Outcome:
        if self._is_of_things(sent):
            return self._take_things(sent, now, writes=True)
        return accept(_submission(sent), self._writer, now)

    def _is_of_things(self, sent: Sequence[Made]) -> bool:
        return sent[0].item is not None and things.is_thing(sent[0].item)

    def _take_things(self, sent: Sequence[Made], now: datetime, *, writes: bool) -> Outcome:
        """What changes nothing is known already."""
        outcome = Outcome("/id")
        items = [one.item for one in sent if one.item is not None]
        for number, fate in enumerate(things.take(self._parent.source.brand_id, items, now, writes=writes)):
            if isinstance(fate, Refusal):
                outcome.refusals[number] = fate
            else:
                outcome.accepted += fate
                outcome.duplicates += not fate
        return outcome

    def make(self, record: Record) -> Made:
        """The event that a row tells of."""
        code = record.fault
        if not code and len(record.cells) != len(self._columns):
            code = "wrong_cell_count"
        if code:
            return Made(record, None, refuse.FAULTS[code])
        cells = map(as_it_was, record.cells) if self._is_of_refused else record.cells
        result = apply(self._mapping, dict(zip(self._columns, cells, strict=True)))
        if result.problems:
            problem = result.problems[0]
            refusal = Refusal(problem.code, str(problem.message), str(problem.hint), problem.pointer or problem.field)
            return Made(record, None, refusal)
        item = result.events[0].item
        # What is in a file twice was meant twice; the file handed in twice was not.
        item.setdefault("id", f"{self._id}{record.row}")
        return Made(record, item, None)


def id_of(parent: Import) -> str:
    """What tells this file, and the way it is read, from every other.

    Other columns of the same customers are new: to have learned their names again does no harm; and the same people may
    be told of for another purpose. The same events told by another mapping are the same events still, and a second
    telling is refused.
    """
    told = [parent.digest, parent.rows, None if parent.rows == Import.Rows.EVENTS else parent.mapping]
    return hash_uuid(orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()).hex


def _submission(made: Sequence[Made]) -> Submission:
    """The same text goes through the same checks as if it had been posted."""
    document = strict_json.parse(orjson.dumps({DIALECTS[CSV_DOOR].list_name: [one.item for one in made]}))
    return Submission(document, CSV_DOOR, single=False, items=document.value[DIALECTS[CSV_DOOR].list_name])
