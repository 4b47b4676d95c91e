"""The stage that reads received bodies by their hook's mapping and hands what comes of it to acceptance.

A body may be interpreted again and again: ids of messages are made from the delivery's, so nothing is stored twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection, transaction

from customers import bells, dead_letters, keys, things
from customers.accept import strict_json
from customers.accept.batch import Outcome, Submission, put, read_all, reading_of, turn_away
from customers.accept.dialects import DIALECTS, HOOK
from customers.accept.erased import names_of
from customers.accept.message import digest
from customers.accept.refusal import Refusal, Refused
from customers.accept.refused import keep, refused_item
from customers.accept.remains import Sender, Told, as_text, naming_the_erased
from customers.erased import Name
from customers.hooks.documents import read_document
from customers.keys import Writer
from customers.mapping import EventMapping, Mapped, MappingError, Problem, Result, apply, parse
from customers.models import ReceivedBody
from customers.work import Queue, not_alone

# A body may be a megabyte and make a thousand events.
_MOST: Final = 50
# Known already under this id, or gone for good: no row of the quarantine could ever help.
_SETTLED: Final = frozenset(("message_id_conflict", "erased_subject"))
# The mapping says that such a body is none of its business.
_UNHANDLED: Final = "unhandled"
_TOLD: Final = (
    "status", "reason", "problems", "interpreted_at", "accepted", "duplicates", "refused", "headers", "body",
    "delivery_id",
)  # fmt: skip
_SUPERSEDE: Final = """
    UPDATE customers_quarantinedevent SET status = 'discarded', settled_at = %s
    WHERE received_at = %s AND body_id = %s AND status = 'open'
"""


@dataclass(slots=True)
class Reading:
    """What a document comes to by a mapping: the events, what acceptance says of each, and the faults."""

    reason: str = ""
    result: Result = field(default_factory=Result)
    items: list[dict[str, Any]] = field(default_factory=list)
    # Whom the events tell of that acceptance had nothing against.
    named: set[Name] = field(default_factory=set)
    outcome: Outcome = field(default_factory=lambda: Outcome("/id"))
    # Of messages about things: how many changed something, changed nothing, or were refused.
    changed: int = 0
    known: int = 0
    refused: int = 0


def interpret(ids: Sequence[int], now: datetime) -> int:
    """Interpret these bodies; return how many."""
    bodies = ReceivedBody.objects.filter(id__in=ids, status=ReceivedBody.Status.WAITING)
    count = 0
    for body in bodies.select_related("hook__source").order_by("id"):
        _interpret(body, now)
        count += 1
    return count


def replay(ids: Sequence[int], now: datetime) -> int:
    """Have bodies interpreted anew by the mapping as it is now; return how many wait for it."""
    settled = ReceivedBody.objects.filter(id__in=ids).exclude(status=ReceivedBody.Status.WAITING)
    with transaction.atomic():
        count = settled.update(status=ReceivedBody.Status.WAITING, reason="")
        dead_letters.close(QUEUE.name, ids, now)
    if count:
        bells.ring("engine")
    return count


def _interpret(body: ReceivedBody, now: datetime) -> None:
    before = body.interpreted_at
    reading, writer = Reading(), keys.writer_of(body.hook.source_id)
    if writer is None:
        reading.reason = "source_inactive"
    else:
        reading = read_body(body)
        if before is not None and reading.reason in ("", _UNHANDLED):
            _supersede(body, now, before)
        if not reading.reason:
            _accept(body, reading, writer, now)
    body.status = _status_of(reading)
    body.reason = reading.reason
    body.problems = [one.as_json() for one in reading.result.problems]
    body.interpreted_at = now
    body.accepted = reading.outcome.accepted + reading.changed
    body.duplicates = reading.outcome.duplicates + reading.known
    body.refused = len(reading.outcome.refusals) + reading.refused
    if _tells_of_the_erased(body, reading, now):
        body.headers, body.body = {"content-length": str(len(body.body))}, b""
        body.delivery_id, body.problems = "", [{**one, "pointer": ""} for one in body.problems]
    body.save(update_fields=_TOLD)


def _tells_of_the_erased(body: ReceivedBody, reading: Reading, now: datetime) -> bool:
    """Whether it names somebody who was erased, but for those of whom something new was accepted."""
    if any(refusal.code == "erased_subject" for refusal in reading.outcome.refusals.values()):
        return True
    source = body.hook.source
    beside = orjson.dumps([body.headers, body.delivery_id]).decode()
    told = Told((as_text(bytes(body.body)), beside), spared=reading.named)
    return any(naming_the_erased([told], Sender(source.namespace, source.region), now))


def read_body(body: ReceivedBody) -> Reading:
    """What the body comes to by its hook's mapping, before anything is written."""
    try:
        document = read_document(bytes(body.body), body.content_type)
        mapping = parse(body.hook.mapping)
    except Refused as error:
        return Reading(error.refusal.code)
    except MappingError as error:
        return Reading("invalid_mapping", Result(problems=list(error.problems)))
    return read_document_by(mapping, document, body.headers, (str(body.hook_id), str(body.key)))


def read_document_by(
    mapping: EventMapping,
    document: Any,
    headers: Mapping[str, str],
    named: tuple[str, str],
) -> Reading:
    """What a document comes to; `named` are the ids of the hook and of the delivery."""
    result = apply(mapping, document, {"headers": headers})
    if not result.applies:
        return Reading(_UNHANDLED, result)
    if result.problems:
        return Reading("mapping_failed", result)
    return Reading("", result, [_named(one, *named) for one in result.events])


def submission_of(items: Sequence[dict[str, Any]]) -> Submission:
    document = strict_json.parse(orjson.dumps({DIALECTS[HOOK].list_name: items}))
    return Submission(document, HOOK, single=False, items=document.value[DIALECTS[HOOK].list_name])


def _named(event: Mapped, hook: str, delivery: str) -> dict[str, Any]:
    """The event with an id: its own where the mapping finds one, else made from the delivery's."""
    return {"id": f"hook-{digest(hook, delivery, event.key, str(event.number))}", **event.item}


def _accept(body: ReceivedBody, reading: Reading, writer: Writer, now: datetime) -> None:
    """Store the events that are acceptable, and put the others into quarantine, each once."""
    told = [one for one in reading.items if things.is_thing(one)]
    if told:
        _take_things(body, told, reading, now)
    reading.items = [one for one in reading.items if not things.is_thing(one)]
    if not reading.items:
        return
    submission = submission_of(reading.items)
    against = reading_of(submission, writer, body.received_at, now)
    messages = read_all(submission, against, reading.outcome)
    turn_away(messages, against, reading.outcome)
    reading.named = {name for message in messages.values() for name in names_of(message, against)}
    if messages:
        put(messages, [], writer.source_id, now, reading.outcome)
    rows = [
        refused_item(HOOK, submission.items[index], refusal, body_id=body.pk)
        for index, refusal in sorted(reading.outcome.refusals.items())
        if refusal.code not in _SETTLED
    ]
    if rows:
        keep(rows, writer.source_id, now)


def _take_things(body: ReceivedBody, told: Sequence[dict[str, Any]], reading: Reading, now: datetime) -> None:
    """What tells of things and of nobody is taken in at once. What is refused of it is a problem of the body: told
    again, by the same or a better mapping, it is looked at again."""
    for fate in things.take(body.hook.source.brand_id, told, now, writes=True):
        if isinstance(fate, Refusal):
            reading.refused += 1
            if len(reading.result.problems) < _MOST:
                reading.result.problems.append(Problem("thing_refused", fate.code, fate.pointer))
        else:
            reading.changed += fate
            reading.known += not fate


def _supersede(body: ReceivedBody, now: datetime, before: datetime) -> None:
    """Close what an earlier interpretation put into quarantine: the new one says it anew where it still holds."""
    with connection.cursor() as cursor:
        cursor.execute(_SUPERSEDE, [now, before, body.pk])


def _status_of(reading: Reading) -> str:
    if not reading.reason:
        return ReceivedBody.Status.DONE
    return ReceivedBody.Status.UNHANDLED if reading.reason == _UNHANDLED else ReceivedBody.Status.FAILED


def _give_up(unit: int, _reason: str, now: datetime) -> None:
    ReceivedBody.objects.filter(pk=unit).update(status=ReceivedBody.Status.FAILED, reason="gave_up", interpreted_at=now)


QUEUE = Queue(
    name="hooks",
    table="customers_receivedbody",
    pick=(
        "SELECT id FROM customers_receivedbody WHERE status = 'waiting' AND id >= %(floor)s"
        f" AND {not_alone('hooks', 'customers_receivedbody.id')}"
        f" ORDER BY id LIMIT least(%(limit)s, {_MOST}) FOR UPDATE SKIP LOCKED"
    ),
    work=interpret,
    give_up=_give_up,
    ready="status = 'waiting'",
)
