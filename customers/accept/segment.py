"""One item of the Segment protocol read into a message, or refused: its six calls, as its specification has them."""

from collections.abc import Callable, Mapping
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
from customers.kinds import ANONYMOUS_ID, DEVICE, EMAIL, PHONE, USER_ID
from customers.models.identity import Assurance

DOOR = "segment"
TRACK, IDENTIFY, PAGE, SCREEN, GROUP, ALIAS = KINDS = ("track", "identify", "page", "screen", "group", "alias")
# What the content of a call is called, where it has any.
_PART = {TRACK: "properties", IDENTIFY: "traits", PAGE: "properties", SCREEN: "properties", GROUP: "traits"}
_MAX_GROUP = 254
_MAX_TITLE = 500

_Json = dict[str, Any]


def read(item: _Json, reading: Reading) -> Message:
    """The message in `item`, or Refused with a pointer into the item.

    Fields that Trilha has no use for (integrations, channel) or the protocol does not have for the kind (traits
    of a track, properties of an identify) are neither kept nor compared.
    """
    kind = item.get("type")
    if type(kind) is not str or kind not in KINDS:
        raise _unsupported(kind)
    context = section(item, "context")
    # What carries traits in the context tells of the person, a group's own tell of the group.
    traits = section(item, "traits") if kind == GROUP else _traits(item, context)
    name = event_name(item.get("event"), "/event") if kind == TRACK else kind
    identities = _identities(item, traits, context, kind, reading)
    payload = _PAYLOADS[kind](item, traits)
    if kind == IDENTIFY and "traits" in context:
        context = {key: value for key, value in context.items() if key != "traits"}
    if context:
        payload["context"] = context
    identifiers, content = dump(identities), dump(payload)
    told_at = item.get("timestamp")
    occurred_at, time_source = moment(told_at, reading, "/timestamp")
    fingerprint = digest(kind, name, told_at or "", identifiers, content)
    id_ = message_id(item.get("messageId"), fingerprint, told_at, reading.received_at, "/messageId")
    held = _version(payload, kind, name, reading)
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
        time_source=time_source,
        # What a key says that stands in a page, anybody could have said.
        assurance=Assurance.CLAIMED if reading.writer.is_public else None,
    )


def _unsupported(kind: object) -> Refused:
    hint = f"Send one of {', '.join(KINDS)}."
    if kind is None:
        return Refused("missing_field", "A message needs a type.", hint, "/type")
    if type(kind) is not str:
        return Refused("wrong_type", "The type is text.", hint, "/type")
    return Refused("unsupported_type", "Not a call of this protocol.", hint, "/type")


def _traits(item: _Json, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item's own traits over those which some libraries put into the context."""
    traits = section(item, "traits")
    carried = context.get("traits")
    if carried is None:
        return traits
    if type(carried) is not dict:
        raise Refused("wrong_type", "Traits are an object.", "Send a JSON object.", "/context/traits")
    return {**carried, **traits}


def _of_track(item: _Json, _traits: Mapping[str, Any]) -> _Json:
    properties = section(item, "properties")
    return {"properties": properties} if properties else {}


def _of_identify(_item: _Json, traits: Mapping[str, Any]) -> _Json:
    return {"traits": traits} if traits else {}


def _of_page(item: _Json, _traits: Mapping[str, Any]) -> _Json:
    """A page's own name and category stand among its properties, where rules and schemas find them."""
    properties = dict(section(item, "properties"))
    for key in ("category", "name"):
        told = item.get(key)
        if told is None:
            continue
        if type(told) is not str or len(told) > _MAX_TITLE:
            hint = f"Send a string of at most {_MAX_TITLE} characters."
            raise Refused("wrong_type", f"A {key} is text.", hint, pointer(key))
        properties.setdefault(key, told)
    return {"properties": properties} if properties else {}


def _of_group(item: _Json, traits: Mapping[str, Any]) -> _Json:
    group = item.get("groupId")
    if type(group) is not str or not 0 < len(group) <= _MAX_GROUP or not group.isprintable():
        code = "missing_field" if group is None else "wrong_type"
        raise Refused(code, "A group message names its group.", "Send groupId as text.", "/groupId")
    return {"group": group, "traits": traits} if traits else {"group": group}


_PAYLOADS: Mapping[str, Callable[[_Json, Mapping[str, Any]], _Json]] = {
    TRACK: _of_track,
    IDENTIFY: _of_identify,
    PAGE: _of_page,
    SCREEN: _of_page,
    GROUP: _of_group,
    ALIAS: lambda _item, _traits: {},
}


def _identities(
    item: _Json, traits: Mapping[str, Any], context: Mapping[str, Any], kind: str, reading: Reading
) -> list[Identity]:
    """Everybody the message names, strongest first."""
    found: list[Identity] = []
    user, anonymous = item.get("userId"), item.get("anonymousId")
    if user is not None:
        found.append(identity(USER_ID, user, reading, "/userId"))
    if kind == IDENTIFY:
        found += _in_traits(item, traits, reading)
    found += _in_context(context, reading)
    if anonymous is not None:
        found.append(identity(ANONYMOUS_ID, anonymous, reading, "/anonymousId"))
    if kind == ALIAS:
        return found + _previous(item, user, reading)
    if user is None and anonymous is None:
        hint = "Send userId, anonymousId or both."
        raise Refused("missing_identifier", "The message says nothing about whom it concerns.", hint)
    return found


def _in_traits(item: _Json, traits: Mapping[str, Any], reading: Reading) -> list[Identity]:
    """What people are reached by is what they are known by, too."""
    own = item.get("traits") or NOTHING
    return [
        identity(kind, traits[kind], reading, f"/traits/{kind}" if kind in own else f"/context/traits/{kind}")
        for kind in (EMAIL, PHONE)
        if traits.get(kind) is not None and kind in reading.kinds
    ]


def _in_context(context: Mapping[str, Any], reading: Reading) -> list[Identity]:
    """The device, and identifiers of the installation's own kinds (externalIds, as Segment's libraries carry them)."""
    found: list[Identity] = []
    device = context.get("device")
    if type(device) is dict and device.get("id") is not None and DEVICE in reading.kinds:
        found.append(identity(DEVICE, device["id"], reading, "/context/device/id"))
    external = context.get("externalIds")
    for index, one in enumerate(external if type(external) is list else ()):
        where = f"/context/externalIds/{index}"
        kind = one.get("type") if type(one) is dict else None
        if type(kind) is not str or kind not in reading.kinds:
            hint = f"Known: {', '.join(reading.kinds)}."
            raise Refused("unknown_identifier_kind", "There is no such kind of identifier.", hint, f"{where}/type")
        found.append(identity(kind, one.get("id"), reading, f"{where}/id"))
    return found


def _previous(item: _Json, user: object, reading: Reading) -> list[Identity]:
    """The former name: an anonymous id or a user id, the protocol does not say which, so both are meant."""
    previous = item.get("previousId")
    for value, where in ((user, "/userId"), (previous, "/previousId")):
        if value is None:
            raise Refused("missing_identifier", "An alias tells the new and the former id.", "Send both.", where)
    if previous == user:
        raise Refused("same_identifier", "The former id is the new one.", "Send the former id.", "/previousId")
    return [(*identity(kind, previous, reading, "/previousId"), True) for kind in (USER_ID, ANONYMOUS_ID)]


def _version(payload: _Json, kind: str, name: str, reading: Reading) -> Held:
    told = payload.get("context", NOTHING).get("schema_version")
    part = _PART.get(kind, "properties")
    where = "/event" if kind == TRACK else "/type"
    return schema_version(name, told, payload.get(part, {}), reading, (where, "/context/schema_version", f"/{part}"))
