"""What journeys say of people, put on the way of whatever else is said of them: as a message in the inbox.

It is written with the move that says it, so it is said once for each visit, whoever dies meanwhile; a number that is
added is added by whoever resolves the message, with the customer locked. The message is of the brand's reserved source,
and names the journey's run and step. It counts the hops of what brought the person in, so that journeys and rules that
feed each other come to an end.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from psycopg import Cursor

from customers import bells
from customers.ids import hash64
from customers.internal import reserved_sources
from customers.pg import copy_rows
from journeys.engine.walk import Told

# By which a profile is found again: its own name, else another one of the same person, as one whose device another
# person has taken over has none left.
_NAMES: Final = """
    SELECT u.n, i.namespace, i.kind_id, i.value, i.original, coalesce(e.hops, 0),
        nextval('customers_event_id_seq')
    FROM unnest(%b::bigint[], %b::bigint[], %b::uuid[]) AS u(n, run_id, profile_id)
    CROSS JOIN LATERAL (
        SELECT i.namespace, i.kind_id, i.value, i.original
        FROM customers_profile me JOIN customers_profile p ON p.customer_id = me.customer_id
        JOIN customers_identifier i ON i.profile_id = p.id AND i.closed_at IS NULL
        WHERE me.id = u.profile_id ORDER BY p.id <> me.id, p.id LIMIT 1
    ) i
    LEFT JOIN journeys_runcontext c ON c.run_id = u.run_id
    LEFT JOIN customers_event e ON e.id = c.event_id AND e.received_at = c.event_received_at
    ORDER BY u.n
"""
_INBOX: Final = (
    ("id", "int8"),
    ("received_at", "timestamptz"),
    ("source_id", "uuid"),
    ("message_id", "varchar"),
    ("kind", "varchar"),
    ("name", "varchar"),
    ("occurred_at", "timestamptz"),
    ("historical", "bool"),
    ("identifiers", "text"),
    ("identifier_keys", "int8[]"),
    ("payload", "text"),
)


def say(cursor: Cursor[Any], told: Sequence[Told], now: datetime) -> None:
    """Write what these visits say, within the transaction that writes the visits. The runs are written already."""
    if not told:
        return
    runs = [one.run for one in told]
    asked = [list(range(len(told))), [run.id for run in runs], [run.profile_id for run in runs]]
    sources = reserved_sources({run.version.brand_id for run in runs})
    rows = []
    for n, namespace, kind, value, original, hops, id_ in cursor.execute(_NAMES, asked).fetchall():
        one = told[n]
        name = [kind, value, original, False, str(namespace)]
        rows.append(
            (
                id_, now, sources[one.run.version.brand_id], f"run-{one.run.id}-{one.visit}", "identify", "identify",
                now, False, orjson.dumps([name]).decode(), [hash64(str(namespace), kind, value)],
                _payload(one, hops),
            )
        )  # fmt: skip
    copy_rows(cursor, "customers_inbox", _INBOX, rows)
    bells.ring("engine")


def _payload(one: Told, hops: int) -> str:
    run = one.run
    place: dict[str, Any] = {"journey": run.journey_id, "run": run.id, "step": run.version.steps[one.step].id}
    payload: dict[str, Any] = {"traits": one.telling.said, "context": place}
    if one.telling.added:
        payload["added"] = one.telling.added
    if hops:
        payload["hops"] = hops
    return orjson.dumps(payload).decode()
