"""Consents that are about to expire, or have: told as internal events, so that a journey can ask again in time."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from psycopg import Cursor

from consent.models import State
from customers import awaited, bells, internal
from customers.internal import Internal
from customers.pg import raw_cursor

EXPIRING: Final = "consent.expiring"
EXPIRED: Final = "consent.expired"
_STEPS: Final = {EXPIRING: 1, EXPIRED: 2}
# Of what expired before somebody waited for it, nobody is told later than so.
_LATE: Final = timedelta(days=1)
_BATCH: Final = 1000

# Rows that somebody is just changing are passed over: they will have moved, or come next time.
_TAKE = """
    WITH due AS (
        SELECT id FROM consent_consenthead
        WHERE valid_until > %b AND valid_until <= %b AND told < %b AND state = ANY(%b)
        ORDER BY valid_until LIMIT %b FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE consent_consenthead h SET told = %b FROM due WHERE h.id = due.id
        RETURNING h.entry_id, h.address_id, h.profile_id, h.purpose_id, h.valid_until
    )
    SELECT t.entry_id, t.profile_id, t.valid_until, p.brand_id, p.key, a.channel, ARRAY(
        SELECT s.profile_id FROM customers_addressprofile s WHERE t.profile_id IS NULL AND s.address_id = t.address_id
    )
    FROM taken t JOIN consent_purpose p ON p.id = t.purpose_id JOIN customers_address a ON a.id = t.address_id
    ORDER BY t.entry_id
"""


def tell(now: datetime) -> int:
    """Tell of every consent that has come so far, in batches; return how many heads were told of.

    What nobody waits for is not looked at: whoever comes to wait is told of all that are about to expire then.
    """
    days = timedelta(days=settings.TRILHA_EXPIRING_DAYS)
    return _tell_all(EXPIRING, now, now + days, now) + _tell_all(EXPIRED, now - _LATE, now, now)


def _tell_all(name: str, after: datetime, until: datetime, now: datetime) -> int:
    total = 0
    while told := _tell(name, after, until, now):
        total += told
        if told < _BATCH:
            break
    return total


def _tell(name: str, after: datetime, until: datetime, now: datetime) -> int:
    with transaction.atomic(), raw_cursor() as cursor:
        names = awaited.names_under_lock()
        if name not in names:
            return 0
        rows = _take(cursor, name, after, until)
        internal.tell(cursor, [one for row in rows for one in _happened(name, row)], names, now)
    if rows:
        bells.ring("engine")
    return len(rows)


def _take(cursor: Cursor[Any], name: str, after: datetime, until: datetime) -> list[tuple[Any, ...]]:
    step = _STEPS[name]
    cursor.execute(_TAKE, [after, until, step, sorted(State.permitting()), _BATCH, step])
    return cursor.fetchall()


def _happened(name: str, row: tuple[Any, ...]) -> list[Internal]:
    """One event for the profile that consented; for whoever uses the address, where it bound the address as such."""
    entry_id, profile_id, valid_until, brand_id, purpose, channel, users = row
    said = {"purpose": purpose, "channel": channel, "valid_until": valid_until.isoformat(), "entry": entry_id}
    profiles: list[UUID] = [profile_id] if profile_id is not None else sorted(users)
    return [Internal(name, one, f"{name}:{entry_id}:{one}", said, brand_id=brand_id) for one in profiles]
