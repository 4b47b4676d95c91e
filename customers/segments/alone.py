"""One change of rules at a time in a brand: two set at once might lead to one another, and neither see it."""

from uuid import UUID

from django.db import connection

from customers.ids import hash64


def one_at_a_time(brand_id: UUID) -> None:
    """Until the transaction's end. Taken before any segment's row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [hash64("segment rules", str(brand_id))])
