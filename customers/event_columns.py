"""The columns, with their types, that whoever writes events beside the inbox copies in."""

from typing import Final

EVENT: Final = (
    ("id", "int8"),
    ("received_at", "timestamptz"),
    ("occurred_at", "timestamptz"),
    ("brand_id", "uuid"),
    ("source_id", "uuid"),
    ("profile_id", "uuid"),
    ("kind", "varchar"),
    ("name", "varchar"),
    ("message_id", "varchar"),
    ("historical", "bool"),
)
PAYLOAD: Final = (("event_id", "int8"), ("received_at", "timestamptz"), ("payload", "jsonb"))
MATCH: Final = (
    ("event_id", "int8"),
    ("received_at", "timestamptz"),
    ("occurred_at", "timestamptz"),
    ("profile_id", "uuid"),
    ("brand_id", "uuid"),
    ("name", "varchar"),
    ("message_id", "varchar"),
)
