"""Taking in what people wrote: into the conversation of their address, each once, obeyed where it is a keyword, and
told to journeys that hold on a reply."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from channels import origins
from channels.conversations.keywords import obey
from channels.models import Connector
from channels.receipts import telling
from channels.receipts.told import ToldReply
from consent import keywords
from consent.addresses import Place, ids_of
from consent.permission import lock_address
from customers.awaited import names_under_lock
from customers.identifiers import IdentifierError, scheme
from customers.ids import hash_uuid, new_id
from customers.internal import Cause, Internal, tell
from customers.models.address import Channel
from customers.pg import raw_cursor

# A letter that is longer is cut: a conversation is no archive.
_MOST: Final = 20_000
_TOLD: Final = 1_000
_SCHEMES: Final = {Channel.EMAIL: "email", Channel.SMS: "phone", Channel.WHATSAPP: "phone"}
# WhatsApp knows many Brazilians by the number they had before mobile ones began with a nine.
_WITHOUT_NINE: Final = re.compile(r"\+55\d{2}[6-9]\d{7}")
# Of those who share an address the one it was last seen with, of whom the brand knows.
_WHOSE: Final = """
    SELECT ap.profile_id FROM customers_addressprofile ap
    JOIN customers_profilebrand b ON b.profile_id = ap.profile_id AND b.brand_id = %s
    WHERE ap.address_id = %s ORDER BY ap.last_seen_at DESC, ap.profile_id LIMIT 1
"""
_ANSWERED: Final = """
    SELECT m.id, m.address_id, m.profile_id, m.channel, m.scope_id, m.step_id, m.origin_kind, m.origin_id, m.copy_key
    FROM channels_message m
"""
# What they answer: what the provider says, else the last that reached the address by this connector. The conditions
# are written out as in the indexes that answer these.
_NAMED: Final = (
    _ANSWERED + "WHERE m.provider_id = %(about)s AND m.provider_id <> '' AND m.connector_id = %(connector)s LIMIT 1"
)
_LATEST: Final = (
    _ANSWERED
    + """
    WHERE m.address_id = %(address)s AND m.settled_at > %(at)s::timestamptz - interval '7 days'
      AND m.settled_at <= %(at)s AND m.connector_id = %(connector)s
      AND m.state IN ('sent', 'delivered', 'opened', 'clicked', 'unknown')
    ORDER BY m.settled_at DESC LIMIT 1
"""
)
_CONVERSATION: Final = """
    INSERT INTO channels_conversation AS c
        (id, brand_id, channel, connector_id, address_id, profile_id, began_at, last_at, is_unread)
    VALUES (%(id)s, %(brand)s, %(channel)s, %(connector)s, %(address)s, %(profile)s, %(at)s, %(at)s, true)
    ON CONFLICT (address_id, brand_id, channel) DO UPDATE SET
        connector_id = excluded.connector_id, last_at = greatest(c.last_at, excluded.last_at), is_unread = true,
        profile_id = coalesce(excluded.profile_id, c.profile_id)
    RETURNING id
"""
_KNOWN: Final = "SELECT key FROM channels_inbound WHERE key = ANY(%s)"
_KEEP: Final = """
    INSERT INTO channels_inbound
        (conversation_id, key, provider_id, about_id, at, received_at, text, attachments, meaning, suggestion)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING RETURNING id
"""


@dataclass(slots=True)
class _Answered:
    """The message that was answered, as events tell of it."""

    id: UUID
    address_id: UUID | None
    profile_id: UUID
    channel: str
    scope_id: UUID
    step_id: str
    origin_kind: str
    origin_id: str
    copy_key: str


@dataclass(frozen=True, slots=True)
class Came:
    """A reply, and the call that brought it."""

    connector: Connector
    reply: ToldReply
    received_at: datetime

    @property
    def at(self) -> datetime:
        return min(self.reply.at or self.received_at, self.received_at)

    @property
    def key(self) -> UUID:
        said = self.reply.provider_id or f"{self.reply.sender}\n{self.reply.at}\n{self.reply.text}"
        return hash_uuid("inbound", str(self.connector.pk), said)


@dataclass(slots=True)
class _Heard:
    """A reply with whose it is and what it means."""

    came: Came
    address_id: UUID
    answered: _Answered | None
    said: keywords.Heard


def take(replies: Sequence[Came], now: datetime) -> int:
    """Take in what came, within the caller's transaction; return how much of it was new.

    The addresses that keywords bear on are locked before anything is written, in their order (DESIGN §2.5).
    """
    with raw_cursor() as cursor:
        known = {row[0] for row in cursor.execute(_KNOWN, [[one.key for one in replies]])}
        heard = [_hear(cursor, one, now) for one in replies if one.key not in known]
        for address_id in sorted({one.address_id for one in heard if one.said.meaning is not None}):
            lock_address(address_id)
        return sum(_take(cursor, one, now) for one in heard)


def _hear(cursor: Cursor[Any], came: Came, now: datetime) -> _Heard:
    answered = _named(cursor, came)
    address_id = answered.address_id if answered is not None else None
    if address_id is None:
        place, original = _place(came.reply)
        address_id = ids_of(cursor, {place: original}, now)[place]
    said = keywords.hear(came.reply.text, came.connector.brand.locale)
    if came.reply.channel == Channel.EMAIL and said.meaning is keywords.Meaning.START:
        # Anybody can write a letter in somebody else's name: a stop does no harm, all else is for a person to decide.
        said = keywords.Heard(None, said.meaning, said.language)
    return _Heard(came, address_id, answered, said)


def _take(cursor: Cursor[Any], heard: _Heard, now: datetime) -> bool:
    came, said = heard.came, heard.said
    brand, reply = came.connector.brand, came.reply
    if said.meaning is not None:
        obey(cursor, said, heard.address_id, brand.pk, came.at, now)
    answered = heard.answered or _latest(cursor, came, heard.address_id)
    profile_id = _whose(cursor, brand.pk, heard.address_id) or (answered.profile_id if answered else None)
    values = {
        "id": new_id(), "brand": brand.pk, "channel": reply.channel, "connector": came.connector.pk,
        "address": heard.address_id, "profile": profile_id, "at": came.at,
    }  # fmt: skip
    [(conversation_id,)] = cursor.execute(_CONVERSATION, values).fetchall()
    kept = cursor.execute(
        _KEEP,
        [
            conversation_id, came.key, reply.provider_id[:200], answered and answered.id, came.at, came.received_at,
            reply.text[:_MOST], min(reply.attachments, 999), said.meaning or "", said.suggestion or "",
        ],
    ).fetchone()  # fmt: skip
    if kept and profile_id is not None:
        _tell(cursor, came, said, profile_id, answered, now)
    return bool(kept)


def _place(reply: ToldReply) -> tuple[Place, str]:
    """The address as it is compared; one that our own reading refuses (a short code, say) stays as it came."""
    given = reply.sender
    if reply.channel == Channel.WHATSAPP and _WITHOUT_NINE.fullmatch(given):
        given = f"{given[:5]}9{given[5:]}"
    try:
        value, original = scheme(_SCHEMES[Channel(reply.channel)]).read(given)
    except (IdentifierError, KeyError, ValueError):
        value = original = given.strip()[:320]
    return Place(reply.channel, value), original


def _whose(cursor: Cursor[Any], brand_id: UUID, address_id: UUID) -> UUID | None:
    row = cursor.execute(_WHOSE, [brand_id, address_id]).fetchone()
    return row[0] if row else None


def _named(cursor: Cursor[Any], came: Came) -> _Answered | None:
    if not came.reply.about:
        return None
    row = cursor.execute(_NAMED, {"connector": came.connector.pk, "about": came.reply.about}).fetchone()
    return _Answered(*row) if row else None


def _latest(cursor: Cursor[Any], came: Came, address_id: UUID) -> _Answered | None:
    values = {"connector": came.connector.pk, "address": address_id, "at": came.at}
    row = cursor.execute(_LATEST, values).fetchone()
    return _Answered(*row) if row else None


def _tell(
    cursor: Cursor[Any],
    came: Came,
    heard: keywords.Heard,
    profile_id: UUID,
    answered: _Answered | None,
    now: datetime,
) -> None:
    awaited = names_under_lock()
    if telling.REPLIED not in awaited:
        return
    said: dict[str, Any] = {
        "channel": came.reply.channel,
        "text": came.reply.text[:_TOLD],
        "keyword": str(heard.meaning or ""),
    }
    cause = Cause()
    if answered is not None:
        said |= telling.about(answered)
        origin = (answered.origin_kind, answered.origin_id)
        cause = origins.causes_of(cursor, [origin]).get(origin, cause)
    happened = Internal(telling.REPLIED, profile_id, f"inbound-{came.key}", said, cause, came.connector.brand_id)
    tell(cursor, [happened], awaited, now)
