"""The native door: events in our own dialect, one or many, for one of the token's sources."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from customers.accept import strict_json
from customers.accept.batch import Outcome, Submission, accept
from customers.accept.native import DOOR
from customers.accept.refusal import Refused
from customers.accept.refused import RefusedItem, keep, refused_body, refused_packed
from customers.accept.strict_json import Document
from customers.api.base import Writing, answer_of
from customers.api.reading import Sent, read_sent, unpack
from customers.api.shapes import AcceptedShape, BatchBody, BatchShape, EventBody
from customers.api.sources import SOURCE, source_of
from customers.kept_answers import Answer
from customers.keys import Writer
from customers.load import refuse_overload
from customers.models import Scope

MAX_ITEMS = 1000
MAX_BATCH_BYTES = 1_000_000
MAX_EVENT_BYTES = 64 * 1024

_EVENT = {
    "name": "Order Completed",
    "id": "order-1001-completed",
    "occurred_at": "2026-03-02T12:00:00-03:00",
    "identifiers": {"user_id": "u-17", "email": "ana@example.com"},
    "properties": {"order_id": "1001", "total": 4990, "currency": "BRL"},
}


class EventDoor(Writing):
    """Reads for the source; what cannot be taken apart is kept for it, whole."""

    scopes = {"POST": Scope.EVENTS_WRITE.value}
    parameters = SOURCE
    door: ClassVar[str] = DOOR
    single: bool
    writer: Writer

    def receive(self, request: HttpRequest) -> Sent:
        self.writer = source_of(self.partner, self.given)
        refuse_overload(self.now)
        try:
            return self.take(request)
        except Refused as error:
            self._keep(Sent(), b"", error)
            raise

    def take(self, request: HttpRequest) -> Sent:
        return read_sent(request, self.max_bytes)

    def answer(self, **kwargs: str) -> Answer:
        body = b""
        try:
            body = unpack(self.sent, self.max_bytes)
            document = self.parse(body)
            items = self.items(document.value)
        except Refused as error:
            self._keep(self.sent, body, error)
            raise
        submission = Submission(document, self.door, self.single, items)
        return self.tell(submission, accept(submission, self.writer, self.now))

    def parse(self, body: bytes) -> Document:
        return strict_json.parse(body)

    @abstractmethod
    def items(self, value: Any) -> list[Any]:
        """The messages in a body: each door says it for itself."""

    @abstractmethod
    def tell(self, submission: Submission, outcome: Outcome) -> Answer:
        """What became of them, in the form of the door."""

    def _keep(self, sent: Sent, body: bytes, error: Refused) -> None:
        keep([self.kept(sent, body, error)], self.writer.source_id, self.now)

    def kept(self, sent: Sent, body: bytes, error: Refused) -> RefusedItem:
        if sent.packed and not body:
            return refused_packed(self.door, sent.data, error.refusal)
        return refused_body(self.door, body or sent.data, error.refusal)


def told_of_one(outcome: Outcome) -> Answer:
    if outcome.refusals:
        raise Refused.of(outcome.refusals[0])
    return answer_of({"status": "accepted" if outcome.accepted else "duplicate"})


def told_of_many(submission: Submission, outcome: Outcome) -> Answer:
    rejected = [
        {"index": index, **refusal.under(submission.place_of(index)).as_error()}
        for index, refusal in sorted(outcome.refusals.items())
    ]
    return answer_of({"accepted": outcome.accepted, "duplicates": outcome.duplicates, "rejected": rejected})


@extend_schema_view(
    post=extend_schema(
        operation_id="send_event",
        summary="Send one event",
        tags=["events"],
        request=EventBody,
        responses={200: AcceptedShape},
        examples=[
            OpenApiExample("An event", _EVENT, request_only=True),
            OpenApiExample(
                "What somebody is",
                {"type": "identify", "identifiers": {"user_id": "u-17"}, "traits": {"first_name": "Ana"}},
                request_only=True,
            ),
            OpenApiExample("Taken", {"status": "accepted"}, response_only=True, status_codes=["200"]),
        ],
    )
)
class SingleEvent(EventDoor):
    """Durable before the answer leaves. At most 64 KB."""

    max_bytes = MAX_EVENT_BYTES
    single = True

    def items(self, value: Any) -> list[Any]:
        return [value]

    def tell(self, submission: Submission, outcome: Outcome) -> Answer:
        return told_of_one(outcome)


@extend_schema_view(
    post=extend_schema(
        operation_id="send_events",
        summary="Send up to 1,000 events",
        tags=["events"],
        request=BatchBody,
        responses={200: BatchShape},
        examples=[
            OpenApiExample("Two events", {"events": [_EVENT, {**_EVENT, "id": "2"}]}, request_only=True),
            OpenApiExample(
                "Taken",
                {"accepted": 2, "duplicates": 0, "rejected": []},
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
)
class EventBatch(EventDoor):
    """Each event is accepted or refused by itself: look at `rejected`. At most 1 MB, each event 64 KB."""

    max_bytes = MAX_BATCH_BYTES
    single = False

    def items(self, value: Any) -> list[Any]:
        return _items(value)

    def tell(self, submission: Submission, outcome: Outcome) -> Answer:
        return told_of_many(submission, outcome)


def _items(value: Any) -> list[Any]:
    if type(value) is not dict:
        raise Refused("wrong_type", "The body is an object with a list named events.", "Send {events: [...]}.")
    return _list_of(value)


def _list_of(value: Mapping[str, Any]) -> list[Any]:
    for name in value:
        if name != "events":
            raise Refused("unknown_field", "There is no such field.", "Known: events.", f"/{name[:64]}")
    items = value.get("events")
    if type(items) is not list:
        code = "missing_field" if items is None else "wrong_type"
        raise Refused(code, "The body is an object with a list named events.", "Send {events: [...]}.", "/events")
    if len(items) > MAX_ITEMS:
        raise Refused("batch_too_large", f"More than {MAX_ITEMS:,} events.", "Send several batches.", "/events")
    return items
