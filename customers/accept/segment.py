"""One item of the Segment protocol (track, identify) read into a message, or refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from customers.accept.message import Identity, Message, Reading, digest, dump, identifier_keys
from customers.accept.refusal import Refused, pointer
from customers.accept.timestamps import read_timestamp
from customers.identifiers import ANONYMOUS_ID, EMAIL, USER_ID, IdentifierError, normalise

MAX_NAME = 120
MAX_MESSAGE_ID = 100
DOOR = "segment"
IDENTIFY = "identify"
TRACK = "track"

_Json = dict[str, Any]
_NOTHING: Mapping[str, Any] = {}


def read(item: _Json, reading: Reading) -> Message:
    """The message in `item`, or Refused with a pointer into the item.

    Fields that Trilha has no use for (integrations, channel) or the protocol does not have for the kind (traits
    of a track, properties of an identify) are neither kept nor compared.
    """
    kind = item.get("type")
    if kind != TRACK and kind != IDENTIFY:
        raise _unsupported(kind)
    context = _section(item, "context")
    traits = _traits(item, context)
    name = IDENTIFY if kind == IDENTIFY else _event_name(item)
    identities = _identities(item, traits, kind)
    payload = _payload(item, kind, traits, context)
    identifiers = dump(identities)
    content = dump(payload)
    told_at = item.get("timestamp")
    occurred_at = reading.received_at if told_at is None else read_timestamp(told_at, reading.received_at)
    fingerprint = digest(kind, name, told_at or "", identifiers, content)
    message_id = _message_id(item, fingerprint, reading.received_at)
    return Message(
        key=digest(reading.source, message_id),
        fingerprint=fingerprint,
        message_id=message_id,
        kind=kind,
        name=name,
        occurred_at=occurred_at,
        schema_version_id=_schema_version(payload, kind, name, reading),
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


def _section(item: _Json, name: str) -> Mapping[str, Any]:
    value = item.get(name)
    if value is None:
        return _NOTHING
    if type(value) is not dict:
        raise Refused("wrong_type", f"{name.capitalize()} are an object.", "Send a JSON object.", pointer(name))
    return value


def _traits(item: _Json, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item's own traits over those which some libraries put into the context."""
    traits = _section(item, "traits")
    carried = context.get("traits")
    if carried is None:
        return traits
    if type(carried) is not dict:
        raise Refused("wrong_type", "Traits are an object.", "Send a JSON object.", "/context/traits")
    return {**carried, **traits}


def _payload(item: _Json, kind: str, traits: Mapping[str, Any], context: Mapping[str, Any]) -> _Json:
    """Properties or traits, never both: whoever asks for what an event says takes the one that is there."""
    payload: _Json = {}
    properties = _section(item, "properties")
    if kind == TRACK and properties:
        payload["properties"] = properties
    if kind == IDENTIFY and traits:
        payload["traits"] = traits
    if kind == IDENTIFY and "traits" in context:
        context = {key: value for key, value in context.items() if key != "traits"}
    if context:
        payload["context"] = context
    return payload


def _event_name(item: _Json) -> str:
    name = item.get("event")
    if name is None:
        raise Refused("missing_field", "A track message names its event.", "Send event.", "/event")
    if type(name) is not str:
        raise Refused("wrong_type", "An event's name is text.", "Send a string.", "/event")
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name.isspace():
        hint = f"Send 1 to {MAX_NAME} printable characters."
        raise Refused("invalid_name", "Not a name an event can have.", hint, "/event")
    return name


def _identities(item: _Json, traits: Mapping[str, Any], kind: str) -> list[Identity]:
    """(kind, value, original) of everybody the message names, strongest first."""
    found: list[Identity] = []
    if (user := item.get("userId")) is not None:
        found.append(_identity(USER_ID, user, "/userId"))
    if kind == IDENTIFY and (email := traits.get("email")) is not None:
        own = item.get("traits") or _NOTHING
        found.append(_identity(EMAIL, email, "/traits/email" if "email" in own else "/context/traits/email"))
    if (anonymous := item.get("anonymousId")) is not None:
        found.append(_identity(ANONYMOUS_ID, anonymous, "/anonymousId"))
    if user is None and anonymous is None:
        hint = "Send userId, anonymousId or both."
        raise Refused("missing_identifier", "The message says nothing about whom it concerns.", hint)
    return found


def _identity(kind: str, value: object, where: str) -> Identity:
    if type(value) is not str:
        raise Refused("wrong_type", "Identifiers are text.", "Send a string; numbers lose digits.", where)
    try:
        return kind, *normalise(kind, value)
    except IdentifierError as error:
        raise Refused(error.code, error.message, error.hint, where) from None


def _message_id(item: _Json, fingerprint: str, received_at: datetime) -> str:
    """The sender's id; without one the content's digest, so that a repetition is known.

    With no time of its own either, nothing tells a repetition from a second event: then each is taken as new.
    """
    told = item.get("messageId")
    if told is None or told == "":
        moment = "" if item.get("timestamp") is not None else f"-{received_at.timestamp():.6f}"
        return f"content-{fingerprint}{moment}"
    if type(told) is not str:
        raise Refused("wrong_type", "A message id is text.", "Send a string.", "/messageId")
    if len(told) > MAX_MESSAGE_ID:
        raise Refused("identifier_too_long", f"Longer than {MAX_MESSAGE_ID} characters.", "Send a UUID.", "/messageId")
    if not told.isprintable():
        raise Refused("control_character", "Holds an unprintable character.", "Send a UUID.", "/messageId")
    return told


def _schema_version(payload: _Json, kind: str, name: str, reading: Reading) -> int | None:
    planned = reading.plan.get((reading.writer.brand_id, name))
    if planned is None:
        if reading.writer.refuses_unplanned:
            where = "/event" if kind == TRACK else "/type"
            raise Refused("unplanned_event", "The source takes planned events only.", "Register the event type.", where)
        return None
    version = planned.choose(payload.get("context", _NOTHING).get("schema_version"))
    if version is None:
        hint = f"Approved: {', '.join(map(str, sorted(planned.versions)))}."
        raise Refused("unknown_schema_version", "No approved version of this number.", hint, "/context/schema_version")
    section = "properties" if kind == TRACK else "traits"
    fault = version.fault(payload.get(section, {}))
    if fault is not None:
        raise Refused(fault.code, fault.message, fault.hint, f"/{section}{fault.pointer}")
    return version.id
