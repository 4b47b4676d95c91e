"""Who gets no test either: whoever said no to a brand or takes nothing, by any word of theirs on any profile."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from consent.models import State

# Of addresses: suppressed, or with a no of the brand by the address or by a person who has it, a word of theirs that
# waits to be applied, or processing restricted. What is not known yet counts as a no.
_SAID_NO: Final = """
    SELECT a.value, a.id FROM customers_address a
    WHERE a.channel = %(channel)s AND a.value = ANY(%(values)s) AND (
        EXISTS (
            SELECT 1 FROM consent_suppression s
            WHERE s.address_id = a.id AND s.lifted_at IS NULL AND (s.brand_id IS NULL OR s.brand_id = %(brand)s)
        ) OR EXISTS (
            SELECT 1 FROM consent_consenthead h JOIN consent_purpose u ON u.id = h.purpose_id
            WHERE u.brand_id = %(brand)s AND h.state = ANY(%(no)s) AND (
                h.address_id = a.id OR h.address_id IN (SELECT o.profile_id FROM {theirs} o)
            )
        ) OR EXISTS (
            SELECT 1 FROM {theirs} o
            WHERE EXISTS (SELECT 1 FROM consent_restriction r WHERE r.profile_id = o.profile_id AND r.lifted_at IS NULL)
               OR EXISTS (SELECT 1 FROM consent_queue q WHERE q.profile_id = o.profile_id)
        )
    )
"""
# All profiles of the customers who have the address.
_THEIRS: Final = """(
    SELECT every.id AS profile_id FROM customers_addressprofile x
    JOIN customers_profile one ON one.id = x.profile_id
    JOIN customers_profile every ON every.id = one.id OR every.customer_id = one.customer_id
    WHERE x.address_id = a.id
)"""


def said_no(cursor: Cursor[Any], values: Collection[str], channel: str, brand_id: UUID) -> set[str]:
    """Those of the addresses, as they are compared, to which no test goes."""
    cursor.execute(
        _SAID_NO.format(theirs=_THEIRS),
        {"channel": channel, "values": list(values), "brand": brand_id, "no": sorted(State.opposing())},
    )
    return {row[0] for row in cursor}


def known(cursor: Cursor[Any], value: str, channel: str) -> UUID | None:
    """The address's row, where somebody has it."""
    cursor.execute("SELECT id FROM customers_address WHERE channel = %s AND value = %s", [channel, value])
    row = cursor.fetchone()
    return None if row is None else row[0]
