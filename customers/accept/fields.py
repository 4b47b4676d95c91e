"""The fields that messages of every dialect have; `where` is the place a dialect has them at."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from customers.accept.message import Reading
from customers.accept.refusal import Refused, pointer
from customers.accept.schemas import Planned
from customers.accept.timestamps import read_timestamp
from customers.identifiers import IdentifierError
from customers.internal import is_reserved
from customers.models.event import TimeSource

MAX_NAME = 120
MAX_MESSAGE_ID = 100
NOTHING: Mapping[str, Any] = {}


def section(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = item.get(name)
    if value is None:
        return NOTHING
    if type(value) is not dict:
        raise Refused("wrong_type", f"{name.capitalize()} are an object.", "Send a JSON object.", pointer(name))
    return value


def event_name(name: object, where: str) -> str:
    if name is None:
        raise Refused("missing_field", "A track message names its event.", "Send event.", where)
    if type(name) is not str:
        raise Refused("wrong_type", "An event's name is text.", "Send a string.", where)
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name.isspace():
        hint = f"Send 1 to {MAX_NAME} printable characters."
        raise Refused("invalid_name", "Not a name an event can have.", hint, where)
    if is_reserved(name):
        hint = "Choose another name: events of this one are told by Trilha itself."
        raise Refused("reserved_name", "What happens inside is not told from outside.", hint, where)
    return name


def identity(kind: str, value: object, reading: Reading, where: str) -> tuple[str, str, str]:
    """(kind, value, as given), by the scheme of a kind that this installation has."""
    if type(value) is not str:
        raise Refused("wrong_type", "Identifiers are text.", "Send a string; numbers lose digits.", where)
    try:
        return kind, *reading.kinds[kind].read(value, reading.writer.region)
    except IdentifierError as error:
        raise Refused(error.code, error.message, error.hint, where) from None


# An ordinary difference of clocks: not worth a mark.
_AHEAD = timedelta(seconds=5)


def moment(told: object, reading: Reading, where: str, *, historical: bool = False) -> tuple[datetime, TimeSource]:
    """When it happened, and on whose word: the sender's, corrected where its clock is known to be wrong."""
    received_at = reading.received_at
    if told is None:
        return received_at, TimeSource.SERVER
    at = read_timestamp(told, received_at, where, behind=reading.behind, historical=historical)
    if reading.behind:
        return at, TimeSource.CORRECTED
    return at, TimeSource.AHEAD if at - received_at > _AHEAD else TimeSource.TOLD


def clock(told: object, reading: Reading) -> dict[str, str] | None:
    """What is kept of a time that was corrected: as it was told, and when the sender thought it was sending."""
    if told is None or not reading.behind or reading.sent_at is None:
        return None
    return {"told": str(told), "sent": reading.sent_at.isoformat()}


def message_id(told: object, fingerprint: str, told_at: object, received_at: datetime, where: str) -> str:
    """The sender's id; without one the content's digest, so that a repetition is known.

    With no time of its own either, nothing tells a repetition from a second event: then each is taken as new.
    """
    if told is None or told == "":
        moment = "" if told_at is not None else f"-{received_at.timestamp():.6f}"
        return f"content-{fingerprint}{moment}"
    if type(told) is not str:
        raise Refused("wrong_type", "A message id is text.", "Send a string.", where)
    if len(told) > MAX_MESSAGE_ID:
        raise Refused("identifier_too_long", f"Longer than {MAX_MESSAGE_ID} characters.", "Send a UUID.", where)
    if not told.isprintable():
        raise Refused("control_character", "Holds an unprintable character.", "Send a UUID.", where)
    return told


class Held(NamedTuple):
    """What an event is held to; without a version it may be marked as unplanned."""

    version_id: int | None
    unplanned: bool = False


def schema_version(
    name: str, told: object, content: Mapping[str, Any], reading: Reading, where: tuple[str, str, str]
) -> Held:
    """The version that `content` is held to; `where` are the places of the name, of the number and of the content."""
    named, numbered, inside = where
    writer = reading.writer
    if writer.only_listed and (writer.source_id, name) not in reading.listed:
        hint = "Ask whoever looks after the source to list the event type."
        raise Refused("type_not_allowed", "The source may not send events of this type.", hint, named)
    planned = reading.plan.get((writer.brand_id, name))
    if planned is None:
        if writer.refuses_unplanned:
            raise Refused("unplanned_event", "The source takes planned events only.", "Register the event type.", named)
        return Held(None, writer.marks_unplanned)
    version = planned.choose(reading.listed.get((writer.source_id, name)) if told is None else told)
    if version is None:
        raise Refused(
            "unknown_schema_version", "No approved version of this number.", _approved(planned, told), numbered
        )
    fault = version.fault(content)
    if fault is not None:
        raise Refused(fault.code, fault.message, fault.hint, f"{inside}{fault.pointer}")
    return Held(version.id)


def _approved(planned: Planned, told: object) -> str:
    numbers = f"Approved: {', '.join(map(str, sorted(planned.versions)))}."
    return numbers if told is not None else f"The source's default version is approved no more. {numbers}"
