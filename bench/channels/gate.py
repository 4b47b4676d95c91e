"""`channels.gate`: consent, a cap and quiet hours for a thousand sends at a time, against one statement that counts,
compares and knows nothing of merges, purposes, brands, versions or clocks that are moved."""

import random
import time as clock
from datetime import time, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

from bench.database import empty
from bench.journey import T0
from bench.people import key
from channels.models import Connector, PacingPolicy, TemplateVersion
from channels.pacing import policies
from channels.pacing.gate import Sending, gate
from consent.models import Purpose

SENDS = 1_000
_CALLS = 40
_MOST, _DAYS = 3, 7
# Each had three messages in the last month, by the two profiles they have.
_MESSAGES = f"""
    INSERT INTO channels_message (
        id, brand_id, origin_kind, origin_id, visit, copy_key, scope_id, channel, connector_id, template_version_id,
        purpose_id, profile_id, address_id, state, reason, detail, created_at, due_at, expires_at, attempts, crashes,
        settled_at, provider_id
    )
    SELECT gen_random_uuid(), %(brand)s, 'broadcast', 'b' || k, 1, 'bench:' || k, %(brand)s, 'email', %(connector)s,
        %(version)s, %(purpose)s, CASE k WHEN 1 THEN {key(0)} ELSE {key(1)} END, {key(2)}, 'sent', '', '', at, at,
        at + interval '1 day', 1, 0, at, ''
    FROM generate_series(1, %(people)s) n, generate_series(1, 3) k,
        LATERAL (SELECT %(now)s::timestamptz - (n * 7 + k * 11) %% 30 * interval '1 day' - interval '1 minute') t(at)
"""
_PEOPLE = f"SELECT {key(0)}, {key(2)} FROM generate_series(1, %s) n"
_BARE = """
    SELECT h.state = 'given', (
        SELECT count(*) FROM customers_profile p JOIN channels_message m ON m.profile_id = p.id
        WHERE p.customer_id = u.customer_id AND m.settled_at > %b
          AND m.state IN ('sent', 'delivered', 'opened', 'clicked', 'unknown')
    ) < %b, (%b AT TIME ZONE c.zone)::time BETWEEN '08:00' AND '22:00'
    FROM unnest(%b::uuid[], %b::uuid[]) AS u(customer_id, address_id)
    JOIN customers_customer c ON c.id = u.customer_id
    LEFT JOIN consent_consenthead h ON h.address_id = u.address_id AND h.purpose_id = %b
"""


class Gate:
    """Both answer for the same people, in an order of its own each time."""

    def __init__(self, connection: "Connection[Any]", people: int) -> None:
        self._connection = connection
        self._purpose = Purpose.objects.get(key="news")
        self._prepare(people)
        self._people = connection.execute(_PEOPLE.encode(), [people]).fetchall()
        self._chance = random.Random(7)

    def _prepare(self, people: int) -> None:
        brand, kinds = self._purpose.brand, PacingPolicy.Kind
        empty(self._connection, "channels_message", "channels_pacingpolicy")
        values = {
            "brand": brand.pk,
            "connector": Connector.objects.values_list("pk", flat=True)[0],
            "version": TemplateVersion.objects.values_list("pk", flat=True)[0],
            "purpose": self._purpose.pk,
            "people": people,
            "now": T0,
        }
        self._connection.execute(_MESSAGES.encode(), values)
        self._connection.execute("ANALYZE channels_message")
        policies.make(PacingPolicy(brand=brand, name="Cap", kind=kinds.CAP, most=_MOST, span=_DAYS), None, T0)
        night = PacingPolicy(brand=brand, name="Night", kind=kinds.QUIET, starts=time(22), ends=time(8))
        policies.make(night, None, T0)

    def ask(self) -> float:
        batches = [
            [Sending(customer, address, "email", self._purpose.pk) for customer, address in some]
            for some in self._some()
        ]
        began = clock.perf_counter()
        for sendings in batches:
            if not any(one.may_go for one in gate(sendings, T0)):
                raise RuntimeError("nobody may be written to")
        return _CALLS * SENDS / (clock.perf_counter() - began)

    def look_up(self) -> float:
        batches = [list(zip(*some, strict=True)) for some in self._some()]
        began = clock.perf_counter()
        with self._connection.cursor(binary=True) as cursor:
            for customers, addresses in batches:
                since = T0 - timedelta(days=_DAYS)
                asked = [since, _MOST, T0, list(customers), list(addresses), self._purpose.pk]
                rows = cursor.execute(_BARE, asked).fetchall()
                if not any(all(row) for row in rows):
                    raise RuntimeError("nobody may be written to")
        return _CALLS * SENDS / (clock.perf_counter() - began)

    def _some(self) -> list[list[tuple[UUID, UUID]]]:
        return [self._chance.sample(self._people, SENDS) for _call in range(_CALLS)]
