"""Answers that are good for a while, in the database for all workers; each is fetched by one of them at a time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from customers.pg import raw_cursor

# Longer than a fetch may take: then whoever was at it is taken for dead.
_FETCHING: Final = timedelta(seconds=10)
_STAYS: Final = timedelta(minutes=10)
_AT_ONCE: Final = 5_000

_CLAIM: Final = """
    INSERT INTO channels_pulledcopy AS c (key, is_personal, expires_at, fetching_until)
    SELECT a.key, a.is_personal, %(now)s, %(until)s
    FROM unnest(%(keys)s::uuid[], %(personal)s::boolean[]) AS a (key, is_personal) ORDER BY a.key
    ON CONFLICT (key) DO UPDATE SET fetching_until = excluded.fetching_until
        WHERE c.expires_at <= %(now)s AND (c.fetching_until IS NULL OR c.fetching_until <= %(now)s)
    RETURNING c.key
"""
_KEEP: Final = """
    UPDATE channels_pulledcopy c SET body = k.body, fetched_at = %(now)s, fetching_until = NULL,
        expires_at = %(now)s + make_interval(secs => k.seconds)
    FROM unnest(%(keys)s::uuid[], %(bodies)s::jsonb[], %(seconds)s::int[]) AS k (key, body, seconds)
    WHERE c.key = k.key
"""
_PRUNE: Final = """
    DELETE FROM channels_pulledcopy WHERE key IN (
        SELECT key FROM channels_pulledcopy
        WHERE expires_at < %(before)s AND (fetching_until IS NULL OR fetching_until < %(before)s)
        ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
"""


def key_of(brand_id: UUID, url: str) -> UUID:
    """One brand's answers are not another's: they are asked by different secrets."""
    return uuid5(brand_id, url)


def read(keys: Sequence[UUID], now: datetime) -> dict[UUID, Any]:
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT key, body FROM channels_pulledcopy"
            " WHERE key = ANY(%s) AND body IS NOT NULL AND fetched_at IS NOT NULL AND expires_at > %s",
            [list(keys), now],
        )
        return dict(cursor.fetchall())


def claim(asked: Mapping[UUID, bool], now: datetime) -> set[UUID]:
    """Of these keys, each with whether it is by values of a person, those that are ours to fetch."""
    keys = sorted(asked)
    values = {"keys": keys, "personal": [asked[key] for key in keys], "now": now, "until": now + _FETCHING}
    with raw_cursor() as cursor:
        cursor.execute(_CLAIM, values)
        return {row[0] for row in cursor.fetchall()}


def is_any_fetched(keys: Sequence[UUID], now: datetime) -> bool:
    """Whether somebody is at one of them."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM channels_pulledcopy WHERE key = ANY(%s) AND fetching_until > %s)",
            [list(keys), now],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def keep(found: Mapping[UUID, tuple[Any, int]], now: datetime) -> None:
    """Each with for how many seconds it is good."""
    keys = sorted(found)
    bodies, seconds = [Jsonb(found[key][0]) for key in keys], [found[key][1] for key in keys]
    with raw_cursor() as cursor:
        cursor.execute(_KEEP, {"keys": keys, "bodies": bodies, "seconds": seconds, "now": now})


def let_go(keys: Iterable[UUID]) -> None:
    """There was no answer: the next who wants it may ask."""
    with raw_cursor() as cursor:
        cursor.execute("UPDATE channels_pulledcopy SET fetching_until = NULL WHERE key = ANY(%s)", [sorted(keys)])


def prune(now: datetime) -> int:
    with raw_cursor() as cursor:
        cursor.execute(_PRUNE, {"before": now - _STAYS, "limit": _AT_ONCE})
        return int(cursor.rowcount)
