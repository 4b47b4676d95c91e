"""Who was erased stays erased: a keyed hash of every erased identifier turns away what occurred before.

What occurred later begins a new person with no history and no marketing permission (DESIGN §3, Erasure).
"""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from psycopg import Cursor

_ANY: Final = "SELECT EXISTS (SELECT 1 FROM customers_erasedsubject)"
_FIND: Final = "SELECT digest, erased_at FROM customers_erasedsubject WHERE digest = ANY(%b)"
_FIND_ADDRESSES: Final = "SELECT digest, erased_at FROM customers_erasedaddress WHERE digest = ANY(%b)"
_COUNT: Final = """
    UPDATE customers_erasedsubject e SET dropped = dropped + u.n
    FROM unnest(%b::bytea[], %b::bigint[]) AS u(digest, n) WHERE e.digest = u.digest
"""

_RECORD: Final = """
    INSERT INTO customers_erasedsubject AS e (digest, erased_at, dropped)
    SELECT u.digest, %b, 0 FROM unnest(%b::bytea[]) AS u(digest)
    ON CONFLICT (digest) DO UPDATE SET erased_at = greatest(e.erased_at, excluded.erased_at)
"""
_RECORD_ADDRESSES: Final = """
    INSERT INTO customers_erasedaddress AS e (digest, address_id, erased_at)
    SELECT u.digest, u.address_id, %b FROM unnest(%b::bytea[], %b::uuid[]) AS u(digest, address_id)
    ON CONFLICT (digest) DO UPDATE SET address_id = coalesce(excluded.address_id, e.address_id),
        erased_at = greatest(e.erased_at, excluded.erased_at)
"""
_ANY_ADDRESS: Final = "SELECT EXISTS (SELECT 1 FROM customers_erasedaddress)"
_GONE: Final = """
    SELECT digest, address_id FROM customers_erasedaddress WHERE digest = ANY(%b) AND address_id IS NOT NULL
"""

# (namespace, kind, value)
Name = tuple[UUID, str, str]
# A row of addresses: its id, channel and value.
Reached = tuple[UUID, str, str]
# Told of new rows of erased addresses, each with the row that was erased.
OnReturn = Callable[[Cursor[Any], Mapping[UUID, UUID]], None]

_on_return: list[OnReturn] = []


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


def address_times(cursor: Cursor[Any], channels: Mapping[Name, Sequence[str]]) -> Mapping[Name, datetime]:
    """When those of these names that are addresses by one of their channels were erased as such."""
    by_digest = {address_digest(one, name[2]): name for name, held in channels.items() for one in held}
    rows = cursor.execute(_FIND_ADDRESSES, [list(by_digest)]).fetchall() if by_digest else []
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


def address_digest(channel: str, value: str) -> bytes:
    text = "\x1f".join(("address", channel, value)).encode()
    return hmac.digest(settings.ERASURE_KEY, text, sha256)


def veil(text: str) -> str:
    """Stands for a text that names somebody where it could not be taken out again; the same for the same text."""
    digest_of_it = hmac.digest(settings.ERASURE_KEY, f"veil\x1f{text}".encode(), sha256)
    return f"veiled-{digest_of_it.hex()[:32]}"


def record(cursor: Cursor[Any], digests: Iterable[bytes], at: datetime) -> None:
    """Whoever these name was erased `at` that time."""
    cursor.execute(_RECORD, [at, sorted(set(digests))])


def record_addresses(cursor: Cursor[Any], rows: Mapping[bytes, UUID | None], at: datetime) -> None:
    """These addresses were erased, from these rows where it is known."""
    ordered = sorted(rows)
    cursor.execute(_RECORD_ADDRESSES, [at, ordered, [rows[one] for one in ordered]])


def on_return(told: OnReturn) -> None:
    """Have `told` called with new rows of erased addresses, in the transaction that makes them."""
    if told not in _on_return:
        _on_return.append(told)


def note_new(cursor: Cursor[Any], made: Sequence[Reached]) -> None:
    """Addresses that have just been made: what stood against an erased one stands against it again."""
    if not made:
        return
    row = cursor.execute(_ANY_ADDRESS, prepare=True).fetchone()
    if not (row and row[0]):
        return
    by_digest = {address_digest(channel, value): id_ for id_, channel, value in made}
    rows = cursor.execute(_GONE, [list(by_digest)]).fetchall()
    fresh = {by_digest[bytes(digest)]: gone for digest, gone in rows if by_digest[bytes(digest)] != gone}
    if fresh:
        for told in _on_return:
            told(cursor, fresh)
