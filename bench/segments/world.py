"""The people and their past: a profile each, three kinds of events over a year, and a rule that chooses among them."""

from datetime import timedelta
from typing import Any

from psycopg import Connection, sql

from bench.database import empty
from bench.people import key
from customers import jobs
from customers.clock import utcnow
from customers.models import Brand, Segment, Source
from customers.segments import define
from customers.sql import ensure_partitions

# Those on a plan of their own who bought twice in a quarter and did not complain of late.
RULE: dict[str, Any] = {
    "all": [
        {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"},
        {"leaf": "event_count", "event": "order.completed", "op": "at_least", "times": 2, "within": "P90D"},
        {"not": {"leaf": "event_recency", "event": "complaint.made", "op": "last_within", "ago": "P30D"}},
    ]
}
WINDOW, SILENCE = timedelta(days=90), timedelta(days=30)
_CUSTOMER = key(0)
_TABLES = ("customers_event", "customers_customer")
_MEMBERSHIP = ("customers_segmentmembership", "customers_segment_turn", "customers_segment_queue")
_PEOPLE = (
    f"""
    INSERT INTO customers_customer (id, created_at, traits, zone, locale)
    SELECT {_CUSTOMER}, %(now)s, jsonb_build_object('name', 'Person Number ' || n, 'city', 'Recife', 'country', 'BR',
        'plan', CASE n %% 3 WHEN 0 THEN 'pro' ELSE 'free' END), 'America/Recife', 'pt-BR'
    FROM generate_series(1, %(people)s) n
    """,
    f"""
    INSERT INTO customers_profile (id, customer_id, customer_since, created_at)
    SELECT {_CUSTOMER}, {_CUSTOMER}, %(now)s, %(now)s FROM generate_series(1, %(people)s) n
    """,
    f"""
    INSERT INTO customers_profilebrand (profile_id, brand_id, first_seen_at)
    SELECT {_CUSTOMER}, %(brand)s, %(now)s FROM generate_series(1, %(people)s) n
    """,
    # In the order of their time, as they would have come; whose they are is scattered.
    f"""
    INSERT INTO customers_event
        (id, received_at, occurred_at, brand_id, source_id, profile_id, kind, name, message_id)
    SELECT e, at, at, %(brand)s, %(source)s, {key(0, "n")}, 'track',
        (ARRAY['page.viewed', 'order.completed', 'page.viewed', 'page.viewed', 'complaint.made'])[1 + e %% 5], 'm' || e
    FROM (
        SELECT e, %(now)s::timestamptz - interval '1 year' * ((%(events)s - e)::float / %(events)s) AS at,
            1 + (e::bigint * 7919) %% %(people)s AS n
        FROM generate_series(1, %(events)s) e
    ) drawn
    """,
)


class World:
    def __init__(self, connection: "Connection[Any]", customers: int, events: int) -> None:
        self.connection, self.customers, self.now = connection, customers, utcnow()
        ensure_partitions(self.now)
        empty(connection, *_MEMBERSHIP, *_TABLES)
        self.brand = Brand.objects.create(key="bench-segments", name="Bench")
        source = Source.objects.create(brand=self.brand, key="bench", name="Bench")
        values = {
            "people": customers, "events": events, "now": self.now, "brand": self.brand.pk, "source": source.pk,
        }  # fmt: skip
        for statement in _PEOPLE:
            connection.execute(statement.encode(), values)
        connection.execute("VACUUM ANALYZE")
        self.segment = Segment.objects.create(brand=self.brand, key="bench", name="Bench")
        define.set_rule(self.segment, RULE, self.now)

    def forget_members(self) -> None:
        empty(self.connection, *_MEMBERSHIP)

    def build(self) -> None:
        define.rebuild(self.segment, self.now)
        if not jobs.work_on(lambda: self.now, seconds=3600):
            raise RuntimeError("the segment was not built")

    def rows(self) -> tuple[str, str]:
        """Digests of who is in it, and of when time may change that."""
        members = self._digest("customers_segmentmembership", "customer_id::text", "left_at IS NULL")
        return members, self._digest("customers_segment_turn", "profile_id::text || due_at", "true")

    def _digest(self, table: str, value: str, condition: str) -> str:
        query = f"SELECT count(*) || ' ' || coalesce(md5(string_agg({value}, ',' ORDER BY {value})), '') FROM "
        text = sql.SQL(query).format() + sql.Identifier(table) + sql.SQL(f" WHERE {condition}")
        row = self.connection.execute(text).fetchone()
        return str(row[0]) if row else ""
