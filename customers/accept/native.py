"""One event of our own API read into a message: every field is known, nothing is guessed, nothing left unread."""

import re
from collections.abc import Mapping
from typing import Any

from customers.accept.fields import NOTHING, event_name, identity, message_id, schema_version, section
from customers.accept.message import Identity, Message, Reading, digest, dump, identifier_keys
from customers.accept.refusal import Refused, pointer
from customers.accept.timestamps import read_timestamp
from customers.identifiers import ANONYMOUS_ID, EMAIL, USER_ID

DOOR = "api"
TRACK = "track"
IDENTIFY = "identify"
# Of identifiers the strongest first.
KINDS = (USER_ID, EMAIL, ANONYMOUS_ID)
FIELDS = frozenset(
    ("type", "name", "id", "occurred_at", "identifiers", "properties", "traits", "context", "schema_version")
)
KEY_PATTERN = r"^[A-Za-z][A-Za-z0-9_.]{0,63}$"
_KEY = re.compile(KEY_PATTERN.strip("^$"))
# What the content of each kind is called, and the field that only the other kind has.
_CONTENT = {TRACK: ("properties", "traits"), IDENTIFY: ("traits", "properties")}


def read(item: dict[str, Any], reading: Reading) -> Message:
    """The message in `item`, or Refused with a pointer into the item."""
    _refuse_unknown(item, FIELDS, "")
    kind = _kind(item)
    name = _name(item, kind)
    identities = _identities(item)
    payload = _payload(item, kind)
    identifiers, content = dump(identities), dump(payload)
    told_at = item.get("occurred_at")
    occurred_at = (
        reading.received_at if told_at is None else read_timestamp(told_at, reading.received_at, "/occurred_at")
    )
    fingerprint = digest(kind, name, told_at or "", identifiers, content)
    id_ = message_id(item.get("id"), fingerprint, told_at, reading.received_at, "/id")
    return Message(
        key=digest(reading.source, id_),
        fingerprint=fingerprint,
        message_id=id_,
        kind=kind,
        name=name,
        occurred_at=occurred_at,
        schema_version_id=_version(item, payload, kind, name, reading),
        identifiers=identifiers,
        identifier_keys=identifier_keys(identities, reading.namespace),
        payload=content,
    )


def _refuse_unknown(item: Mapping[str, Any], known: frozenset[str], under: str) -> None:
    for key in item:
        if key not in known:
            hint = f"Known: {', '.join(sorted(known))}."
            raise Refused("unknown_field", "There is no such field.", hint, under + pointer(key))


def _kind(item: Mapping[str, Any]) -> str:
    kind = item.get("type", TRACK)
    if kind not in (TRACK, IDENTIFY):
        code = "unsupported_type" if type(kind) is str else "wrong_type"
        raise Refused(code, "Only track and identify are taken.", "Send track or identify.", "/type")
    other = _CONTENT[kind][1]
    if other in item:
        raise Refused("unknown_field", f"A message of type {kind} has no {other}.", "Leave it out.", pointer(other))
    return str(kind)


def _name(item: Mapping[str, Any], kind: str) -> str:
    if kind == TRACK:
        return event_name(item.get("name"), "/name")
    if "name" in item:
        raise Refused("unknown_field", "Only events have names.", "Leave it out.", "/name")
    return IDENTIFY


def _identities(item: Mapping[str, Any]) -> list[Identity]:
    named = section(item, "identifiers")
    _refuse_unknown(named, frozenset(KINDS), "/identifiers")
    found = [identity(kind, named[kind], f"/identifiers/{kind}") for kind in KINDS if named.get(kind) is not None]
    if not found:
        hint = f"Send one or more of {', '.join(KINDS)}."
        raise Refused("missing_identifier", "The message says nothing about whom it concerns.", hint, "/identifiers")
    return found


def _payload(item: Mapping[str, Any], kind: str) -> dict[str, Any]:
    part = _CONTENT[kind][0]
    payload: dict[str, Any] = {}
    if content := section(item, part):
        _check_keys(content, (part,))
        payload[part] = content
    if context := section(item, "context"):
        payload["context"] = context
    return payload


def _check_keys(value: Any, path: tuple[str | int, ...]) -> None:
    """Rules and templates name these keys, so each must be a name they can write."""
    for key, held in value.items() if type(value) is dict else enumerate(value):
        here = (*path, key)
        if type(key) is str and not _KEY.fullmatch(key):
            hint = "Up to 64 letters, digits, dots and underscores, a letter first."
            raise Refused("invalid_name", "Not a name that a property can have.", hint, pointer(*here))
        if type(held) is dict or type(held) is list:
            _check_keys(held, here)


def _version(item: Mapping[str, Any], payload: Mapping[str, Any], kind: str, name: str, reading: Reading) -> int | None:
    part = _CONTENT[kind][0]
    where = "/name" if kind == TRACK else "/type"
    return schema_version(
        name, item.get("schema_version"), payload.get(part, NOTHING), reading, (where, "/schema_version", f"/{part}")
    )
