"""What must be true after every run, whatever was done to the installation meanwhile."""

from collections.abc import Iterator
from typing import Final

from django.db import connection

from config.loop.checks import Check

# Each counts breaches.
INVARIANTS: Final = {
    "messages kept twice": """
        SELECT count(*) FROM (
            SELECT source_id, message_id FROM (
                SELECT source_id, message_id FROM customers_inbox
                UNION ALL SELECT source_id, message_id FROM customers_event
            ) kept GROUP BY 1, 2 HAVING count(*) > 1
        ) twice
    """,
    "messages accepted and not kept": """
        SELECT (SELECT count(*) FROM customers_messagekey)
             - (SELECT count(*) FROM customers_inbox)
             - (SELECT count(*) FROM customers_event e JOIN customers_source s ON s.id = e.source_id
                WHERE s.key <> 'trilha')
             - (SELECT count(*) FROM customers_deadletter WHERE queue = 'inbox' AND replayed_at IS NULL)
    """,
    "events without their payload": """
        -- Of whoever was erased the facts stay, and not what they told.
        SELECT count(*) FROM customers_event e JOIN customers_profile o ON o.id = e.profile_id
        WHERE NOT EXISTS (SELECT 1 FROM customers_eventpayload p WHERE p.event_id = e.id)
    """,
    "profiles of nobody": """
        SELECT count(*) FROM customers_profile p
        WHERE NOT EXISTS (SELECT 1 FROM customers_customer c WHERE c.id = p.customer_id)
    """,
    "identifiers without a profile": """
        SELECT count(*) FROM customers_identifier i
        WHERE NOT EXISTS (SELECT 1 FROM customers_profile p WHERE p.id = i.profile_id)
    """,
    "dead letters without a reason": "SELECT count(*) FROM customers_deadletter WHERE reason = ''",
    "units tried more often than allowed": "SELECT count(*) FROM customers_unitattempt WHERE attempts > 5",
    "live runs of one key": """
        SELECT count(*) FROM (
            SELECT 1 FROM journeys_run WHERE status = 1 GROUP BY journey_id, customer_id, entry_key
            HAVING count(*) > 1
        ) twice
    """,
}


def breaches() -> Iterator[Check]:
    with connection.cursor() as cursor:
        for what, count in INVARIANTS.items():
            cursor.execute(count)
            yield Check(f"  {what}", 0, cursor.fetchone()[0])
