"""Everything the database holds as text, and a search for what should not be in it, however it is written."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator

from django.db import connection

_TABLES = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 1
"""
_COLUMNS = """
    SELECT attname, atttypid::regtype::text FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [row[0] for row in cursor.fetchall()]


def lines(table: str) -> Iterator[bytes]:
    """Every row, all its columns; bytes as they are."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, [table])
        columns = cursor.fetchall()
        parts = ", ".join(f'"{name}"' if kind == "bytea" else f'"{name}"::text' for name, kind in columns)
        cursor.execute(f"SELECT {parts} FROM {table}")
        while rows := cursor.fetchmany(2_000):
            for row in rows:
                yield b"\x1f".join(
                    bytes(one) if isinstance(one, memoryview | bytes) else str(one).encode() for one in row
                )


def forms(marker: str) -> set[bytes]:
    """A marker of letters and digits, in small letters: plain, so also in URLs and JSON; in hexadecimal and Base64."""
    raw = marker.encode()
    found = {raw, raw.hex().encode()}
    for shift in range(3):
        # What stands before and after it changes the first and last letters of its Base64.
        encoded = b64encode(b"x" * shift + raw + b"x" * (3 - (shift + len(raw)) % 3))
        found.add(encoded[4 if shift else 0 : -4])
    return found


def hits(data: bytes, wanted: Iterable[bytes]) -> list[bytes]:
    lower = data.lower()
    return [one for one in wanted if one in lower or one in data]


def search(marker_stem: str) -> Counter[str]:
    """By table, how many rows hold the stem that all markers of those concerned begin with."""
    wanted = forms(marker_stem)
    found: Counter[str] = Counter()
    for table in tables():
        found[table] += sum(bool(hits(line, wanted)) for line in lines(table))
    return +found
