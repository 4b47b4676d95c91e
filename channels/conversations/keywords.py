"""STOP and START: done at once, under the address's lock, for everything that the brand sends there."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from channels.receipts.consequences import suppress
from consent.keywords import Meaning
from consent.models import Method, Purpose, Suppression
from consent.permission import lock_address
from consent.withdrawing import Withdrawal, withdraw

_LIFT: Final = """
    UPDATE consent_suppression SET lifted_at = %s
    WHERE address_id = %s AND brand_id = %s AND reason = 'stop' AND lifted_at IS NULL
"""


def obey(cursor: Cursor[Any], meaning: Meaning, address_id: UUID, brand_id: UUID, language: str, now: datetime) -> None:
    """STOP keeps every message of the brand from the address, and withdraws what was agreed to there. START lifts the
    first of the two only: who wants the news again agrees to it anew."""
    if meaning is Meaning.HELP:
        return
    lock_address(address_id)
    if meaning is Meaning.START:
        cursor.execute(_LIFT, [now, address_id, brand_id])
        return
    suppress(cursor, {(address_id, brand_id, Suppression.Reason.STOP)}, now)
    purposes = Purpose.objects.filter(brand=brand_id, kind=Purpose.Kind.MARKETING).values_list("pk", flat=True)
    withdraw([_withdrawal(address_id, brand_id, purpose, language) for purpose in purposes.order_by("pk")], now)


def _withdrawal(address_id: UUID, brand_id: UUID, purpose_id: UUID, language: str) -> Withdrawal:
    return Withdrawal(
        address_id=address_id,
        brand_id=brand_id,
        purpose_id=purpose_id,
        method=Method.KEYWORD,
        language=language,
        evidence={"said": "STOP"},
    )
