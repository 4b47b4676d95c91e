"""Taking in what people wrote: into the conversation of their address, each once, obeyed where it is a keyword, and
told to journeys that hold on a reply."""

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
# Of those who share an address the one it was last seen with, of whom the brand knows.
_WHOSE: Final = """
    SELECT ap.profile_id FROM customers_addressprofile ap
    JOIN customers_profilebrand b ON b.profile_id = ap.profile_id AND b.brand_id = %s
    WHERE ap.address_id = %s ORDER BY ap.last_seen_at DESC, ap.profile_id LIMIT 1
"""
# What they answer: what the provider says, else the last that reached the address by this connector.
_ABOUT: Final = """
    SELECT m.id, m.profile_id, m.channel, m.scope_id, m.step_id, m.origin_kind, m.origin_id, m.copy_key
    FROM channels_message m
    WHERE m.connector_id = %(connector)s AND m.address_id = %(address)s
      AND CASE WHEN %(about)s <> '' THEN m.provider_id = %(about)s
               ELSE m.state IN ('sent', 'delivered', 'opened', 'clicked', 'unknown')
                    AND m.settled_at > %(at)s::timestamptz - interval '7 days' AND m.settled_at <= %(at)s END
    ORDER BY m.settled_at DESC NULLS LAST LIMIT 1
"""
_CONVERSATION: Final = """
    INSERT INTO channels_conversation AS c
        (id, brand_id, channel, connector_id, address_id, profile_id, began_at, last_at, is_unread)
    VALUES (%(id)s, %(brand)s, %(channel)s, %(connector)s, %(address)s, %(profile)s, %(at)s, %(at)s, true)
    ON CONFLICT (address_id, brand_id, channel) DO UPDATE SET
        connector_id = excluded.connector_id, last_at = greatest(c.last_at, excluded.last_at), is_unread = true,
        profile_id = coalesce(excluded.profile_id, c.profile_id)
    RETURNING id
"""
_KNOWN: Final = "SELECT 1 FROM channels_inbound WHERE key = %s"
_KEEP: Final = """
    INSERT INTO channels_inbound
        (conversation_id, key, provider_id, about_id, at, received_at, text, attachments, meaning, suggestion)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING RETURNING id
"""


@dataclass(slots=True)
class _Answered:
    """The message that was answered, as events tell of it."""

    id: UUID
    profile_id: UUID
    channel: str
    scope_id: UUID
    step_id: str
    origin_kind: str
    origin_id: str
    copy_key: str


def take(connector: Connector, replies: Sequence[ToldReply], received_at: datetime, now: datetime) -> int:
    """Take in what came by one call, within the caller's transaction; return how many were new."""
    count = 0
    for reply in replies:
        with raw_cursor() as cursor:
            count += _take(cursor, connector, reply, received_at, now)
    return count


def _take(cursor: Cursor[Any], connector: Connector, reply: ToldReply, received_at: datetime, now: datetime) -> bool:
    key = hash_uuid("inbound", str(connector.pk), reply.provider_id or f"{reply.sender}\n{reply.at}\n{reply.text}")
    if cursor.execute(_KNOWN, [key]).fetchone():
        return False
    place, original = _place(reply)
    address_id = ids_of(cursor, {place: original}, now)[place]
    brand = connector.brand
    heard = keywords.hear(reply.text, brand.locale)
    if heard.meaning is not None:
        obey(cursor, heard.meaning, address_id, brand.pk, heard.language, now)
    at = min(reply.at or received_at, received_at)
    answered = _answered(cursor, connector, reply, address_id, at)
    profile_id = _whose(cursor, brand.pk, address_id) or (answered.profile_id if answered else None)
    values = {
        "id": new_id(), "brand": brand.pk, "channel": reply.channel, "connector": connector.pk, "address": address_id,
        "profile": profile_id, "at": at,
    }  # fmt: skip
    [(conversation_id,)] = cursor.execute(_CONVERSATION, values).fetchall()
    kept = cursor.execute(
        _KEEP,
        [
            conversation_id, key, reply.provider_id[:200], answered and answered.id, at, received_at,
            reply.text.replace("\0", "")[:_MOST], min(reply.attachments, 999), heard.meaning or "",
            heard.suggestion or "",
        ],
    ).fetchone()  # fmt: skip
    if kept and profile_id is not None:
        _tell(cursor, connector, reply, key, heard, profile_id, answered, now)
    return bool(kept)


def _place(reply: ToldReply) -> tuple[Place, str]:
    """The address as it is compared; one that our own reading refuses (a short code, say) stays as it came."""
    try:
        value, original = scheme(_SCHEMES[Channel(reply.channel)]).read(reply.sender)
    except (IdentifierError, KeyError, ValueError):
        value = original = reply.sender.strip()[:320]
    return Place(reply.channel, value), original


def _whose(cursor: Cursor[Any], brand_id: UUID, address_id: UUID) -> UUID | None:
    row = cursor.execute(_WHOSE, [brand_id, address_id]).fetchone()
    return row[0] if row else None


def _answered(
    cursor: Cursor[Any], connector: Connector, reply: ToldReply, address_id: UUID, at: datetime
) -> _Answered | None:
    values = {"connector": connector.pk, "address": address_id, "about": reply.about, "at": at}
    row = cursor.execute(_ABOUT, values).fetchone()
    return _Answered(*row) if row else None


def _tell(
    cursor: Cursor[Any],
    connector: Connector,
    reply: ToldReply,
    key: UUID,
    heard: keywords.Heard,
    profile_id: UUID,
    answered: _Answered | None,
    now: datetime,
) -> None:
    awaited = names_under_lock()
    if telling.REPLIED not in awaited:
        return
    said: dict[str, Any] = {"channel": reply.channel, "text": reply.text[:_TOLD], "keyword": str(heard.meaning or "")}
    cause = Cause()
    if answered is not None:
        said |= telling.about(answered)
        origin = (answered.origin_kind, answered.origin_id)
        cause = origins.causes_of(cursor, [origin]).get(origin, cause)
    tell(
        cursor,
        [Internal(telling.REPLIED, profile_id, f"inbound-{key}", said, cause, connector.brand_id)],
        awaited,
        now,
    )
