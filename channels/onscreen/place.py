"""Putting a message on its person's screen: rows of this installation, committed with the message that goes by them."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
from django.db import DatabaseError, transaction

from channels.providers.base import Accepted, Blame, DeliveryError, Outgoing
from customers.ids import new_id
from customers.pg import raw_cursor
from customers.work import is_passing

_LONGEST_TITLE: Final = 500
_LONGEST_BUTTON: Final = 200
_WORDS: Final = "title, body, link, image, button, locale, placed_at, expires_at"
_SAID: Final = (
    "%(title)s, %(body)s, %(link)s, %(image)s, %(button)s, %(locale)s, %(at)s::timestamptz, %(until)s::timestamptz"
)
_WHOSE: Final = "brand_id, message_id, profile_id, address_id, purpose_id"
_OF_MESSAGE: Final = "m.brand_id, m.id, m.profile_id, m.address_id, m.purpose_id"
_ITEM: Final = f"""
    INSERT INTO channels_inappitem (id, key, {_WHOSE}, {_WORDS})
    SELECT %(id)s, %(key)s, {_OF_MESSAGE}, {_SAID} FROM channels_message m WHERE m.id = %(message)s
    ON CONFLICT (key) DO NOTHING
"""
_SLOT: Final = """
    SELECT s.id FROM channels_webslot s JOIN channels_message m ON m.brand_id = s.brand_id
    WHERE m.id = %(message)s AND s.key = %(slot)s AND s.is_active
"""
# What the same journey put there before gives way; what the person took away does not come back by it. A message that
# comes late does not take the place of one that was written after it.
_REPLACE: Final = """
    UPDATE channels_webplacement p SET off_at = %(at)s, off_reason = 'replaced'
    FROM channels_message m
    WHERE m.id = %(message)s AND p.profile_id = m.profile_id AND p.slot_id = %(slot_id)s AND p.scope_id = m.scope_id
      AND p.off_at IS NULL AND p.dismissed_at IS NULL AND p.key <> %(key)s
      AND NOT EXISTS (SELECT 1 FROM channels_message o WHERE o.id = p.message_id AND o.created_at > m.created_at)
"""
_OVERTAKEN: Final = """
    EXISTS (
        SELECT 1 FROM channels_webplacement p JOIN channels_message o ON o.id = p.message_id
        WHERE p.profile_id = m.profile_id AND p.slot_id = %(slot_id)s AND p.scope_id = m.scope_id
          AND p.off_at IS NULL AND p.dismissed_at IS NULL AND p.key <> %(key)s AND o.created_at > m.created_at
    )
"""
_PLACEMENT: Final = f"""
    INSERT INTO channels_webplacement (id, key, slot_id, scope_id, priority, off_at, off_reason, {_WHOSE}, {_WORDS})
    SELECT %(id)s, %(key)s, %(slot_id)s, m.scope_id, m.priority,
           CASE WHEN late.so THEN %(at)s::timestamptz END, CASE WHEN late.so THEN 'replaced' ELSE '' END,
           {_OF_MESSAGE}, {_SAID}
    FROM channels_message m, LATERAL (SELECT {_OVERTAKEN} AS so) late WHERE m.id = %(message)s
    ON CONFLICT (key) DO NOTHING
"""


def into_inbox(outgoing: Outgoing, days: int) -> Accepted:
    """Within the caller's transaction; however often for one key, there is one item."""
    values = _values(outgoing, days)
    _write([(_ITEM, values)])
    return Accepted(f"inbox-{outgoing.key}")


def into_slot(outgoing: Outgoing, days: int) -> Accepted:
    """The same for the slot that the message names."""
    values = _values(outgoing, days) | {"slot": str(outgoing.options.get("slot") or "")}
    values["slot_id"] = _slot_of(values)
    _write([(_REPLACE, values), (_PLACEMENT, values)])
    return Accepted(f"slot-{outgoing.key}")


def _values(outgoing: Outgoing, days: int) -> dict[str, Any]:
    title, body, options = outgoing.subject.strip(), outgoing.text.strip(), outgoing.options
    if not title and not body:
        raise DeliveryError("nothing to say", permanent=True)
    days = int(options.get("days") or days)
    return {
        "id": new_id(),
        "key": outgoing.key,
        "message": outgoing.message_id,
        "title": title[:_LONGEST_TITLE],
        "body": body.replace("\0", ""),
        "link": str(options.get("link") or ""),
        "image": str(options.get("image") or ""),
        "button": str(options.get("button") or "")[:_LONGEST_BUTTON],
        "locale": outgoing.locale,
        "at": outgoing.at,
        "until": outgoing.at + timedelta(days=days),
    }


def _slot_of(values: dict[str, Any]) -> UUID:
    with raw_cursor() as cursor:
        found = cursor.execute(_SLOT, values).fetchone()
    if found is None:
        raise DeliveryError("there is no such slot, or it is switched off", permanent=True)
    slot_id: UUID = found[0]
    return slot_id


def _write(statements: list[tuple[str, dict[str, Any]]]) -> None:
    """All or nothing; what the database will not take was certainly not taken. What is no fault of the message, such as
    a lock or a lost connection, undoes the whole attempt instead, and is none."""
    try:
        with transaction.atomic(), raw_cursor() as cursor:
            for statement, values in statements:
                cursor.execute(statement, values)
    except (DatabaseError, psycopg.Error) as error:
        if is_passing(error):
            raise
        raise DeliveryError(type(error).__name__, blame=Blame.PROVIDER) from None
