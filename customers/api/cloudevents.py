"""The door of CloudEvents 1.0: one event in the JSON format, a batch of them, or one told by headers and its body.

Which of the three it is the Content-Type says, as the standard's HTTP binding has it.
"""

from typing import Any

import orjson
from django.http import HttpRequest
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema, extend_schema_view

from customers.accept import strict_json
from customers.accept.batch import Outcome, Submission
from customers.accept.cloudevents import DOOR, Value, as_item, is_json
from customers.accept.refusal import Refused
from customers.accept.refused import RefusedItem, refused_body
from customers.accept.strict_json import Document
from customers.api.ce_headers import attributes_of
from customers.api.ce_shapes import BATCH_TYPE, EVENT_TYPE, FAMILY, HEADERS, CloudEventBody
from customers.api.events import MAX_BATCH_BYTES, MAX_EVENT_BYTES, MAX_ITEMS, EventDoor, told_of_many, told_of_one
from customers.api.reading import Sent, read_of, unsupported
from customers.api.shapes import AcceptedShape, BatchShape
from customers.kept_answers import Answer

_EVENT = {
    "specversion": "1.0",
    "id": "1001",
    "source": "https://shop.example/checkout",
    "type": "com.example.order.completed",
    "time": "2026-03-02T12:00:00-03:00",
    "userid": "u-17",
    "data": {"order_id": "1001", "total": 4990, "currency": "BRL"},
}


def _sent(name: str, value: Any, media_type: str) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True, media_type=media_type)


@extend_schema_view(
    post=extend_schema(
        operation_id="send_cloudevents",
        summary="Send CloudEvents",
        tags=["events"],
        parameters=HEADERS,
        request={
            EVENT_TYPE: CloudEventBody,
            BATCH_TYPE: CloudEventBody(many=True),
            "application/json": OpenApiTypes.ANY,
        },
        responses={
            200: PolymorphicProxySerializer(
                "CloudEventsAccepted", [AcceptedShape, BatchShape], resource_type_field_name=None
            )
        },
        examples=[
            _sent("An event", _EVENT, EVENT_TYPE),
            # The list around it is made by the schema.
            _sent("A batch of one", _EVENT, BATCH_TYPE),
            _sent("Data alone, with ce- headers", _EVENT["data"], "application/json"),
            OpenApiExample("Taken", {"status": "accepted"}, response_only=True, status_codes=["200"]),
        ],
    )
)
class CloudEvents(EventDoor):
    """CloudEvents 1.0 over HTTP, in all three modes. `source` and `id` make an event the one it is: both again are a
    repetition, stored once.

    - `application/cloudevents+json`: one event, at most 64 KB.
    - `application/cloudevents-batch+json`: a list of at most 1,000 events and 1 MB, each taken or refused by itself.
    - any type of JSON: the body is the event's data, its attributes are `ce-` headers, percent-encoded.

    Whom an event concerns is told by attributes named as the kinds of identifiers, without underscores (`userid`,
    `anonymousid`); where there is none, `subject` is the user's id.
    """

    door = DOOR
    attributes: dict[str, Value]
    is_binary: bool

    def take(self, request: HttpRequest) -> Sent:
        self.attributes, kind = {}, request.content_type or ""
        self.is_binary = not kind.startswith(FAMILY)
        self.single = kind != BATCH_TYPE
        self.max_bytes = MAX_EVENT_BYTES if self.single else MAX_BATCH_BYTES
        if not self.is_binary and kind not in (EVENT_TYPE, BATCH_TYPE):
            raise unsupported("Not a format of CloudEvents read here.", f"Send {EVENT_TYPE} or {BATCH_TYPE}.")
        if not self.is_binary:
            return read_of(request, self.max_bytes)
        if "ce-specversion" not in request.headers:
            hint = f"Send {EVENT_TYPE}, {BATCH_TYPE}, or JSON with ce- headers, such as ce-specversion: 1.0."
            raise unsupported("Nothing says that this is a CloudEvent.", hint)
        self.attributes = attributes_of(request)
        sent = read_of(request, self.max_bytes)
        if sent.data and not is_json(kind):
            raise unsupported("The data is not declared as JSON.", "Send Content-Type: application/json.")
        return sent

    def told(self) -> bytes:
        """In binary mode the body is but a part of the event."""
        return orjson.dumps([self.single, self.attributes]) + self.sent.data

    def parse(self, body: bytes) -> Document:
        if not self.is_binary:
            return strict_json.parse(body)
        if body:
            # Nothing but one whole value may stand where the data stands.
            strict_json.parse(body)
        return strict_json.parse(as_item(self.attributes, body))

    def items(self, value: Any) -> list[Any]:
        if self.single:
            return [value]
        if type(value) is not list:
            raise Refused("wrong_type", "A batch is a list of events.", "Send [...].")
        if len(value) > MAX_ITEMS:
            raise Refused("batch_too_large", f"More than {MAX_ITEMS:,} events.", "Send several batches.")
        return value

    def tell(self, submission: Submission, outcome: Outcome) -> Answer:
        return told_of_one(outcome) if self.single else told_of_many(submission, outcome)

    def kept(self, sent: Sent, body: bytes, error: Refused) -> RefusedItem:
        """What came in parts is kept in one, so that it can be mended and replayed."""
        if self.attributes and (body or not sent.packed):
            return refused_body(self.door, as_item(self.attributes, body or sent.data), error.refusal)
        return super().kept(sent, body, error)
