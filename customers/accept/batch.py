"""Accept a batch: read every item, write what is new and what is refused, and say what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
from django.db import DataError

from customers import bells, kinds, tally
from customers.accept import erased, listing, schemas, strict_json
from customers.accept.apart import apart, undoable
from customers.accept.dialects import DIALECTS, Dialect
from customers.accept.message import Message, Reading
from customers.accept.refusal import Refusal, Refused, unstorable
from customers.accept.refused import RefusedItem, keep, refused_item, without_the_erased
from customers.accept.store import fingerprints, store
from customers.accept.strict_json import Document
from customers.keys import Writer
from customers.models import Outcome as Outcomes


@dataclass(frozen=True, slots=True)
class Submission:
    """A parsed request: one message that is the whole document, or those in its list."""

    document: Document
    door: str
    single: bool
    items: Sequence[Any]

    def place_of(self, index: int) -> str:
        if self.single:
            return ""
        return f"/{self.dialect.list_name}/{index}" if self.dialect.list_name else f"/{index}"

    def items_in(self, document: Any) -> Any:
        """The items, in any reading of the document."""
        if self.single:
            return [document]
        return document[self.dialect.list_name] if self.dialect.list_name else document

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[self.door]

    @property
    def sent_at(self) -> datetime | None:
        """When the body says it was sent. It only serves to correct clocks: one that is no moment says nothing."""
        told = self.document.value.get(self.dialect.sent_at) if type(self.document.value) is dict else None
        try:
            moment = datetime.fromisoformat(told) if type(told) is str else None
            return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            return None


@dataclass(slots=True)
class Outcome:
    """What became of every item; `refusals` by index, pointers relative to the item, whose id stands at `id_at`."""

    id_at: str
    accepted: int = 0
    duplicates: int = 0
    # The names of the duplicates, one each.
    repeated: list[str] = field(default_factory=list)
    refusals: dict[int, Refusal] = field(default_factory=dict)


def accept(submission: Submission, writer: Writer, now: datetime) -> Outcome:
    """Make every acceptable item durable before returning, and put the others into quarantine one by one."""
    outcome = Outcome(submission.dialect.id_at)
    reading = reading_of(submission, writer, now, now)
    messages = read_all(submission, reading, outcome)
    refused = without_the_erased(_rows(submission, outcome, 0, writer), writer.source_id, now)
    gone = turn_away(messages, reading, outcome)
    if messages or refused:
        put(messages, refused, writer.source_id, now, outcome)
    # That these differ from what is stored, or cannot be, shows only in storing: their rows follow by themselves.
    if late := _rows(submission, outcome, len(refused) + gone, writer):
        keep(late, writer.source_id, now)
    if outcome.accepted:
        bells.ring("engine")
    return outcome


def reading_of(submission: Submission, writer: Writer, received_at: datetime, now: datetime) -> Reading:
    """What the submission's items are read against, as things are now."""
    plan, known = schemas.current(now), kinds.current(now)
    return Reading(writer, plan, known, received_at, submission.sent_at, listing.current(now))


def turn_away(messages: dict[int, Message], reading: Reading, outcome: Outcome) -> int:
    """Take out what tells of people who were erased since: it is refused and, unlike all else, not kept."""
    gone = erased.turn_away(messages, reading)
    outcome.refusals |= gone
    names: dict[str, list[str]] = {}
    for index, refusal in gone.items():
        names.setdefault(refusal.code, []).append(messages.pop(index).name)
    for code, told in names.items():
        tally.note(reading.writer.source_id, Outcomes.REFUSED, told, reading.received_at, code)
    return len(gone)


def read_all(submission: Submission, reading: Reading, outcome: Outcome) -> dict[int, Message]:
    """The messages by index; refusals go into `outcome`."""
    outcome.refusals = _faults(submission)
    dialect = submission.dialect
    check_size = len(submission.document.text) > dialect.max_item_bytes
    messages: dict[int, Message] = {}
    for index, item in enumerate(submission.items):
        if index in outcome.refusals:
            continue
        try:
            if check_size and len(orjson.dumps(item)) > dialect.max_item_bytes:
                raise too_large(dialect.max_item_bytes, "message")
            messages[index] = dialect.read(item, reading)
        except Refused as error:
            outcome.refusals[index] = error.refusal
    return messages


def put(
    messages: Mapping[int, Message], refused: Sequence[RefusedItem], source_id: UUID, now: datetime, outcome: Outcome
) -> None:
    """Write the messages that are new and all that was refused, and tell what became of the messages."""
    first = list(first_of_each(messages).values())
    try:
        with undoable():
            fresh = store(first, refused, source_id, now)
    except DataError:
        keep(refused, source_id, now)
        messages, fresh = _put_apart(messages, first, source_id, now, outcome)
    settle(messages, fresh, outcome)
    if outcome.repeated:
        tally.note(source_id, Outcomes.DUPLICATE, outcome.repeated, now)


def _put_apart(
    messages: Mapping[int, Message], first: Sequence[Message], source_id: UUID, now: datetime, outcome: Outcome
) -> tuple[dict[int, Message], set[str]]:
    """Write what the database can hold and refuse the rest, with whatever repeats it; return the others."""
    fresh: set[str] = set()
    faults = apart(first, lambda part: fresh.update(store(part, [], source_id, now)))
    states = {message.key: state for message, state in faults}
    outcome.refusals |= {
        index: unstorable(states[message.key]) for index, message in messages.items() if message.key in states
    }
    return {index: message for index, message in messages.items() if message.key not in states}, fresh


def settle(messages: Mapping[int, Message], fresh: set[str], outcome: Outcome) -> None:
    """Tell new messages from repetitions, and repetitions from other messages under the same id."""
    outcome.accepted = len(fresh)
    if len(fresh) == len(messages):
        return
    first = first_of_each(messages)
    stored = fingerprints([key for key in first if key not in fresh])
    for index, message in messages.items():
        kept = first[message.key].fingerprint if message.key in fresh else stored.get(message.key, message.fingerprint)
        if message.fingerprint != kept:
            outcome.refusals[index] = _conflict(outcome.id_at)
        elif message.key not in fresh or first[message.key] is not message:
            outcome.duplicates += 1
            outcome.repeated.append(message.name)


def too_large(limit: int, what: str) -> Refused:
    return Refused("payload_too_large", f"A {what} has at most {limit:,} bytes.", "Send less at once.")


def first_of_each(messages: Mapping[int, Message]) -> dict[str, Message]:
    """The messages by key; of several under one id the first stands."""
    first: dict[str, Message] = {}
    for message in messages.values():
        first.setdefault(message.key, message)
    return first


def _rows(submission: Submission, outcome: Outcome, start: int, writer: Writer) -> list[RefusedItem]:
    """Quarantine rows for the refusals from the `start`-th on; their pointers lead into the kept item."""
    return [
        refused_item(submission.door, submission.items[index], refusal, from_page=writer.is_public)
        for index, refusal in islice(outcome.refusals.items(), start, None)
    ]


def _faults(submission: Submission) -> dict[int, Refusal]:
    """Breaches of the limits of JSON, looked for one by one only when the quick look finds something."""
    objects = [item for item in submission.items if type(item) is dict]
    if len(objects) == len(submission.items) and strict_json.is_sound(submission.document, objects):
        return {}
    exact = strict_json.lossless(submission.document)
    found = (
        (index, strict_json.first_fault(item) if isinstance(item, dict) else _no_object())
        for index, item in enumerate(submission.items_in(exact))
    )
    return {index: fault for index, fault in found if fault is not None}


def _no_object() -> Refusal:
    return Refusal("wrong_type", "A message is an object.", "Send a JSON object.")


def _conflict(id_at: str) -> Refusal:
    return Refusal(
        "message_id_conflict",
        "Another message was accepted under this id; the first one stands.",
        "Give every message an id of its own.",
        id_at,
    )
