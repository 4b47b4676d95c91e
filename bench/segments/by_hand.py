"""The rule of the benchmark as somebody who knows the tables would write it, for everybody and for a few."""

from typing import Final

# Who fits the part of the rule that time does not touch, with what they did in the two windows.
_EVERYBODY: Final = """
    SELECT c.id, b.n, b.first_at, l.last_at FROM customers_customer c
    LEFT JOIN (
        SELECT p.customer_id, count(*) AS n, min(least(e.occurred_at, e.received_at)) AS first_at
        FROM customers_profile p JOIN customers_event e ON e.profile_id = p.id
        WHERE e.name = 'order.completed' AND e.brand_id = %(brand)s
          AND e.occurred_at > %(since)s AND e.received_at > %(since)s
        GROUP BY p.customer_id
    ) b ON b.customer_id = c.id
    LEFT JOIN (
        SELECT p.customer_id, max(least(e.occurred_at, e.received_at)) AS last_at
        FROM customers_profile p JOIN customers_event e ON e.profile_id = p.id
        WHERE e.name = 'complaint.made' AND e.brand_id = %(brand)s
          AND e.occurred_at > %(silent)s AND e.received_at > %(silent)s
        GROUP BY p.customer_id
    ) l ON l.customer_id = c.id
    WHERE c.traits -> 'plan' = '"pro"' AND EXISTS (
        SELECT 1 FROM customers_profile p JOIN customers_profilebrand o ON o.profile_id = p.id
        WHERE p.customer_id = c.id AND o.brand_id = %(brand)s
    ) AND (b.n > 0 OR l.last_at IS NOT NULL)
"""
BUILD: Final = f"""
    WITH known AS MATERIALIZED ({_EVERYBODY}), turned AS (
        INSERT INTO customers_segment_turn (segment_id, profile_id, due_at)
        SELECT %(segment)s, id, least(first_at + interval '90 days', last_at + interval '30 days') FROM known
    )
    INSERT INTO customers_segmentmembership
        (segment_id, profile_id, customer_id, entered_at, rule_version, historical)
    SELECT %(segment)s, id, id, %(now)s, 1, true FROM known WHERE n >= 2 AND last_at IS NULL
"""
_FEW: Final = """
    SELECT c.id, c.traits -> 'plan' = '"pro"' AND EXISTS (
            SELECT 1 FROM customers_profile p JOIN customers_profilebrand o ON o.profile_id = p.id
            WHERE p.customer_id = c.id AND o.brand_id = %(brand)s
        ) AS fits, b.n, b.first_at, l.last_at
    FROM customers_customer c CROSS JOIN LATERAL (
        SELECT count(*) AS n, min(least(e.occurred_at, e.received_at)) AS first_at
        FROM customers_profile p JOIN customers_event e ON e.profile_id = p.id
        WHERE p.customer_id = c.id AND e.name = 'order.completed' AND e.brand_id = %(brand)s
          AND e.occurred_at > %(since)s AND e.received_at > %(since)s
    ) b CROSS JOIN LATERAL (
        SELECT max(least(e.occurred_at, e.received_at)) AS last_at
        FROM customers_profile p JOIN customers_event e ON e.profile_id = p.id
        WHERE p.customer_id = c.id AND e.name = 'complaint.made' AND e.brand_id = %(brand)s
          AND e.occurred_at > %(silent)s AND e.received_at > %(silent)s
    ) l WHERE c.id = ANY(%(customers)s)
"""
TAKE: Final = "SELECT id, profile_id FROM customers_segment_queue ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED"
LOCK: Final = "SELECT 1 FROM customers_customer WHERE id = ANY(%(customers)s) ORDER BY id FOR NO KEY UPDATE"
REFRESH: Final = f"""
    WITH known AS MATERIALIZED ({_FEW}), gone AS (
        UPDATE customers_segmentmembership m SET left_at = %(now)s FROM known k
        WHERE m.segment_id = %(segment)s AND m.customer_id = k.id AND m.left_at IS NULL
          AND NOT (k.fits AND k.n >= 2 AND k.last_at IS NULL)
    ), turned AS (
        INSERT INTO customers_segment_turn AS d (segment_id, profile_id, due_at)
        SELECT %(segment)s, id, least(first_at + interval '90 days', last_at + interval '30 days') FROM known
        WHERE fits AND (first_at IS NOT NULL OR last_at IS NOT NULL)
        ON CONFLICT (segment_id, profile_id) DO UPDATE SET due_at = excluded.due_at
        WHERE d.due_at <> excluded.due_at
    ), unturned AS (
        DELETE FROM customers_segment_turn d USING known k WHERE d.segment_id = %(segment)s AND d.profile_id = k.id
          AND NOT (k.fits AND (k.first_at IS NOT NULL OR k.last_at IS NOT NULL))
    )
    INSERT INTO customers_segmentmembership
        (segment_id, profile_id, customer_id, entered_at, rule_version, historical)
    SELECT %(segment)s, id, id, %(now)s, 1, false FROM known k
    WHERE fits AND n >= 2 AND last_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM customers_segmentmembership m
        WHERE m.segment_id = %(segment)s AND m.customer_id = k.id AND m.left_at IS NULL
    )
"""
DONE: Final = "DELETE FROM customers_segment_queue WHERE id = ANY(%(items)s)"
