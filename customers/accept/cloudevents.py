"""A CloudEvent (CloudEvents 1.0, JSON format) read into a message: its attributes say what, when and of whom.

Whom it concerns is the producer's to say by extension attributes named as the kinds of identifiers are, without
underscores (`userid`, `anonymousid`): the standard lets attributes have none. Where there is no such attribute, its
`subject` is taken for the user's id.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any, Final

from customers.accept import strict_json
from customers.accept.fields import NOTHING, clock, event_name, identity, message_id, moment, schema_version
from customers.accept.message import Identity, Message, Reading, digest, dump, identifier_keys, kept_id
from customers.accept.refusal import Refused, pointer
from customers.kinds import USER_ID

DOOR: Final = "cloudevents"
TRACK: Final = "track"
SPECVERSION: Final = "1.0"
CONTENT: Final = ("data", "data_base64")
# Where in an event's context the attributes are kept that are no part of a message of ours.
KEPT_AT: Final = "cloudevent"
NAME_PATTERN: Final = r"^[a-z0-9]{1,64}$"
# The characters of a URI reference (RFC 3986); whether it leads anywhere is nobody's business here.
SOURCE_PATTERN: Final = r"^[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]{1,2048}$"
_NAME = re.compile(NAME_PATTERN.strip("^$"))
_REFERENCE = re.compile(SOURCE_PATTERN.strip("^$"))
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_MAX_TEXT = 2048
_INTEGER = 2**31
# What never names anybody, whatever kinds of identifiers there are.
_STANDARD: Final = frozenset(
    ("id", "source", "specversion", "type", "time", "subject", "dataschema", "datacontenttype", "historical")
)
# Read by names of their own below.
_OURS: Final = frozenset(("specversion", "type", "id", "time", "historical", "schemaversion"))

_Json = dict[str, Any]
# What an attribute can be.
Value = str | int | bool


def read(item: _Json, reading: Reading) -> Message:
    """The message in `item`, or Refused with a pointer into the item."""
    told = _attributes(item)
    _check_version(told.get("specversion"))
    source, id_ = _source(told), _required(told, "id")
    _check_optional(told)
    name = event_name(_required(told, "type"), "/type")
    identities = _identities(told, reading)
    payload = _payload(item, told)
    historical, told_at = _historical(told.get("historical")), told.get("time")
    occurred_at, time_source = moment(told_at, reading, "/time", historical=historical)
    identifiers, content = dump(identities), dump(payload)
    properties, where = payload.get("properties", NOTHING), ("/type", "/schemaversion", "/data")
    # Other attributes may change on the way (a traceparent does), and the event is still the same.
    beside = ("historical",) if historical else ()
    fingerprint = digest(TRACK, name, told_at or "", identifiers, dump(properties), *beside)
    id_ = message_id(id_, fingerprint, told_at, reading.received_at, "/id")
    held = schema_version(name, told.get("schemaversion"), properties, reading, where)
    if (corrected := clock(told_at, reading)) is not None:
        content = dump({**payload, "clock": corrected})
    return Message(
        # An id is unique among the events of its source alone, which the standard has nothing to do with ours.
        key=digest(reading.sender, source, id_),
        fingerprint=fingerprint,
        message_id=kept_id(id_, identities),
        kind=TRACK,
        name=name,
        occurred_at=occurred_at,
        schema_version_id=held.version_id,
        unplanned=held.unplanned,
        identifiers=identifiers,
        identifier_keys=identifier_keys(identities, reading),
        payload=content,
        historical=historical,
        time_source=time_source,
    )


def attribute_name(name: str, where: str) -> str:
    if not _NAME.fullmatch(name) or name == "data":
        hint = "Attributes have 1 to 64 small letters and digits, and none is called data."
        raise Refused("invalid_name", "Not a name that an attribute can have.", hint, where)
    return name


def _attributes(item: _Json) -> _Json:
    """Those that are set, each of a type that attributes can have."""
    told = {name: value for name, value in item.items() if name not in CONTENT and value is not None}
    for name, value in told.items():
        _check(value, pointer(attribute_name(name, pointer(name))))
    return told


def _check(value: object, where: str) -> None:
    if type(value) is bool or (type(value) is int and -_INTEGER <= value < _INTEGER):
        return
    if type(value) is int:
        raise Refused("out_of_range", "Integers of attributes have 32 bits.", "Send it as a string.", where)
    if type(value) is not str:
        raise Refused("wrong_type", "Attributes are text, integers or booleans.", "Send a string.", where)
    if len(value) > _MAX_TEXT:
        raise Refused("too_long", f"Longer than {_MAX_TEXT:,} characters.", "Send long things as data.", where)
    if not value.isprintable():
        raise Refused("control_character", "Holds an unprintable character.", "Leave it out.", where)


def _check_version(told: object) -> None:
    hint = f'Send "{SPECVERSION}".'
    if told is None:
        raise Refused("missing_field", "A CloudEvent tells its specversion.", hint, "/specversion")
    if told != SPECVERSION:
        raise Refused("unsupported_specversion", "Not a version of CloudEvents read here.", hint, "/specversion")


def _required(told: _Json, name: str) -> str:
    value = told.get(name)
    if value is None or value == "":
        raise Refused("missing_field", f"A CloudEvent has a {name}.", "Send text that is not empty.", f"/{name}")
    return _text(value, name)


def _text(value: object, name: str) -> str:
    if type(value) is not str:
        raise Refused("wrong_type", f"The attribute {name} is text.", "Send a string.", f"/{name}")
    return value


def _source(told: _Json) -> str:
    source = _required(told, "source")
    if not _REFERENCE.fullmatch(source):
        hint = "Send a URI reference, such as https://shop.example/checkout or /checkout."
        raise Refused("invalid_uri", "A source is a URI reference.", hint, "/source")
    return source


def _check_optional(told: _Json) -> None:
    for name in ("dataschema", "datacontenttype", "subject"):
        if name in told and not _text(told[name], name):
            raise Refused("invalid_attribute", f"An empty {name}.", "Leave it out.", f"/{name}")
    schema = told.get("dataschema")
    if schema is not None and not (_REFERENCE.fullmatch(schema) and _SCHEME.match(schema)):
        raise Refused("invalid_uri", "A dataschema is a URI.", "Send it with its scheme.", "/dataschema")


def _identities(told: _Json, reading: Reading) -> list[Identity]:
    """Everybody the attributes name, the strongest first; else the subject."""
    found: list[Identity] = [
        identity(kind, told[name], reading, f"/{name}")
        for kind in reading.kinds
        if (name := attribute_of(kind)) in told and name not in _STANDARD
    ]
    if found:
        return found
    if "subject" not in told:
        hint = "Send subject (the user's id), userid, anonymousid, or several of them."
        raise Refused("missing_identifier", "The event says nothing about whom it concerns.", hint)
    return [identity(USER_ID, told["subject"], reading, "/subject")]


def attribute_of(kind: str) -> str:
    """What the attribute is called that names somebody by this kind of identifier."""
    return kind.replace("_", "").lower()


def _payload(item: _Json, told: _Json) -> _Json:
    """Data that is an object is the event's properties; any other is one property, `data`."""
    data = _data(item, told)
    kept = {name: value for name, value in told.items() if name not in _OURS}
    payload: _Json = {"context": {KEPT_AT: kept}}
    if data is not None:
        payload["properties"] = data if type(data) is dict else {"data": data}
    return payload


def _data(item: _Json, told: _Json) -> Any:
    plain, packed = (item.get(name) for name in CONTENT)
    if packed is None:
        return plain
    if plain is not None:
        raise Refused("conflicting_fields", "Both data and data_base64.", "Send one of them.", "/data_base64")
    if not is_json(told.get("datacontenttype", "application/json")):
        hint = "Send JSON: bytes of other types are of no use here."
        raise Refused("unsupported_data", "The data is not declared as JSON.", hint, "/datacontenttype")
    return _unpacked(packed)


def _unpacked(packed: object) -> Any:
    """The JSON inside base64, as strictly as any."""
    try:
        document = strict_json.parse(b64decode(_text(packed, "data_base64"), validate=True))
    except ValueError:
        raise Refused("invalid_base64", "Not base64.", "Send it with its padding.", "/data_base64") from None
    except Refused as error:
        raise _inside(error) from None
    if not strict_json.is_sound(document, [[document.value]]):
        fault = strict_json.first_fault([strict_json.lossless(document)])
        if fault is not None:
            raise _inside(Refused.of(fault))
    return document.value


def _inside(error: Refused) -> Refused:
    """What is wrong is inside the bytes, where no pointer leads."""
    refusal = error.refusal
    return Refused(refusal.code, f"In data_base64: {refusal.message}", refusal.hint, "/data_base64")


def is_json(media_type: str) -> bool:
    """Whether data of this type is JSON, as the standard has it: subtype json or one ending in +json."""
    subtype = media_type.partition(";")[0].strip().lower().partition("/")[2]
    return subtype == "json" or subtype.endswith("+json")


def _historical(told: object) -> bool:
    if told is None or type(told) is bool:
        return bool(told)
    raise Refused("wrong_type", "Either true or false.", "Send true for history.", "/historical")


def as_item(attributes: Mapping[str, Value], data: bytes) -> bytes:
    """The event in the JSON format, of attributes and data that came apart; `data` stands in it as it came."""
    pairs: Iterable[str] = (f"{dump(name)}:{dump(value)}" for name, value in attributes.items())
    whole = ",".join(pairs).encode()
    return b"{" + whole + (b',"data":' + data if data else b"") + b"}"
