"""Letting pass: of queued events most mean nothing to anybody, and those never leave the database.

One statement locks a batch of them, lets pass whatever concerns nobody and hands over the rest.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from psycopg import Cursor

from journeys.engine.arrivals import Arrival
from journeys.engine.entries import Entries

# Names that some version knows, or that begin a journey now. Of other events nothing more is asked.
KNOWN: Final = "i.name IN (SELECT a.name FROM awaited a) OR i.name IN (SELECT e.name FROM entry e)"
# Of these, the events of whoever moves, since the runs of a profile that has just moved still stand with its old
# customer; of whom this batch may bring in, since what comes after an entry may be for the run that begins by it; and
# those whose name a live run of their customer knows, at whatever step, be they of a brand of which it makes nothing.
CONCERNED: Final = """
    p.customer_id IN (SELECT m.customer_id FROM moving m)
    OR p.customer_id IN (SELECT c.customer_id FROM coming c)
    OR (
        SELECT bool_or((i.name, 'journey_version:' || r.version_id) IN (SELECT a.name, a.waiter FROM awaited a))
        FROM journeys_run r WHERE r.customer_id = p.customer_id AND r.status = 1
    )
"""
# What is let pass is deleted by where it lies: the rows are locked, and nobody ever updates one. Whatever is compared
# with many is compared by a hash: joins would go through all of them for each event, planned by key as they are.
_TAKE: Final = f"""
    WITH item AS MATERIALIZED (
        SELECT m.ctid AS place, m.id, m.event_id, m.received_at, m.occurred_at, m.profile_id, m.brand_id,
            m.name::text AS name, m.message_id
        FROM customers_match_queue m WHERE m.id = ANY(%b) FOR UPDATE SKIP LOCKED
    ), entry AS MATERIALIZED (
        SELECT * FROM unnest(%b::uuid[], %b::text[]) AS e(brand_id, name)
    ), awaited AS MATERIALIZED (
        SELECT a.name, a.waiter FROM (SELECT DISTINCT i.name FROM item i) n, LATERAL (
            SELECT a.name::text AS name, a.waiter::text AS waiter FROM customers_awaitedname a
            WHERE a.name = n.name AND starts_with(a.waiter, 'journey_version:') OFFSET 0
        ) a
    ), moving AS MATERIALIZED (
        SELECT q.from_customer_id AS customer_id FROM customers_merge_queue q
        UNION ALL
        SELECT (SELECT p.customer_id FROM customers_profile p WHERE p.id = q.profile_id) FROM customers_merge_queue q
    ), coming AS MATERIALIZED (
        SELECT p.customer_id FROM (
            SELECT i.profile_id FROM item i
            WHERE ((i.brand_id, i.name) IN (SELECT e.brand_id, e.name FROM entry e)) IS TRUE OFFSET 0
        ) i, LATERAL (
            SELECT p.customer_id FROM customers_profile p WHERE p.id = i.profile_id OFFSET 0
        ) p
    ), sifted AS MATERIALIZED (
        SELECT i.*, p.customer_id, p.customer_id IS NOT NULL AND coalesce({CONCERNED}, false) AS is_concerned
        FROM item i LEFT JOIN LATERAL (
            SELECT p.customer_id FROM customers_profile p
            WHERE p.id = i.profile_id AND ({KNOWN}) OFFSET 0
        ) p ON true
    ), passed AS (
        DELETE FROM customers_match_queue
        WHERE ctid = ANY(ARRAY(SELECT s.place FROM sifted s WHERE NOT s.is_concerned)) RETURNING 1
    )
    SELECT n.passed, s.id, s.event_id, s.received_at, s.occurred_at, s.profile_id, s.brand_id, s.name, s.message_id,
        s.customer_id
    FROM (SELECT count(*) AS passed FROM passed) n LEFT JOIN sifted s ON s.is_concerned
    ORDER BY s.received_at, s.event_id
"""


class Taken(NamedTuple):
    """Of a batch the events that concern somebody, in the order of receipt, and how many were let pass."""

    concerned: list[Arrival]
    passed: int


def take(cursor: Cursor[Any], ids: Sequence[int], entries: Entries) -> Taken:
    """Lock these queue items, those nobody else holds, and let pass what concerns nobody.

    All of it is looked at as of one moment, so a merge is seen before, in the queue of merges, or followed. A run that
    another worker is just starting, or putting into another version, cannot be seen here; it looks back for itself
    (re-check).
    """
    brands = [brand for brand, _name in entries.by_event]
    names = [name for _brand, name in entries.by_event]
    rows = cursor.execute(_TAKE, [list(ids), brands, names], prepare=True).fetchall()
    return Taken([Arrival(*row[1:]) for row in rows if row[1] is not None], rows[0][0])
