"""`segment.dirty`: people in whom a trait has changed looked at again by the stage, against the same SQL by hand."""

import time
from typing import Any

from psycopg.types.json import Jsonb

from bench.segments.by_hand import DONE, LOCK, REFRESH, TAKE
from bench.segments.world import SILENCE, WINDOW, World
from customers.segments.stage import QUEUE
from customers.work import Floors, work_once

BATCH = 1000
_KEPT = {"customers_segmentmembership": "bench_members", "customers_segment_turn": "bench_turns"}
# Without their ids, which are given anew.
_COLUMNS = {
    "customers_segmentmembership": "segment_id, profile_id, customer_id, entered_at, left_at, rule_version, historical",
    "customers_segment_turn": "segment_id, profile_id, due_at",
}
# Every so manyeth customer changes to what they were not.
_CHANGE = """
    UPDATE customers_customer c SET traits = c.traits || CASE c.traits ->> 'plan' WHEN 'pro' THEN %(free)s::jsonb
        ELSE %(pro)s::jsonb END
    FROM customers_segment_queue q WHERE q.profile_id = c.id
"""
_QUEUE = """
    INSERT INTO customers_segment_queue (segment_id, profile_id, hops, historical, queued_at)
    SELECT %(segment)s, id, 0, false, %(now)s FROM (
        SELECT id, row_number() OVER (ORDER BY hashtext(id::text)) AS n FROM customers_customer
    ) shuffled WHERE n <= %(changed)s ORDER BY id
"""


class Dirty:
    def __init__(self, world: World, changed: int) -> None:
        self.world, self.changed = world, changed
        self.rows: tuple[str, str] | None = None
        self.values: dict[str, Any] = {
            "brand": world.brand.pk, "segment": world.segment.pk, "now": world.now, "since": world.now - WINDOW,
            "silent": world.now - SILENCE, "batch": BATCH, "customers": world.customers, "changed": changed,
            "free": Jsonb({"plan": "free"}), "pro": Jsonb({"plan": "pro"}),
        }  # fmt: skip
        world.forget_members()
        world.build()
        for table, kept in _KEPT.items():
            world.connection.execute(f"CREATE TABLE {kept} AS TABLE {table}".encode())

    def by_stage(self) -> float:
        self._set_up()
        floors: Floors = {}
        began = time.perf_counter()
        while work_once(QUEUE, self.world.now, BATCH, floors):
            pass
        return self._checked(time.perf_counter() - began)

    def by_hand(self) -> float:
        self._set_up()
        began = time.perf_counter()
        while self._batch():
            pass
        return self._checked(time.perf_counter() - began)

    def _batch(self) -> int:
        connection = self.world.connection
        with connection.transaction():
            taken = connection.execute(TAKE, self.values).fetchall()
            if not taken:
                return 0
            of_these = {"customers": [row[1] for row in taken], "items": [row[0] for row in taken]}
            connection.execute(LOCK, of_these)
            connection.execute(REFRESH.encode(), {**self.values, **of_these})
            connection.execute(DONE, of_these)
        return len(taken)

    def _set_up(self) -> None:
        """Members and turns as the build left them, and changed people queued."""
        connection = self.world.connection
        self.world.forget_members()
        for table, kept in _KEPT.items():
            connection.execute(f"INSERT INTO {table} ({_COLUMNS[table]}) SELECT {_COLUMNS[table]} FROM {kept}".encode())
        connection.execute(_QUEUE, self.values)
        if self.rows is None:
            connection.execute(_CHANGE, self.values)
        for table in (*_KEPT, "customers_customer", "customers_segment_queue"):
            connection.execute(f"VACUUM ANALYZE {table}".encode())

    def _checked(self, seconds: float) -> float:
        found = self.world.rows()
        self.rows = self.rows or found
        if found != self.rows:
            raise RuntimeError(f"expected {self.rows}, found {found}")
        row = self.world.connection.execute("SELECT count(*) FROM customers_segment_queue").fetchone()
        if row is None or row[0]:
            raise RuntimeError("some were not looked at")
        return self.changed / seconds
