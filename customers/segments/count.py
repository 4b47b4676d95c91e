"""How many are in a segment: counted now and then, kept for each day, and guessed from a sample before it is built."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil, sqrt
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

from customers.models import Segment, SegmentSize
from customers.rules import Fragment, Reading, Rule
from customers.segments.standing import truth_of

_COUNT: Final = """
    SELECT count(DISTINCT customer_id) FROM customers_segmentmembership WHERE segment_id = %s AND left_at IS NULL
"""
# Of one person a page, as neighbours came at the same time and are alike. A little more than is needed is drawn.
_SAMPLE: Final = """
    SELECT id, traits FROM (
        SELECT id, traits, row_number() OVER (PARTITION BY (ctid::text::point)[0] ORDER BY hashtext(id::text)) AS n
        FROM customers_customer TABLESAMPLE SYSTEM (%s)
    ) drawn WHERE n = 1 ORDER BY hashtext(id::text) LIMIT %s
"""
# How many were asked, how many of them are the brand's, and in how many of those the rule holds.
_COUNTED: Final = """
    SELECT count(*), count(*) FILTER (WHERE EXISTS (
        SELECT 1 FROM customers_profile o JOIN customers_profilebrand b ON b.profile_id = o.id
        WHERE o.customer_id = truth.id AND b.brand_id = %s
    )), count(*) FILTER (WHERE holds)
"""
_TABLE: Final = (
    "SELECT greatest(reltuples, 0)::bigint, relpages FROM pg_class WHERE oid = 'customers_customer'::regclass"
)
_TIMEOUT: Final = "SET LOCAL statement_timeout = '5s'"
SAMPLE: Final = 2_000
# So few people are all asked.
FEW: Final = 10_000
# Of 95 in 100 samples the interval holds the truth.
_Z: Final = 1.96


class TooSlow(Exception):
    """The rule takes longer than somebody who types waits for."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many of a brand's people a rule holds for: by asking all, or guessed by asking some, with the interval that
    the truth is likely in. `total` are the people of the brand, `hits` those asked for whom it holds."""

    people: int
    low: int
    high: int
    asked: int
    total: int
    is_exact: bool
    hits: int


def count(segment: Segment, now: datetime) -> int:
    """Count, and keep it as the size of the brand's day."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [segment.pk])
        (size,) = cursor.fetchone()
    Segment.objects.filter(pk=segment.pk).update(size=size, counted_at=now)
    day = now.astimezone(ZoneInfo(segment.brand.zone)).date()
    SegmentSize.objects.update_or_create(segment=segment, day=day, defaults={"size": size})
    return int(size)


def count_all(now: datetime) -> int:
    segments = (
        Segment.objects.exclude(state__in=[Segment.State.DRAFT, Segment.State.ARCHIVED])
        .select_related("brand")
        .order_by("pk")
    )
    for segment in segments:
        count(segment, now)
    return len(segments)


def estimate(rule: Rule, brand_id: UUID, now: datetime) -> Estimate:
    """Raises TooSlow where even the sample takes too long."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TIMEOUT)
            return _estimate(cursor, rule, brand_id, now)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") == "57014":
            raise TooSlow from error
        raise


def _estimate(cursor: CursorWrapper, rule: Rule, brand_id: UUID, now: datetime) -> Estimate:
    cursor.execute(_TABLE)
    total, pages = cursor.fetchone()
    drawn: Fragment
    if total <= FEW:
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM customers_customer LIMIT %s) few", [FEW + 1])
        total = max(total, cursor.fetchone()[0])
    if total <= FEW:
        drawn = ("(SELECT id, traits FROM customers_customer) c", [])
    else:
        drawn = (f"({_SAMPLE}) c", [min(100.0, 150.0 * SAMPLE / max(pages, 1)), SAMPLE])
    text, parameters = truth_of(rule, Reading(now, brand_id, by_key=True), drawn)
    cursor.execute(f"{_COUNTED} FROM ({text}) truth", [brand_id, *parameters])
    asked, known, hits = cursor.fetchone()
    if total <= FEW:
        return Estimate(hits, hits, hits, asked, known, is_exact=True, hits=hits)
    low, high = _wilson(hits, asked)
    everybody = total / max(asked, 1)
    people, known = round(everybody * hits), round(everybody * known)
    return Estimate(people, int(total * low), ceil(total * high), asked, known, is_exact=False, hits=hits)


def _wilson(hits: int, asked: int) -> tuple[float, float]:
    """The interval of a share, honest for few hits as well (Wilson, 1927)."""
    if not asked:
        return 0.0, 1.0
    share, square = hits / asked, _Z**2 / asked
    middle = (share + square / 2) / (1 + square)
    half = _Z * sqrt(share * (1 - share) / asked + square / asked / 4) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
