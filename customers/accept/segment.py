"""One item of the Segment protocol (track, identify) read into a message, or refused."""

from collections.abc import Mapping
from typing import Any

from customers.accept.fields import NOTHING, event_name, identity, message_id, schema_version, section
from customers.accept.message import Identity, Message, Reading, digest, dump, identifier_keys
from customers.accept.refusal import Refused
from customers.accept.timestamps import read_timestamp
from customers.identifiers import ANONYMOUS_ID, EMAIL, USER_ID

DOOR = "segment"
IDENTIFY = "identify"
TRACK = "track"

_Json = dict[str, Any]


def read(item: _Json, reading: Reading) -> Message:
    """The message in `item`, or Refused with a pointer into the item.

    Fields that Trilha has no use for (integrations, channel) or the protocol does not have for the kind (traits
    of a track, properties of an identify) are neither kept nor compared.
    """
    kind = item.get("type")
    if kind != TRACK and kind != IDENTIFY:
        raise _unsupported(kind)
    context = section(item, "context")
    traits = _traits(item, context)
    name = IDENTIFY if kind == IDENTIFY else event_name(item.get("event"), "/event")
    identities = _identities(item, traits, kind)
    payload = _payload(item, kind, traits, context)
    identifiers = dump(identities)
    content = dump(payload)
    told_at = item.get("timestamp")
    occurred_at = reading.received_at if told_at is None else read_timestamp(told_at, reading.received_at)
    fingerprint = digest(kind, name, told_at or "", identifiers, content)
    id_ = message_id(item.get("messageId"), fingerprint, told_at, reading.received_at, "/messageId")
    return Message(
        key=digest(reading.source, id_),
        fingerprint=fingerprint,
        message_id=id_,
        kind=kind,
        name=name,
        occurred_at=occurred_at,
        schema_version_id=_version(payload, kind, name, reading),
        identifiers=identifiers,
        identifier_keys=identifier_keys(identities, reading.namespace),
        payload=content,
    )


def _unsupported(kind: object) -> Refused:
    if kind is None:
        return Refused("missing_field", "A message needs a type.", "Send track or identify.", "/type")
    if type(kind) is not str:
        return Refused("wrong_type", "The type is text.", "Send track or identify.", "/type")
    return Refused("unsupported_type", "Only track and identify are taken.", "Send track or identify.", "/type")


def _traits(item: _Json, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item's own traits over those which some libraries put into the context."""
    traits = section(item, "traits")
    carried = context.get("traits")
    if carried is None:
        return traits
    if type(carried) is not dict:
        raise Refused("wrong_type", "Traits are an object.", "Send a JSON object.", "/context/traits")
    return {**carried, **traits}


def _payload(item: _Json, kind: str, traits: Mapping[str, Any], context: Mapping[str, Any]) -> _Json:
    """Properties or traits, never both: whoever asks for what an event says takes the one that is there."""
    payload: _Json = {}
    properties = section(item, "properties")
    if kind == TRACK and properties:
        payload["properties"] = properties
    if kind == IDENTIFY and traits:
        payload["traits"] = traits
    if kind == IDENTIFY and "traits" in context:
        context = {key: value for key, value in context.items() if key != "traits"}
    if context:
        payload["context"] = context
    return payload


def _identities(item: _Json, traits: Mapping[str, Any], kind: str) -> list[Identity]:
    """(kind, value, original) of everybody the message names, strongest first."""
    found: list[Identity] = []
    if (user := item.get("userId")) is not None:
        found.append(identity(USER_ID, user, "/userId"))
    if kind == IDENTIFY and (email := traits.get("email")) is not None:
        own = item.get("traits") or NOTHING
        found.append(identity(EMAIL, email, "/traits/email" if "email" in own else "/context/traits/email"))
    if (anonymous := item.get("anonymousId")) is not None:
        found.append(identity(ANONYMOUS_ID, anonymous, "/anonymousId"))
    if user is None and anonymous is None:
        hint = "Send userId, anonymousId or both."
        raise Refused("missing_identifier", "The message says nothing about whom it concerns.", hint)
    return found


def _version(payload: _Json, kind: str, name: str, reading: Reading) -> int | None:
    told = payload.get("context", NOTHING).get("schema_version")
    part = "properties" if kind == TRACK else "traits"
    where = "/event" if kind == TRACK else "/type"
    return schema_version(name, told, payload.get(part, {}), reading, (where, "/context/schema_version", f"/{part}"))
