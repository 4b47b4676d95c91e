"""STOP and START: done at once, under the address's lock, for everything that the brand sends there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from consent import suppression
from consent.keywords import Heard, Meaning
from consent.models import Method, Purpose, Suppression
from consent.withdrawing import Withdrawal, withdraw


def obey(cursor: Cursor[Any], heard: Heard, address_id: UUID, brand_id: UUID, at: datetime, now: datetime) -> None:
    """STOP keeps every message of the brand from the address, and withdraws what was agreed to there. START lifts the
    first of the two only, and only what was said before it: who wants the news again agrees to it anew. The caller
    holds the address."""
    if heard.meaning is Meaning.START:
        suppression.lift(cursor, address_id, Suppression.Reason.STOP, at, now, brand_id=brand_id)
    if heard.meaning is not Meaning.STOP:
        return
    suppression.add(cursor, {(address_id, brand_id, Suppression.Reason.STOP)}, at)
    purposes = Purpose.objects.filter(brand=brand_id, kind=Purpose.Kind.MARKETING).values_list("pk", flat=True)
    withdraw([_withdrawal(address_id, brand_id, purpose, heard.language) for purpose in purposes.order_by("pk")], now)


def _withdrawal(address_id: UUID, brand_id: UUID, purpose_id: UUID, language: str) -> Withdrawal:
    return Withdrawal(
        address_id=address_id,
        brand_id=brand_id,
        purpose_id=purpose_id,
        method=Method.KEYWORD,
        language=language,
        evidence={"said": "STOP"},
    )
