"""How much may wait: more than that is refused at the doors, before any of it is taken.

What has been accepted is never dropped again, so the only honest moment to say that it is too much is before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from customers.accept.refusal import TooMuch

# How long a process believes what it read: so much longer than its limit the inbox may get.
BELIEVED_FOR = timedelta(seconds=1)
RETRY_AFTER_SECONDS = 5
# Ids are given in turn and taken from the front: rows are counted only where the ids lie far enough apart, which they
# also do when a single old row is left behind.
_SPAN = "SELECT coalesce(max(id) - min(id) + 1, 0) FROM customers_inbox"
_IS_LONGER = "SELECT count(*) > %s FROM (SELECT 1 FROM customers_inbox LIMIT %s) AS part"
_BODIES_WAIT = (
    "SELECT count(*) > %s FROM (SELECT 1 FROM customers_receivedbody WHERE status = 'waiting' LIMIT %s) AS part"
)


@dataclass(slots=True)
class _Seen:
    """What was read last of one place where work waits."""

    is_longer_than: Callable[[int], bool]
    at: datetime | None = None
    is_long: bool = False


def refuse_overload(now: datetime) -> None:
    """Raise TooMuch while more messages wait to be worked on than the settings allow."""
    _refuse(_inbox, now)


def refuse_bodies_overload(now: datetime) -> None:
    """The same of bodies that wait to be interpreted, which are in no inbox yet: only their own door is closed."""
    _refuse(_bodies, now)


def _refuse(seen: _Seen, now: datetime) -> None:
    limit = settings.INBOX_LIMIT
    if not limit:
        return
    if seen.at is None or not timedelta(0) <= now - seen.at < BELIEVED_FOR:
        seen.is_long = seen.is_longer_than(limit)
        seen.at = now
    if seen.is_long:
        raise TooMuch(
            RETRY_AFTER_SECONDS,
            "overloaded",
            "More waits to be worked on than there may; nothing of this was taken.",
            f"Send the same again after {RETRY_AFTER_SECONDS} s, and with growing pauses.",
        )


def forget() -> None:
    """Believe nothing any more."""
    _inbox.at = _bodies.at = None


def _is_inbox_longer_than(limit: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_SPAN)
        if cursor.fetchone()[0] <= limit:
            return False
        cursor.execute(_IS_LONGER, [limit, limit + 1])
        return bool(cursor.fetchone()[0])


def _are_bodies_more_than(limit: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_BODIES_WAIT, [limit, limit + 1])
        return bool(cursor.fetchone()[0])


_inbox, _bodies = _Seen(_is_inbox_longer_than), _Seen(_are_bodies_more_than)
