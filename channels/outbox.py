"""The outbox's two doors for those who decide: write messages, and cancel what was not sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import orjson
from psycopg import Cursor
from psycopg.types.json import Jsonb

from channels.dispatch.claim import MAY_BE_TAKEN
from channels.models.message import USUAL_PRIORITY
from channels.providers.base import certain_keys
from customers.ids import new_id
from customers.pg import copy_rows


@dataclass(slots=True)
class NewMessage:
    """A message asked for: queued and due at `due_at`, or refused at once (no address, no consent) and then
    with its final `state`, `reason` and `settled_at`."""

    brand_id: UUID
    origin_kind: str
    origin_id: str
    visit: int
    copy_key: str
    scope_id: UUID
    channel: str
    connector_id: UUID
    template_version_id: int
    purpose_id: UUID
    profile_id: UUID
    address_id: UUID | None
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    # What its words are made of; None where `write_messages` is told where they lie.
    context: dict[str, Any] | None = None
    entry_consent_id: int | None = None
    state: str = "queued"
    reason: str = ""
    detail: str = ""
    settled_at: datetime | None = None
    # Why this address, of how many that were known for the channel.
    address_verified_at: datetime | None = None
    address_seen_at: datetime | None = None
    addresses_known: int | None = None
    priority: int = USUAL_PRIORITY
    id: UUID = field(default_factory=new_id)


_COLUMNS = (
    ("id", "uuid"),
    ("brand_id", "uuid"),
    ("origin_kind", "varchar"),
    ("origin_id", "varchar"),
    ("visit", "int4"),
    ("copy_key", "varchar"),
    ("scope_id", "uuid"),
    ("channel", "varchar"),
    ("connector_id", "uuid"),
    ("template_version_id", "int8"),
    ("purpose_id", "uuid"),
    ("profile_id", "uuid"),
    ("address_id", "uuid"),
    ("created_at", "timestamptz"),
    ("due_at", "timestamptz"),
    ("expires_at", "timestamptz"),
    ("entry_consent_id", "int8"),
    ("state", "varchar"),
    ("reason", "varchar"),
    ("detail", "varchar"),
    ("settled_at", "timestamptz"),
    ("address_verified_at", "timestamptz"),
    ("address_seen_at", "timestamptz"),
    ("addresses_known", "int2"),
    ("priority", "int2"),
)
_values = attrgetter(*(name for name, _type in _COLUMNS))
# What a new message has not yet: raw COPY knows no defaults of the model.
_UNSENT_COLUMNS = (("attempts", "int2"), ("crashes", "int2"), ("provider_id", "varchar"))
_UNSENT = (0, 0, "")
_CONTENTS = """
    INSERT INTO channels_messagecontent (message_id, context, journey, subject, body)
    SELECT known.message_id, known.context, known.journey, '', ''
    FROM ({query}) AS known(message_id, context, journey)
"""
_CONTENT_COLUMNS = (("message_id", "uuid"), ("context", "jsonb"), ("subject", "text"), ("body", "text"))
# What is set of a message `m` that is taken back, `l` telling whether a provider may have it.
TAKEN_BACK: Final = """
    settled_at = %(now)s, lease_token = NULL, leased_until = NULL,
    state = CASE WHEN l.may_be_taken THEN 'unknown' ELSE 'cancelled' END,
    reason = CASE WHEN l.may_be_taken THEN 'interrupted' ELSE %(reason)s END
"""
_TAKE_BACK: Final = f"""
    WITH left_over AS (
        SELECT m.id, c.provider <> ALL(%(certain)s) AND {MAY_BE_TAKEN} AS may_be_taken
        FROM channels_message m JOIN channels_connector c ON c.id = m.connector_id
        WHERE {{whose}} AND m.state IN ('queued', 'held', 'leased') ORDER BY m.id FOR UPDATE OF m
    )
    UPDATE channels_message m SET {TAKEN_BACK} FROM left_over l WHERE m.id = l.id RETURNING m.state
"""


@dataclass(frozen=True, slots=True)
class Contexts:
    """Contexts that lie in the database already: a query for (message_id, context, journey) and its parameters; the
    last are typed variables, null where there are none."""

    query: str
    parameters: Sequence[Any]


def write_messages(cursor: Cursor[Any], messages: Sequence[NewMessage], contexts: Contexts | None = None) -> None:
    """Write them within the caller's transaction; the same visit twice is a unique violation."""
    if not messages:
        return
    rows = (_values(message) + _UNSENT for message in messages)
    copy_rows(cursor, "channels_message", _COLUMNS + _UNSENT_COLUMNS, rows)
    if contexts is None:
        contents = ((message.id, Jsonb(message.context, orjson.dumps), "", "") for message in messages)
        copy_rows(cursor, "channels_messagecontent", _CONTENT_COLUMNS, contents)
    else:
        cursor.execute(_CONTENTS.format(query=contexts.query), contexts.parameters, prepare=True)


def cancel_unsent(cursor: Cursor[Any], origin_kind: str, origin_ids: Sequence[str], reason: str, now: datetime) -> int:
    """Cancel what was not yet being sent; what is just being sent is left to the guard and its own result."""
    whose = "m.origin_kind = %(kind)s AND m.origin_id = ANY(%(origins)s)"
    return take_back(cursor, whose, {"kind": origin_kind, "origins": list(origin_ids)}, reason, now)


def take_back(cursor: Cursor[Any], whose: str, values: Mapping[str, Any], reason: str, now: datetime) -> int:
    """Cancel what waits of the messages `m` that `whose` asks for; return how many it were.

    Leased ones too: their worker finds the lease gone and passes on. What a provider may have from an earlier call
    becomes unknown, and is not counted.
    """
    told = {**values, "reason": reason, "now": now, "certain": certain_keys()}
    cursor.execute(_TAKE_BACK.format(whose=whose), told)
    return sum(state == "cancelled" for (state,) in cursor)


def restore_cancelled(
    cursor: Cursor[Any], origin_kind: str, origin_ids: Sequence[str], reason: str, now: datetime
) -> int:
    """Queue again what was cancelled for `reason` and never handed over, if there is still time for it."""
    cursor.execute(
        "UPDATE channels_message SET state = 'queued', reason = '', settled_at = NULL WHERE id IN ("
        " SELECT id FROM channels_message WHERE origin_kind = %s AND origin_id = ANY(%s)"
        " AND state = 'cancelled' AND reason = %s AND expires_at > %s ORDER BY id FOR UPDATE)",
        [origin_kind, list(origin_ids), reason, now],
    )
    return cursor.rowcount
