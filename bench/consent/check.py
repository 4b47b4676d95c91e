"""`consent.check`: a thousand permissions at a time, against looking up their heads and suppressions and no more."""

import random
import time
from typing import Any
from uuid import UUID

from psycopg import Connection

from bench.journey import T0
from bench.people import key
from consent.models import Purpose
from consent.permission import Ask, permissions

ASKS = 1_000
_CALLS = 40
_SUPPRESSED = f"""
    INSERT INTO consent_suppression (address_id, reason, created_at)
    SELECT {key(2)}, 'bounce', %s FROM generate_series(1, %s, 50) n
"""
_PEOPLE = f"SELECT {key(0)}, {key(2)} FROM generate_series(1, %s) n"
_HEADS = """
    SELECT h.address_id, h.profile_id, h.state, h.effective_at, h.valid_until, h.proven_at
    FROM unnest(%b::uuid[], %b::uuid[]) AS u(address_id, purpose_id)
    JOIN consent_consenthead h ON h.address_id = u.address_id AND h.purpose_id = u.purpose_id
"""
_SUPPRESSIONS = """
    SELECT s.address_id, s.brand_id FROM unnest(%b::uuid[]) AS u(address_id)
    JOIN consent_suppression s ON s.address_id = u.address_id AND s.lifted_at IS NULL
"""


class Check:
    """Both ask the same of the same people, in an order of its own each time."""

    def __init__(self, connection: "Connection[Any]", people: int) -> None:
        self._connection = connection
        connection.execute(_SUPPRESSED.encode(), [T0, people])
        connection.execute("ANALYZE consent_suppression")
        self._purpose: UUID = Purpose.objects.get(key="news").pk
        self._people = connection.execute(_PEOPLE.encode(), [people]).fetchall()
        self._chance = random.Random(7)

    def permissions(self) -> float:
        batches = [[Ask(customer, address, self._purpose) for customer, address in some] for some in self._some()]
        began = time.perf_counter()
        for asks in batches:
            verdicts = permissions(asks, T0)
            if not any(one.allowed for one in verdicts):
                raise RuntimeError("nobody may be written to")
        return _CALLS * ASKS / (time.perf_counter() - began)

    def look_ups(self) -> float:
        batches = [[address for _customer, address in some] for some in self._some()]
        purposes = [self._purpose] * ASKS
        began = time.perf_counter()
        with self._connection.cursor(binary=True) as cursor:
            for addresses in batches:
                cursor.execute(_HEADS, [addresses, purposes]).fetchall()
                cursor.execute(_SUPPRESSIONS, [addresses]).fetchall()
        return _CALLS * ASKS / (time.perf_counter() - began)

    def _some(self) -> list[list[tuple[UUID, UUID]]]:
        return [self._chance.sample(self._people, ASKS) for _call in range(_CALLS)]
