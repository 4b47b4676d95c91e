"""One event of our own API read into a message: every field is known, nothing is guessed, nothing left unread."""

import re
from collections.abc import Mapping
from typing import Any

from customers.accept.fields import (
    NOTHING,
    Held,
    clock,
    event_name,
    identity,
    message_id,
    moment,
    schema_version,
    section,
)
from customers.accept.message import Identity, Message, Reading, digest, dump, identifier_keys, kept_id
from customers.accept.refusal import Refused, pointer
from customers.models.identity import Assurance
from customers.places import ZONE, is_zone

DOOR = "api"
TRACK = "track"
IDENTIFY = "identify"
GROUP = "group"
ALIAS = "alias"
FIELDS = frozenset(
    (
        "type", "name", "id", "occurred_at", "identifiers", "previous", "group", "properties", "traits", "context",
        "schema_version", "historical", "assurance",
    )
)  # fmt: skip
KEY_PATTERN = r"^[A-Za-z][A-Za-z0-9_.]{0,63}$"
# What a sender may say of how it knows the person; more than having seen it wants the right to.
ASSURANCES: Mapping[str, Assurance] = {
    "claimed": Assurance.CLAIMED,
    "observed": Assurance.OBSERVED,
    "login": Assurance.LOGIN,
    "one_time_code": Assurance.ONE_TIME_CODE,
    "document": Assurance.DOCUMENT,
}
_KEY = re.compile(KEY_PATTERN.strip("^$"))
# What the content of each kind is called, and the fields that only others have.
_CONTENT = {
    TRACK: ("properties", ("traits", "group", "previous")),
    IDENTIFY: ("traits", ("properties", "group", "previous")),
    GROUP: ("traits", ("properties", "previous")),
    ALIAS: ("", ("properties", "traits", "group", "schema_version")),
}
_MAX_GROUP = 254


def read(item: dict[str, Any], reading: Reading) -> Message:
    """The message in `item`, or Refused with a pointer into the item."""
    _refuse_unknown(item, FIELDS, "")
    kind = _kind(item)
    name = _name(item, kind)
    identities = _identities(item, reading)
    if kind == ALIAS:
        identities += _previous(item, reading)
    historical = _historical(item)
    payload = _payload(item, kind)
    told_at = item.get("occurred_at")
    occurred_at, time_source = moment(told_at, reading, "/occurred_at", historical=historical)
    identifiers, content = dump(identities), dump(payload)
    assurance = _assurance(item, reading)
    fingerprint = digest(kind, name, told_at or "", identifiers, content, *_told_beside(historical, assurance))
    id_ = message_id(item.get("id"), fingerprint, told_at, reading.received_at, "/id")
    held = _version(item, payload, kind, name, reading)
    if (corrected := clock(told_at, reading)) is not None:
        content = dump({**payload, "clock": corrected})
    return Message(
        key=digest(reading.sender, id_),
        fingerprint=fingerprint,
        message_id=kept_id(id_, identities),
        kind=kind,
        name=name,
        occurred_at=occurred_at,
        schema_version_id=held.version_id,
        unplanned=held.unplanned,
        identifiers=identifiers,
        identifier_keys=identifier_keys(identities, reading),
        payload=content,
        historical=historical,
        time_source=time_source,
        assurance=assurance,
    )


def _refuse_unknown(item: Mapping[str, Any], known: frozenset[str] | Mapping[str, Any], under: str) -> None:
    for key in item:
        if key not in known:
            hint = f"Known: {', '.join(sorted(known))}."
            raise Refused("unknown_field", "There is no such field.", hint, under + pointer(key))


def _kind(item: Mapping[str, Any]) -> str:
    kind = item.get("type", TRACK)
    if type(kind) is not str or kind not in _CONTENT:
        code = "unsupported_type" if type(kind) is str else "wrong_type"
        taken = ", ".join(_CONTENT)
        raise Refused(code, f"Only these are taken: {taken}.", f"Send one of {taken}.", "/type")
    for other in _CONTENT[kind][1]:
        if other in item:
            raise Refused("unknown_field", f"A message of type {kind} has no {other}.", "Leave it out.", pointer(other))
    return kind


def _name(item: Mapping[str, Any], kind: str) -> str:
    if kind == TRACK:
        return event_name(item.get("name"), "/name")
    if "name" in item:
        raise Refused("unknown_field", "Only events have names.", "Leave it out.", "/name")
    return kind


def _identities(item: Mapping[str, Any], reading: Reading) -> list[Identity]:
    named = section(item, "identifiers")
    _refuse_unknown(named, reading.kinds, "/identifiers")
    # In the order of the kinds: the strongest first.
    found: list[Identity] = [
        identity(kind, named[kind], reading, f"/identifiers/{kind}")
        for kind in reading.kinds
        if named.get(kind) is not None
    ]
    if not found:
        hint = f"Send one or more of {', '.join(reading.kinds)}."
        raise Refused("missing_identifier", "The message says nothing about whom it concerns.", hint, "/identifiers")
    return found


def _previous(item: Mapping[str, Any], reading: Reading) -> list[Identity]:
    """The former name of somebody: one identifier."""
    named = section(item, "previous")
    _refuse_unknown(named, reading.kinds, "/previous")
    if len(named) != 1:
        hint = "Send one identifier, such as {user_id: …}."
        raise Refused("missing_identifier", "An alias tells one former name.", hint, "/previous")
    [(kind, value)] = named.items()
    return [(*identity(kind, value, reading, f"/previous/{kind}"), True)]


def _historical(item: Mapping[str, Any]) -> bool:
    historical = item.get("historical", False)
    if type(historical) is not bool:
        raise Refused("wrong_type", "Either true or false.", "Send true for history.", "/historical")
    return historical


def _assurance(item: Mapping[str, Any], reading: Reading) -> int | None:
    told = item.get("assurance")
    if told is None:
        return None
    if type(told) is not str or told not in ASSURANCES:
        code = "unknown_value" if type(told) is str else "wrong_type"
        hint = f"Send one of {', '.join(ASSURANCES)}."
        raise Refused(code, "Not a way in which a person is known.", hint, "/assurance")
    if ASSURANCES[told] > Assurance.OBSERVED and not reading.writer.may_assure:
        hint = "Ask for a token with the scope identity:assure."
        raise Refused("insufficient_scope", "The token may not say that somebody was verified.", hint, "/assurance")
    return int(ASSURANCES[told])


def _told_beside(historical: bool, assurance: int | None) -> tuple[str, ...]:
    """What is part of the content where it was told; messages without it keep the fingerprint they always had."""
    return (*(("historical",) if historical else ()), *((str(assurance),) if assurance is not None else ()))


def _payload(item: Mapping[str, Any], kind: str) -> dict[str, Any]:
    part = _CONTENT[kind][0]
    payload: dict[str, Any] = {}
    if part and (content := section(item, part)):
        _check_keys(content, (part,))
        if kind == IDENTIFY:
            _check_zone(content)
        payload[part] = content
    if kind == GROUP:
        payload["group"] = _group(item.get("group"))
    if context := section(item, "context"):
        payload["context"] = context
    return payload


def _check_zone(traits: Mapping[str, Any]) -> None:
    """A zone that nobody knows would have somebody written to by the brand's clock, and none the wiser."""
    zone = traits.get(ZONE)
    if zone is not None and not is_zone(zone):
        hint = "Send a name of the IANA's, such as America/Sao_Paulo, or null."
        raise Refused("unknown_zone", "There is no such time zone.", hint, f"/traits/{ZONE}")


def _group(value: object) -> str:
    if type(value) is not str or not 0 < len(value) <= _MAX_GROUP or not value.isprintable():
        code = "missing_field" if value is None else "wrong_type"
        raise Refused(code, "A group message names its group.", "Send the group's id as text.", "/group")
    return value


def _check_keys(value: Any, path: tuple[str | int, ...]) -> None:
    """Rules and templates name these keys, so each must be a name they can write."""
    for key, held in value.items() if type(value) is dict else enumerate(value):
        here = (*path, key)
        if type(key) is str and not _KEY.fullmatch(key):
            hint = "Up to 64 letters, digits, dots and underscores, a letter first."
            raise Refused("invalid_name", "Not a name that a property can have.", hint, pointer(*here))
        if type(held) is dict or type(held) is list:
            _check_keys(held, here)


def _version(item: Mapping[str, Any], payload: Mapping[str, Any], kind: str, name: str, reading: Reading) -> Held:
    part = _CONTENT[kind][0]
    where = "/name" if kind == TRACK else "/type"
    return schema_version(
        name, item.get("schema_version"), payload.get(part, NOTHING), reading, (where, "/schema_version", f"/{part}")
    )
