"""Replay of what the doors of events refused: the item is read and stored as if it came again."""

from datetime import datetime

from customers import keys
from customers.accept import strict_json
from customers.accept.batch import Outcome, Submission, put, read_all, reading_of, turn_away
from customers.accept.dialects import DIALECTS
from customers.accept.refusal import Refusal, Refused
from customers.models import QuarantinedEvent


def accept_again(row: QuarantinedEvent, now: datetime) -> Refusal | None:
    """Store the row's item, or say why it is still refused.

    Its time is judged as of its first receipt: waiting in quarantine makes no event too old.
    """
    writer = keys.writer_of(row.source_id)
    if writer is None:
        return Refusal("source_inactive", "The source takes no messages at present.", "Activate the source.")
    if row.from_page:
        # What anybody could have said is no more than that after it was mended.
        writer = keys.as_page(writer)
    outcome = Outcome(DIALECTS[row.door].id_at)
    try:
        document = strict_json.parse(row.raw.encode())
    except Refused as error:
        return error.refusal
    submission = Submission(document, row.door, single=True, items=[document.value])
    reading = reading_of(submission, writer, row.received_at, now)
    messages = read_all(submission, reading, outcome)
    turn_away(messages, reading, outcome)
    if messages:
        put(messages, [], writer.source_id, now, outcome)
    return outcome.refusals.get(0)
