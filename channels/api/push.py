"""The door at which browsers tell their push subscriptions: /v1/push, beside that of events, by the same write keys.

One call keeps what takes to write to the browser, and tells as events of the visitor that it subscribed and what the
visitor agreed to. Whoever sees the subscription's address could only have got it from that browser.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from channels.models import Connector
from channels.push import subscriptions
from channels.push.endpoints import LONGEST, SERVICES, BadEndpoint, is_among, normal
from channels.push.points import AUTH_BYTES, POINT_BYTES, Keys, point_of, read
from channels.push.subscriptions import Named, Told
from customers import clock, load
from customers.accept import strict_json
from customers.accept.batch import Submission, accept
from customers.accept.refusal import Refused, pointer
from customers.accept.segment import DOOR
from customers.api import cross_origin
from customers.api.reading import read_sent, unpack
from customers.api.segment import count_call, door, writer_in_body
from customers.api.strict import Body, Document, Number, Text
from customers.keys import Writer

MOST_BYTES: Final = 16_384
SUBSCRIBED: Final = "push.subscribed"
UNSUBSCRIBED: Final = "push.unsubscribed"
# What a message tells of the visitor and the page; all else is told here.
_OF_MESSAGE: Final = frozenset({"messageId", "timestamp", "anonymousId", "userId", "context"})
# Milliseconds of the last moment that a date has.
_LATEST: Final = 253_402_300_799_000


class _Keys(Body):
    p256dh = Text(max_length=100)
    auth = Text(max_length=40)


class _Subscription(Body):
    """As `JSON.stringify` writes a PushSubscription (Push API §8)."""

    endpoint = Text(max_length=LONGEST)
    expirationTime = Number(required=False, allow_null=True, min_value=0, max_value=_LATEST)  # noqa: N815 - as it is sent
    keys = _Keys()


class _Consent(Body):
    """What the visitor was shown and agreed to, in the words of `consent.granted`."""

    purpose = Text(max_length=64)
    notice = Text(required=False, max_length=64)
    notice_version = serializers.JSONField(required=False)
    text = Text(required=False, max_length=2_000)
    language = Text(required=False, max_length=20)
    url = Text(required=False, max_length=2_000)


class _Told(Body):
    writeKey = Text(max_length=200)  # noqa: N815 - as everywhere at these doors
    publicKey = Text(max_length=100)  # noqa: N815
    subscription = _Subscription(required=False)
    replaces = Text(required=False, max_length=LONGEST)
    ended = Text(required=False, max_length=LONGEST)
    # Of the subscription that one of these names: an endpoint may have been seen by others, its secret was not.
    auth = Text(required=False, max_length=40)
    # Of the visitor; as in any message.
    message = Document(required=False)
    consent = _Consent(required=False)


@door
def push(request: HttpRequest) -> HttpResponse:
    now = clock.utcnow()
    load.refuse_overload(now)
    sent = read_sent(request, MOST_BYTES, as_text=cross_origin.origin_of(request) is not None)
    document = strict_json.parse(unpack(sent, MOST_BYTES))
    writer = writer_in_body(document.value, request, now)
    count_call(writer, now)
    if not strict_json.is_sound(document, [document.value]):
        fault = strict_json.first_fault(strict_json.lossless(document))
        if fault is not None:
            raise Refused.of(fault)
    told = _Told.read(document.value)
    connector = subscriptions.connector_of(writer.brand_id, told["publicKey"])
    if connector is None:
        hint = "Copy the connector's public key anew, and see that it is active."
        raise Refused("unknown_public_key", "No connector of this brand has this key.", hint, "/publicKey")
    keep = _ended if "ended" in told else _subscribed
    # psycopg's own errors too, where a statement does not go by Django.
    with connection.wrap_database_errors:
        return _answer(keep(told, writer, connector, now))


def _subscribed(told: Mapping[str, Any], writer: Writer, connector: Connector, now: datetime) -> str:
    if "subscription" not in told:
        hint = "Send what the browser's subscription says of itself as JSON, or what ended."
        raise Refused("missing_field", "There is no subscription.", hint, "/subscription")
    subscription = _read(told["subscription"], connector)
    is_moved = "replaces" in told and subscriptions.move(
        _named(told, "replaces", connector), subscription, connector, now
    )
    if "message" in told:
        # Told before it is kept: told again, the events are known, and what was not kept is kept then.
        _tell(told, SUBSCRIBED, subscription.endpoint, writer, now)
    if not is_moved:
        subscriptions.keep(subscription, connector, now)
    return subscription.endpoint


def _ended(told: Mapping[str, Any], writer: Writer, connector: Connector, now: datetime) -> str:
    if "subscription" in told or "replaces" in told:
        raise Refused("unknown_field", "What ended has no subscription.", "Send one or the other.", "/subscription")
    ended = _named(told, "ended", connector)
    if "message" in told:
        _tell(told, UNSUBSCRIBED, ended.endpoint, writer, now)
    subscriptions.forget(ended, connector)
    return ended.endpoint


def _named(told: Mapping[str, Any], name: str, connector: Connector) -> Named:
    """Without its secret nothing is moved or forgotten, as where nobody knows it."""
    try:
        auth = read(told.get("auth", ""), AUTH_BYTES)
    except ValueError:
        auth = b""
    return Named(_endpoint(told[name], connector, pointer(name)), auth)


def _read(given: Mapping[str, Any], connector: Connector) -> Told:
    keys = Keys(_bytes(given["keys"], "p256dh", POINT_BYTES), _bytes(given["keys"], "auth", AUTH_BYTES))
    try:
        point_of(keys.p256dh)
    except ValueError:
        raise _no_key("p256dh") from None
    until = given.get("expirationTime")
    return Told(
        _endpoint(given["endpoint"], connector, "/subscription/endpoint"),
        keys,
        None if until is None else datetime.fromtimestamp(until / 1000, UTC),
    )


def _bytes(given: Mapping[str, str], name: str, length: int) -> bytes:
    try:
        return read(given[name], length)
    except ValueError:
        raise _no_key(name) from None


def _no_key(name: str) -> Refused:
    hint = "Send the subscription as the browser's own toJSON() writes it."
    return Refused("invalid_push_key", "Not a key that a browser makes.", hint, pointer("subscription", "keys", name))


def _endpoint(given: str, connector: Connector, where: str) -> str:
    hint = "Send the endpoint of the browser's subscription; its service must be one that the connector names."
    try:
        endpoint = normal(given)
    except BadEndpoint:
        raise Refused("invalid_endpoint", "No pushes can be sent there.", hint, where) from None
    if not is_among(endpoint, connector.config.get("services", SERVICES).split()):
        raise Refused("unknown_push_service", "The connector sends no pushes there.", hint, where)
    return endpoint


def _tell(told: Mapping[str, Any], name: str, endpoint: str, writer: Writer, now: datetime) -> None:
    """As events of the visitor, by the way all others go."""
    said = {key: value for key, value in told["message"].items() if key in _OF_MESSAGE}
    if type(said.get("messageId")) is not str or not said["messageId"]:
        # Without it what is told again would count again.
        raise Refused("missing_field", "The message has no id.", "Send messageId as text.", "/message/messageId")
    context = said.get("context")
    context = context if type(context) is dict else {}
    token = {"context": {**context, "device": {"token": endpoint}}} if name == SUBSCRIBED else {}
    batch: list[dict[str, Any]] = [{**said, **token, "type": "track", "event": name}]
    if "consent" in told:
        answer = "consent.granted" if name == SUBSCRIBED else "consent.withdrawn"
        # Its own id, that follows from the other: told again, it is known as well.
        batch.append(
            {
                **said,
                "type": "track",
                "event": answer,
                "messageId": f"{said.get('messageId')}-consent",
                "properties": {**told["consent"], "channel": "push", "address": endpoint},
            }
        )
    document = strict_json.parse(orjson.dumps({"batch": batch}))
    outcome = accept(Submission(document, DOOR, False, document.value["batch"]), writer, now)
    if outcome.refusals:
        index, refusal = min(outcome.refusals.items())
        raise Refused.of(refusal.under("/consent" if index else "/message"))


def _answer(endpoint: str) -> HttpResponse:
    return HttpResponse(orjson.dumps({"success": True, "endpoint": endpoint}), content_type="application/json")
