"""The one statement that makes accepted messages durable and knows repetitions from all senders."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import orjson
from django.db import connection

from customers.accept.message import Message
from customers.accept.refused import COUNTED, KEPT, RefusedItem, as_rows
from customers.pg import raw_cursor

# Keys are taken in the order of their value, so that two senders of the same messages never wait for each
# other in a circle; the inbox is filled in the order of sending, which is the order of its ids.
_STORE = f"""
WITH item AS MATERIALIZED (
    SELECT * FROM ROWS FROM (json_to_recordset(%s::json) AS (
        key uuid, fingerprint uuid, message_id text, kind text, name text, occurred_at timestamptz,
        schema_version_id bigint, identifiers text, identifier_keys bigint[], payload text,
        historical boolean, time_source smallint, assurance smallint, unplanned boolean
    )) WITH ORDINALITY AS i (
        key, fingerprint, message_id, kind, name, occurred_at,
        schema_version_id, identifiers, identifier_keys, payload, historical, time_source, assurance,
        unplanned, place
    )
), fresh AS (
    INSERT INTO customers_messagekey (key, fingerprint, received_at)
    SELECT key, fingerprint, %s::timestamptz FROM item ORDER BY key
    ON CONFLICT DO NOTHING RETURNING key
), kept AS (
    INSERT INTO customers_inbox (
        received_at, source_id, message_id, kind, name, occurred_at, schema_version_id,
        historical, time_source, assurance, unplanned, identifiers, identifier_keys, payload
    )
    SELECT %s::timestamptz, %s::uuid, message_id, kind, name, occurred_at, schema_version_id,
           historical, time_source, assurance, unplanned, identifiers, identifier_keys, payload
    FROM item JOIN fresh USING (key) ORDER BY place
), counted AS (
    INSERT INTO customers_tally (source_id, at, outcome, code, name, count)
    SELECT %s::uuid, %s::timestamptz, 'accepted', '', name, count(*) FROM item JOIN fresh USING (key) GROUP BY name
), refused AS ({KEPT}), refusals AS ({COUNTED})
SELECT coalesce(array_agg(key), '{{}}') FROM fresh HAVING count(*) < %s
"""
# A statement of its own: what another sender committed while ours waited is in no snapshot before.
_FINGERPRINTS = "SELECT key, fingerprint FROM customers_messagekey WHERE key = ANY(%s::text[]::uuid[])"


def store(messages: Collection[Message], refused: Sequence[RefusedItem], source_id: UUID, now: datetime) -> set[str]:
    """Write the messages that are new and all that was refused; return the keys of the new ones."""
    rows = orjson.dumps(list(messages)).decode()
    values = (rows, now, now, source_id, source_id, now, now, source_id, as_rows(refused), len(messages))
    with connection.wrap_database_errors, raw_cursor() as cursor:
        row = cursor.execute(_STORE, values, prepare=True).fetchone()
    # The usual answer is no row at all: everything was new.
    return {message.key for message in messages} if row is None else {key.hex for key in row[0]}


def fingerprints(keys: Sequence[str]) -> dict[str, str]:
    """What was first accepted under each of these keys."""
    with connection.wrap_database_errors, raw_cursor() as cursor:
        rows = cursor.execute(_FINGERPRINTS, (list(keys),)).fetchall()
    return {key.hex: fingerprint.hex for key, fingerprint in rows}
