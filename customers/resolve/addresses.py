"""Where people of a batch can be reached: e-mail identities, phones they gave, devices that take pushes."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import Cursor

from customers import erased
from customers.identifiers import IdentifierError, scheme
from customers.identifiers.schemes.phone import is_mobile
from customers.ids import new_id
from customers.kinds import EMAIL, PHONE
from customers.models.address import MOST_VALUE, Channel
from customers.resolve.identify import Profiles
from customers.resolve.incoming import Batch, Incoming

_MAX_TOKEN = MOST_VALUE


class Seen(NamedTuple):
    """An address and a profile it was seen with; in the order in which rows are written."""

    value: str
    channel: str
    profile_id: UUID
    original: str
    assurance: int


def write_addresses(cursor: Cursor[Any], batch: Batch, profiles: Profiles, now: datetime) -> None:
    """Write the addresses that the batch's messages tell, and whom they were seen with."""
    seen = sorted({one for message in batch.messages for one in _told(message, batch, profiles)})
    if not seen:
        return
    values, channels, owners, originals, assurances = (list(column) for column in zip(*seen, strict=True))
    made = cursor.execute(
        "INSERT INTO customers_address (id, channel, value, original, created_at)"
        " SELECT u.id, u.channel, u.value, u.original, %b"
        " FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::text[]) AS u(id, channel, value, original)"
        " WHERE NOT EXISTS (SELECT 1 FROM customers_address a WHERE a.value = u.value AND a.channel = u.channel)"
        " ON CONFLICT (value, channel) DO NOTHING RETURNING id, channel, value",
        [now, [new_id() for _value in values], channels, values, originals],
    ).fetchall()
    erased.note_new(cursor, made)
    cursor.execute(
        "INSERT INTO customers_addressprofile AS p (profile_id, address_id, first_seen_at, last_seen_at, assurance)"
        " SELECT u.profile_id, a.id, %b::timestamptz, %b::timestamptz, max(u.assurance)"
        " FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::int[]) AS u(profile_id, channel, value, assurance)"
        " JOIN customers_address a ON a.value = u.value AND a.channel = u.channel GROUP BY 1, 2 ORDER BY 1, 2"
        " ON CONFLICT (profile_id, address_id) DO UPDATE SET"
        " last_seen_at = greatest(p.last_seen_at, excluded.last_seen_at),"
        " assurance = greatest(p.assurance, excluded.assurance)"
        " WHERE p.last_seen_at < excluded.last_seen_at OR p.assurance < excluded.assurance",
        [now, now, owners, channels, values, assurances],
    )


def _told(message: Incoming, batch: Batch, profiles: Profiles) -> Iterator[Seen]:
    """What people are reached by is an address of its own profile, and of the strongest that the message names.

    Two people may share it: it moves with its own profile to one of them, and reaches the other all the same.
    """
    own, surely = profiles.of_message[message.id], message.sureness
    for one, profile in zip(message.named, own, strict=True):
        for channel in _channels(one.kind, one.value):
            for owner in (profile, own[0]):
                yield Seen(one.value, channel, owner, batch.originals[one], surely)
    # A glance at the text first: few messages tell either, and decoding all of them would show.
    if '"phone"' in message.payload_text or '"token"' in message.payload_text:
        for channel, value, original in _inside(orjson.loads(message.payload_text), message.region):
            yield Seen(value, channel, own[0], original, surely)


def _channels(kind: str, value: str) -> tuple[str, ...]:
    """By which an identifier reaches its owner; no SMS arrives at a fixed line."""
    if kind == EMAIL:
        return (Channel.EMAIL.value,)
    if kind == PHONE:
        call = Channel.CALL.value
        return (Channel.SMS.value, Channel.WHATSAPP.value, call) if is_mobile(value) else (call,)
    return ()


def _inside(payload: dict[str, Any], region: str) -> Iterator[tuple[str, str, str]]:
    """(channel, value, original): a `phone` among the traits takes SMS, WhatsApp and calls, a `device.token` pushes."""
    phone = _at(payload, "traits", "phone")
    number = _number(phone, region)
    for channel in _channels(PHONE, number) if number else ():
        yield channel, number, phone
    token = _at(payload, "context", "device", "token")
    if 0 < len(token) <= _MAX_TOKEN and token.isascii() and token.isprintable():
        yield Channel.PUSH.value, token, token


def _number(given: str, region: str) -> str:
    """The number as E.164 has it, or "" where it names no country or is none: then nobody is called."""
    try:
        return scheme(PHONE).read(given, region)[0] if given else ""
    except IdentifierError:
        return ""


def _at(payload: object, *path: str) -> str:
    value = payload
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
