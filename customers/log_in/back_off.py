"""Whoever guesses waits ever longer, by account and by network address.

An attempt is counted before it is judged, in one statement, so that many at once are no more than that many.
"""

import hmac
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from django.conf import settings
from django.db import connection

_FORGOTTEN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures cost nothing; then each doubles the wait, up to the longest."""

    free: int
    first: timedelta = timedelta(seconds=15)
    longest: timedelta = timedelta(minutes=15)


ACCOUNT: Final = Limit(free=5)
# An office of many people may share one address.
ADDRESS: Final = Limit(free=50)
CODE: Final = Limit(free=5)

# The wait begins in the statement that counts, so that nobody slips in between.
_COUNT = """
    INSERT INTO customers_loginbackoff AS b (digest, failures, last_at, blocked_until)
    VALUES (%(digest)s, 1, %(now)s, NULL)
    ON CONFLICT (digest) DO UPDATE SET
        failures = CASE WHEN b.last_at < %(now)s - %(forgotten)s THEN 1 ELSE b.failures + 1 END,
        last_at = %(now)s,
        blocked_until = CASE
            WHEN b.last_at >= %(now)s - %(forgotten)s AND b.failures + 1 >= %(free)s
            THEN %(now)s + least(%(first)s * power(2, least(b.failures + 1 - %(free)s, 20)), %(longest)s)
        END
      WHERE b.blocked_until IS NULL OR b.blocked_until <= %(now)s
    RETURNING failures
"""
_FORGIVE = """
    UPDATE customers_loginbackoff SET failures = greatest(failures - 1, 0), blocked_until = NULL WHERE digest = %s
"""
_PRUNE = "DELETE FROM customers_loginbackoff WHERE last_at < %s"

Key = tuple[str, str, Limit]


def account(name: str) -> Key:
    """Existing or not: names are counted alike."""
    return "account", name.casefold(), ACCOUNT


def address(text: str) -> Key:
    return "address", text, ADDRESS


def code(user_id: int) -> Key:
    return "code", str(user_id), CODE


def begin(keys: Iterable[Key], now: datetime) -> bool:
    """Count an attempt for each key that need not wait; False if any has to."""
    counted = [_counted(_digest(kind, value), limit, now) for kind, value, limit in keys]
    return all(counted)


def _counted(digest: bytes, limit: Limit, now: datetime) -> bool:
    values: dict[str, Any] = {"digest": digest, "now": now, "forgotten": _FORGOTTEN} | asdict(limit)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        return cursor.fetchone() is not None


def succeeded(own: Key, shared: Iterable[Key], now: datetime) -> None:
    """Forget the failures of what is one's own; of what is shared, take back the one attempt."""
    forget([own])
    with connection.cursor() as cursor:
        for kind, value, _limit in shared:
            cursor.execute(_FORGIVE, [_digest(kind, value)])
        cursor.execute(_PRUNE, [now - 2 * _FORGOTTEN])


def forget(keys: Iterable[Key]) -> None:
    """Nobody need wait on account of what was before."""
    with connection.cursor() as cursor:
        for kind, value, _limit in keys:
            cursor.execute("DELETE FROM customers_loginbackoff WHERE digest = %s", [_digest(kind, value)])


def _digest(kind: str, value: str) -> bytes:
    """Names that were typed may be passwords typed into the wrong field: nothing readable is kept."""
    return hmac.digest(settings.SECRET_KEY.encode(), f"back-off:{kind}:{value}".encode(errors="replace"), sha256)
