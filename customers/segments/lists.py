"""Lists: people put on and taken off by hand, by a partner or from a file, named by their identifiers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from customers import awaited, bells
from customers.models import Segment
from customers.segments.stage import tell
from customers.segments.standing import place

MOST_AT_ONCE: Final = 10_000
_LOCK: Final = "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


@dataclass(frozen=True, slots=True)
class Placed:
    """How many came or left by it; the others were on the list, or off it, before, or are not of its brand."""

    changed: int
    unchanged: int


class NotAList(Exception):
    """A rule decides who is in this segment."""


@transaction.atomic
def put(segment: Segment, customers: Collection[UUID], now: datetime, *, inside: bool) -> Placed:
    """Put these customers on the list, or take them off."""
    if not segment.is_static or segment.state != Segment.State.LIVE:
        raise NotAList
    waited_for = awaited.under_lock()
    people: Sequence[UUID] = sorted(set(customers))
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(people)])
        changed = place(cursor, segment, people, now, inside=inside)
    tell(segment, changed, {}, waited_for, now)
    bells.ring("engine")
    done = len(changed.came) + len(changed.left)
    return Placed(done, len(people) - done)
