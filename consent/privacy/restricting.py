"""Restriction of processing (GDPR Art. 18, LGPD Art. 18 IV): what is known of somebody is kept, and nothing is done
with it.

While it stands permission refuses (`consent.permission`), no journey lets them in, their live runs have ended, and they
are in no segment that follows from a rule. What happens is still taken down, as it would be missing afterwards.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from consent.models import PrivacyRequest, Restriction
from consent.withdrawing import lock_people
from customers.pg import raw_cursor
from customers.segments import follow, standing

_LOCK: Final = """
    SELECT id FROM customers_customer
    WHERE id IN (SELECT customer_id FROM customers_profile WHERE id = ANY(%b)) ORDER BY id FOR NO KEY UPDATE
"""
_OPEN: Final = """
    SELECT p.customer_id FROM consent_restriction r JOIN customers_profile p ON p.id = r.profile_id
    WHERE r.lifted_at IS NULL
"""
_AMONG: Final = f"{_OPEN} AND p.customer_id = ANY(%b)"
# Asked once for a statement and not for each customer: they are few.
_IN_NO_SEGMENT: Final = f"c.id IN ({_OPEN} AND p.customer_id IS NOT NULL)"

# Ends what is going on with these customers, who are locked.
EndAll = Callable[[Cursor[Any], Collection[UUID], datetime], None]
_ending: list[EndAll] = []


def on_restrict(end_all: EndAll) -> None:
    """Have `end_all` called with whoever comes to be restricted, in the transaction that does it."""
    if end_all not in _ending:
        _ending.append(end_all)


def restrict(request: PrivacyRequest, profiles: Collection[UUID], now: datetime) -> None:
    """In a transaction: end what goes on with these people, and wait for what is just being sent to them."""
    with raw_cursor() as cursor:
        customers = [row[0] for row in cursor.execute(_LOCK, [list(profiles)]).fetchall()]
        held = Restriction.objects.filter(profile_id__in=profiles, lifted_at=None)
        there = set(held.values_list("profile_id", flat=True))
        Restriction.objects.bulk_create(
            [Restriction(request=request, profile_id=one, since=now) for one in profiles if one not in there],
            ignore_conflicts=True,
        )
        for end_all in _ending:
            end_all(cursor, customers, now)
        follow.look_again(cursor, sorted(profiles), now)
    lock_people(profiles)


def lift(request: PrivacyRequest, now: datetime) -> int:
    """In a transaction: end the restrictions that the request set; how many profiles they were of."""
    standing_ones = request.restrictions.filter(lifted_at=None)
    profiles = sorted(standing_ones.values_list("profile_id", flat=True))
    if profiles:
        with raw_cursor() as cursor:
            cursor.execute(_LOCK, [profiles])
            standing_ones.update(lifted_at=now)
            follow.look_again(cursor, profiles, now)
    return len(profiles)


def restricted(cursor: Cursor[Any], customers: Collection[UUID]) -> set[UUID]:
    """Which of these have processing restricted."""
    rows = cursor.execute(_AMONG, [list(customers)], prepare=True).fetchall()
    return {row[0] for row in rows}


def register() -> None:
    standing.leave_out(_IN_NO_SEGMENT)
