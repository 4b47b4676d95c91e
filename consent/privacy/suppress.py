"""Addresses of the erased stay suppressed."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction

from consent.permission import lock_address
from customers.privacy.subject import Subject

_ADD: Final = """
    INSERT INTO consent_suppression (address_id, brand_id, reason, created_at)
    SELECT a.id, NULL, 'erasure', %s FROM customers_address a WHERE a.id = %s AND a.channel <> 'person'
    ON CONFLICT DO NOTHING
"""


def suppress(subject: Subject, now: datetime) -> int:
    """Nothing is sent to what was theirs alone; waits for a send in hand. How many addresses it were."""
    count = 0
    for address in subject.addresses:
        with transaction.atomic(), connection.cursor() as cursor:
            lock_address(address)
            cursor.execute(_ADD, [now, address])
            count += int(cursor.rowcount)
    return count
