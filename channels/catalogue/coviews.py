"""Which products are viewed together: counted day by day over people, weighed by how long ago, kept without a person.

A day counts, for each pair, how many people looked at one of both on it and at the other on it or within a week before.
Days are counted once for good when they are two days over; the younger ones each time anew, for what comes late. Each
day is one transaction under the lock of its brand, so that counting twice or at once counts the same. Nobody is counted
who could not be shown products by what they looked at (see recommend).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import F, Q

from channels.catalogue.events import columns, kinds, products_in_sql
from channels.models import AlsoViewed, CoView, Recommending
from consent.permission import Ask, permissions
from customers import bells

WINDOW: Final = timedelta(days=60)
HALF_LIFE_DAYS: Final = 14
# A brand is counted about once an hour.
EVERY: Final = timedelta(minutes=55)
# What so few were counted for could be guessed to be somebody's; and it says little. They are told apart within a day
# alone, so as many have to come on one day: on two it may be one person twice.
LEAST_PEOPLE: Final = 2
_BACK: Final = timedelta(days=7)
_OPEN: Final = timedelta(days=2)
_DAY: Final = timedelta(days=1)
_PLACES: Final = 20
# Who looks at more on a day is a machine, or a shop assistant.
_MOST_A_PERSON: Final = 50
_ASKED_AT_ONCE: Final = 5_000
# Each with the addresses that they may be asked at, the person as such among them.
_VIEWERS: Final = """
    WITH who AS (
        SELECT DISTINCT f.customer_id
        FROM customers_event e JOIN customers_profile f ON f.id = e.profile_id
        WHERE e.brand_id = %s AND e.name = ANY(%s) AND e.occurred_at >= %s AND e.occurred_at < %s
          AND e.received_at >= %s AND f.customer_id IS NOT NULL
    )
    SELECT f.customer_id, f.id FROM who JOIN customers_profile f USING (customer_id)
    UNION
    SELECT f.customer_id, a.address_id FROM who JOIN customers_profile f USING (customer_id)
    JOIN customers_addressprofile a ON a.profile_id = f.id
"""
_COUNT: Final = """
    WITH k AS (
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::boolean[], %s::text[]) AS k (brand_id, name, is_view, key)
    ), viewed AS MATERIALIZED (
        SELECT f.customer_id AS person, t.id AS product, bool_or(e.occurred_at >= %s) AS is_today
        FROM customers_event e
        JOIN k ON k.is_view AND k.name = e.name
        JOIN customers_eventpayload p ON p.event_id = e.id AND p.received_at = e.received_at
        JOIN customers_profile f ON f.id = e.profile_id
        JOIN unnest(%s::uuid[]) AS allowed (customer_id) ON allowed.customer_id = f.customer_id
        CROSS JOIN LATERAL {products} AS t
        WHERE e.brand_id = %s AND e.name = ANY(%s) AND e.occurred_at >= %s AND e.occurred_at < %s
          AND e.received_at >= %s
        GROUP BY 1, 2
    ), person AS (
        SELECT coalesce((array_agg(product ORDER BY product) FILTER (WHERE is_today))[1:{most}], '{{}}') AS today,
               coalesce((array_agg(product ORDER BY product) FILTER (WHERE NOT is_today))[1:{most}], '{{}}') AS before
        FROM viewed GROUP BY person
    ), pair AS (
        SELECT one AS product, other FROM person p, unnest(p.today) AS one, unnest(p.today || p.before) AS other
        UNION ALL
        SELECT other, one FROM person p, unnest(p.today) AS one, unnest(p.before) AS other
    )
    INSERT INTO channels_coview (brand_id, day, product_id, other_id, people)
    SELECT %s, %s, product, other, count(*) FROM pair GROUP BY product, other
"""
_RANK: Final = f"""
    INSERT INTO channels_alsoviewed (brand_id, product_id, other_id, weight, place)
    SELECT %(brand)s, product_id, other_id, weight, place FROM (
        SELECT CASE WHEN product_id <> other_id THEN product_id END AS product_id, other_id,
               sum(people * power(0.5, (%(today)s::date - day) / {HALF_LIFE_DAYS}.0)) AS weight,
               row_number() OVER (
                   PARTITION BY CASE WHEN product_id <> other_id THEN product_id END
                   ORDER BY sum(people * power(0.5, (%(today)s::date - day) / {HALF_LIFE_DAYS}.0)) DESC, other_id
               ) AS place
        FROM channels_coview c JOIN channels_product t ON t.id = c.other_id AND t.is_active AND t.is_available
        WHERE c.brand_id = %(brand)s AND day > %(first)s
        GROUP BY 1, 2 HAVING max(people) >= {LEAST_PEOPLE}
    ) ranked WHERE place <= {_PLACES}
"""


def count_all(now: datetime, seconds: float) -> None:
    """Count what is not counted yet in every brand that recommends; what there is no time for is rung for."""
    until = time.monotonic() + seconds
    due = Recommending.objects.filter(Q(counted_at=None) | Q(counted_at__lte=now - EVERY))
    for brand_id in due.order_by(F("counted_at").asc(nulls_first=True), "brand_id").values_list("brand_id", flat=True):
        if not count(brand_id, now, until):
            bells.ring("views")
            return


def count(brand_id: UUID, now: datetime, until: float | None = None) -> bool:
    """Count a brand's days up to now and weigh them; whether it is through, or another is at it.

    The days that are counted for good take several calls, if need be. The open ones and the weighing, once begun, are
    done to the end, however long they take: begun anew each time they might never be through.
    """
    while until is None or time.monotonic() < until:
        with _held(brand_id) as row:
            if row is None:
                return True
            today = now.astimezone(ZoneInfo(row.brand.zone)).date()
            day = max(row.counted_until or date.min, today - WINDOW + _DAY)
            if day >= today - _OPEN:
                break
            _count_day(row, day, now)
            row.counted_until = day + _DAY
            row.save(update_fields=["counted_until"])
    else:
        return False
    for back in range(_OPEN.days, -1, -1):
        with _held(brand_id) as row:
            if row is None:
                return True
            _count_day(row, today - timedelta(days=back), now)
    return _close(brand_id, today, now)


def count_anew(brand_id: UUID) -> None:
    """Forget which days are counted for good: what was told late of them counts from then on."""
    Recommending.objects.filter(brand_id=brand_id).update(counted_until=None, counted_at=None)


def forget(brand_id: UUID) -> None:
    """Of a brand that no longer recommends, nothing counted stays."""
    AlsoViewed.objects.filter(brand_id=brand_id).delete()
    CoView.objects.filter(brand_id=brand_id).delete()


@contextmanager
def _held(brand_id: UUID) -> Iterator[Recommending | None]:
    """The brand's row, locked; nothing where another is at it, or the brand no longer recommends."""
    with transaction.atomic():
        found = Recommending.objects.select_for_update(skip_locked=True, of=("self",)).filter(brand_id=brand_id)
        yield found.select_related("brand").first()


def _close(brand_id: UUID, today: date, now: datetime) -> bool:
    with _held(brand_id) as row:
        if row is None:
            return True
        # Who asked meanwhile for all to be counted anew gets that.
        if row.counted_until is None:
            return False
        _rank(row, today)
        row.counted_at = now
        row.save(update_fields=["counted_at"])
        return True


def _count_day(row: Recommending, day: date, now: datetime) -> None:
    zone = ZoneInfo(row.brand.zone)
    begins, ends = (datetime.combine(one, clock_time(), zone) for one in (day, day + _DAY))
    known = [one for one in kinds([row.brand_id]) if one.is_view]
    products, values = products_in_sql()
    span = [row.brand_id, sorted({one.name for one in known}), begins - _BACK, ends, begins - _BACK - _DAY]
    allowed = _allowed(row.purpose_id, span, now)
    parameters: list[Any] = [*columns(known), begins, allowed, *values, *span, row.brand_id, day]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM channels_coview WHERE brand_id = %s AND day = %s", [row.brand_id, day])
        cursor.execute(_COUNT.format(products=products, most=_MOST_A_PERSON), parameters)


def _allowed(purpose_id: UUID, span: list[Any], now: datetime) -> list[UUID]:
    """Of those who came in the span, who allows the purpose somewhere and opposes it nowhere."""
    with connection.cursor() as cursor:
        cursor.execute(_VIEWERS, span)
        asks = [Ask(customer, address, purpose_id) for customer, address in cursor]
    allowed, opposed = set[UUID](), set[UUID]()
    for begin in range(0, len(asks), _ASKED_AT_ONCE):
        some = asks[begin : begin + _ASKED_AT_ONCE]
        for ask, verdict in zip(some, permissions(some, now, heed_pauses=False), strict=True):
            if verdict.allowed:
                allowed.add(ask.customer_id)
            elif verdict.reason == "withdrawn":
                opposed.add(ask.customer_id)
    return sorted(allowed - opposed)


def _rank(row: Recommending, today: date) -> None:
    first = today - WINDOW
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM channels_coview WHERE brand_id = %s AND day <= %s", [row.brand_id, first])
        cursor.execute("DELETE FROM channels_alsoviewed WHERE brand_id = %s", [row.brand_id])
        cursor.execute(_RANK, {"brand": row.brand_id, "today": today, "first": first})
