"""What is on its way to a customer's runs: messages accepted but not resolved, merges not yet followed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.ids import hash64

# Nearly in the order of receipt: what follows a message that was answered has a higher id and a later time.
FIRST = "SELECT received_at, id FROM customers_inbox ORDER BY id LIMIT 1"
_IDENTIFIERS = """
    SELECT p.customer_id, i.namespace, i.kind_id, i.value
    FROM customers_profile p JOIN customers_identifier i ON i.profile_id = p.id AND i.closed_at IS NULL
    WHERE p.customer_id = ANY(%b)
"""
# So many rows are read by their ids alone; of more, those that name somebody are looked up.
_FEW = 5_000
_EARLIER = "SELECT id, identifier_keys FROM customers_inbox WHERE id < %b"
_EARLIER_NAMING = f"{_EARLIER} AND identifier_keys && %b::bigint[]"
_NAMING = """
    SELECT received_at, identifier_keys FROM customers_inbox
    WHERE identifier_keys && %b::bigint[] AND received_at <= %b
"""
# The queue is nearly always empty and its statistics are always old, so the look-up is spelled as one by key, lest
# the planner read all profiles instead.
MOVING = """
    SELECT q.from_customer_id, (SELECT p.customer_id FROM customers_profile p WHERE p.id = q.profile_id)
    FROM customers_merge_queue q
"""


def moving_customers(cursor: Cursor[Any]) -> set[UUID]:
    """Customers whose runs are about to be moved by the merge stage."""
    return moving_of(cursor.execute(MOVING, prepare=True).fetchall())


def moving_of(rows: Iterable[Sequence[UUID]]) -> set[UUID]:
    """The same of the rows of `MOVING`."""
    return {customer for row in rows for customer in row}


def oldest_unresolved(cursor: Cursor[Any], customers: Collection[UUID], until: datetime) -> dict[UUID, datetime]:
    """By customer, when the oldest unresolved message that names them was received; none later than `until`."""
    first = cursor.execute(FIRST, prepare=True).fetchone()
    if first is None or first[0] > until:
        return {}
    owners = _owners(cursor, customers)
    oldest: dict[UUID, datetime] = {}
    for received_at, keys in cursor.execute(_NAMING, [list(owners), until]).fetchall():
        for customer in {owner for key in keys for owner in owners.get(key, ())}:
            oldest[customer] = min(received_at, oldest.get(customer, received_at))
    return oldest


def oldest_before(cursor: Cursor[Any], customers: Collection[UUID], event_id: int) -> dict[UUID, int]:
    """By customer, the id of the oldest unresolved message that names them, of those older than this event: a message
    has the id that its event will have."""
    first = cursor.execute(FIRST, prepare=True).fetchone()
    if first is None or first[1] >= event_id:
        return {}
    owners = _owners(cursor, customers)
    if event_id - first[1] <= _FEW:
        rows = cursor.execute(_EARLIER, [event_id]).fetchall()
    else:
        rows = cursor.execute(_EARLIER_NAMING, [event_id, list(owners)]).fetchall()
    oldest: dict[UUID, int] = {}
    for id_, keys in rows:
        for customer in {owner for key in keys for owner in owners.get(key, ())}:
            oldest[customer] = min(id_, oldest.get(customer, id_))
    return oldest


def _owners(cursor: Cursor[Any], customers: Collection[UUID]) -> dict[int, set[UUID]]:
    """Whom each key of the inbox's index stands for, of these customers' identifiers."""
    owners: dict[int, set[UUID]] = defaultdict(set)
    for customer, namespace, kind, value in cursor.execute(_IDENTIFIERS, [list(customers)]).fetchall():
        owners[hash64(str(namespace), kind, value)].add(customer)
    return owners
