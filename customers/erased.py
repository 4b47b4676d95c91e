"""Who was erased stays erased: a keyed hash of every erased identifier turns away what occurred before.

What occurred later begins a new person with no history and no marketing permission (DESIGN §3, Erasure).
"""

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from psycopg import Cursor

_ANY: Final = "SELECT EXISTS (SELECT 1 FROM customers_erasedsubject)"
_FIND: Final = "SELECT digest, erased_at FROM customers_erasedsubject WHERE digest = ANY(%b)"
_COUNT: Final = """
    UPDATE customers_erasedsubject e SET dropped = dropped + u.n
    FROM unnest(%b::bytea[], %b::bigint[]) AS u(digest, n) WHERE e.digest = u.digest
"""

# (namespace, kind, value)
Name = tuple[UUID, str, str]


def digest(namespace: UUID, kind: str, value: str) -> bytes:
    """Tells nobody who it was without the installation's key."""
    text = "\x1f".join((str(namespace), kind, value)).encode()
    return hmac.digest(settings.ERASURE_KEY, text, sha256)


def any_known(cursor: Cursor[Any]) -> bool:
    row = cursor.execute(_ANY, prepare=True).fetchone()
    return bool(row and row[0])


def times(cursor: Cursor[Any], names: Iterable[Name]) -> Mapping[Name, datetime]:
    """When those of these who were erased were erased; ask first whether anybody was."""
    by_digest = {digest(*name): name for name in names}
    rows = cursor.execute(_FIND, [list(by_digest)]).fetchall()
    return {by_digest[bytes(found)]: erased_at for found, erased_at in rows}


def count(cursor: Cursor[Any], names: Iterable[Name]) -> None:
    """Count one more dropped event for each."""
    dropped: dict[bytes, int] = {}
    for name in names:
        key = digest(*name)
        dropped[key] = dropped.get(key, 0) + 1
    if dropped:
        ordered = sorted(dropped)
        cursor.execute(_COUNT, [ordered, [dropped[key] for key in ordered]])
