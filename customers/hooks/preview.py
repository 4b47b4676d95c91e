"""What a mapping would make of a sample, as acceptance would judge it now; nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from customers import keys, things
from customers.accept.batch import Outcome, read_all, reading_of
from customers.accept.refusal import Refusal, Refused
from customers.hooks.documents import JSON, read_document
from customers.hooks.interpret import read_document_by, submission_of
from customers.mapping import EventMapping, MappingError, Problem, parse
from customers.models import Hook

_NO_WRITER = Refusal("source_inactive", "The source takes no messages at present.", "Activate the source.")


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of the sample, and why acceptance would refuse it."""

    item: dict[str, Any]
    place: str
    refusal: Refusal | None


@dataclass(slots=True)
class Preview:
    mapping: EventMapping | None = None
    # Of the two texts, and of the mapping.
    unreadable_mapping: Refusal | None = None
    unreadable_sample: Refusal | None = None
    problems: Sequence[Problem] = ()
    unhandled: bool = False
    events: list[Seen] = field(default_factory=list)

    @property
    def can_be_saved(self) -> bool:
        return self.mapping is not None


def preview(hook: Hook, mapping: str, sample: str, headers: Mapping[str, str], now: datetime) -> Preview:
    """Both are texts as somebody types them."""
    seen = Preview()
    try:
        seen.mapping = parse(read_document(mapping.encode(errors="replace"), JSON))
    except Refused as error:
        seen.unreadable_mapping = error.refusal
    except MappingError as error:
        seen.problems = error.problems
    try:
        document = read_document(sample.encode(errors="replace"), JSON) if sample.strip() else None
    except Refused as error:
        seen.unreadable_sample = error.refusal
        return seen
    if seen.mapping is not None and document is not None:
        _apply(seen, seen.mapping, hook, document, headers, now)
    return seen


def _apply(
    seen: Preview, mapping: EventMapping, hook: Hook, document: Any, headers: Mapping[str, str], now: datetime
) -> None:
    writer = keys.writer_of(hook.source_id)
    if writer is None:
        seen.unreadable_sample = _NO_WRITER
        return
    reading = read_document_by(mapping, document, headers, (str(hook.pk), "preview"))
    seen.unhandled = reading.reason == "unhandled"
    seen.problems = reading.result.problems
    if not reading.items:
        return
    things_told = [one for one in reading.items if things.is_thing(one)]
    fates = iter(things.take(hook.source.brand_id, things_told, now, writes=False))
    submission, outcome = submission_of([one for one in reading.items if not things.is_thing(one)]), Outcome("/id")
    read_all(submission, reading_of(submission, writer, now, now), outcome)
    refusals = map(outcome.refusals.get, count())
    for one in reading.result.events:
        fate = next(fates) if things.is_thing(one.item) else next(refusals)
        seen.events.append(Seen(one.item, one.place, fate if isinstance(fate, Refusal) else None))
