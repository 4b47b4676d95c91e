"""What pacing looks at, read for many people at once: the policies of a moment, what people had, where they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q
from psycopg import Cursor

from channels.models import PacingPolicy
from channels.pacing.hours import Span
from channels.pacing.rules import About, Cap, Counted, Hours, Policy, Scope, Visit
from customers.moments import days_of

# When a message in hand is asked about again: by then its call has mostly ended.
UNDECIDED_FOR: Final = timedelta(seconds=5)

# By all profiles of each customer: what the provider took or may have taken, and what is in hand. The latter is known
# by the copy that its address has, which it keeps unless the provider certainly has nothing. The states are written
# out, as in the condition of the index that answers this.
_HISTORY: Final = """
    WITH own AS MATERIALIZED (
        SELECT p.customer_id, p.id FROM customers_profile p WHERE p.customer_id = ANY(%b)
    )
    SELECT own.customer_id, m.id, m.settled_at, NULL::timestamptz, m.origin_kind, m.origin_id, m.visit,
           m.brand_id, m.channel, u.id, u.kind
    FROM own JOIN channels_message m ON m.profile_id = own.id AND m.settled_at > %b
        AND m.state IN ('sent', 'delivered', 'opened', 'clicked', 'unknown')
    JOIN consent_purpose u ON u.id = m.purpose_id AND u.kind <> 'legal'
    UNION ALL
    SELECT own.customer_id, m.id, NULL,
           CASE WHEN m.state IN ('queued', 'held') THEN greatest(m.due_at, %b) ELSE %b END,
           m.origin_kind, m.origin_id, m.visit, m.brand_id, m.channel, u.id, u.kind
    FROM own JOIN channels_message m ON m.profile_id = own.id AND m.settled_at IS NULL
        AND m.state IN ('queued', 'held', 'leased', 'dispatching')
    JOIN channels_recentsend r
        ON r.address_id = m.address_id AND r.copy_key = m.copy_key AND r.message_id = m.id
    JOIN consent_purpose u ON u.id = m.purpose_id AND u.kind <> 'legal'
"""
# What was taken in a span, but of one journey; the states as above.
_TAKEN: Final = """
    SELECT p.customer_id, m.settled_at, m.origin_kind, m.origin_id, m.visit, m.brand_id, m.channel, u.id, u.kind
    FROM customers_profile p JOIN channels_message m ON m.profile_id = p.id AND m.settled_at > %b AND m.settled_at <= %b
        AND m.state IN ('sent', 'delivered', 'opened', 'clicked', 'unknown')
    JOIN consent_purpose u ON u.id = m.purpose_id AND u.kind <> 'legal'
    WHERE p.customer_id = ANY(%b) AND m.scope_id <> %b
"""
_STANDING: Final = """
    SELECT id, kind, brand_id, channel, purpose_id, purpose_kind, most, span, unit, days, starts, ends
    FROM channels_pacingpolicy
    WHERE valid_from <= %b AND (valid_to IS NULL OR valid_to > %b) AND (brand_id IS NULL OR brand_id = ANY(%b))
    ORDER BY id
"""
_ZONES: Final = "SELECT id, zone FROM customers_customer WHERE id = ANY(%b)"
_BRAND_ZONES: Final = "SELECT id, zone FROM customers_brand WHERE id = ANY(%b)"

History = Mapping[UUID, Sequence[tuple[UUID, Counted]]]


def rule_of(version: PacingPolicy) -> Policy:
    """One version of a policy as it is judged by."""
    scope = Scope(version.brand_id, version.channel, version.purpose_id, version.purpose_kind)
    if version.kind == PacingPolicy.Kind.CAP:
        return Cap(version.pk, scope, version.most or 0, version.length)
    if version.starts is None or version.ends is None:
        raise ValueError("hours without a beginning or an end")
    span = Span(days_of(version.days), version.starts, version.ends)
    return Hours(version.pk, scope, span, is_quiet=version.kind == PacingPolicy.Kind.QUIET)


def standing(cursor: Cursor[Any], brand_ids: Collection[UUID], at: datetime) -> list[Policy]:
    """The policies of these brands, and of the organisation, as of a moment."""
    rows = cursor.execute(_STANDING, [at, at, sorted(brand_ids)], prepare=True).fetchall()
    names = ("id", "kind", "brand_id", "channel", "purpose_id", "purpose_kind", "most", "span", "unit", "days",
             "starts", "ends")  # fmt: skip
    return [rule_of(PacingPolicy(**dict(zip(names, row, strict=True)))) for row in rows]


def during(brand_id: UUID, since: datetime, until: datetime) -> list[tuple[datetime, datetime | None, Policy]]:
    """The policies of a brand that held at any time of a span, each with when it did."""
    rows = PacingPolicy.objects.filter(
        Q(brand=None) | Q(brand=brand_id), Q(valid_to=None) | Q(valid_to__gt=since), valid_from__lte=until
    )
    return [(row.valid_from, row.valid_to, rule_of(row)) for row in rows.order_by("pk")]


def longest(policies: Iterable[Policy]) -> timedelta:
    """How far back these policies count; nothing where none does."""
    return max((one.span for one in policies if isinstance(one, Cap)), default=timedelta())


def history(cursor: Cursor[Any], customer_ids: Collection[UUID], since: datetime, now: datetime) -> History:
    """By customer, what counts under caps since then, with the ids of the messages."""
    found: dict[UUID, list[tuple[UUID, Counted]]] = defaultdict(list)
    soon = now + UNDECIDED_FOR
    rows = cursor.execute(_HISTORY, [sorted(customer_ids), since, soon, soon]).fetchall()
    for customer_id, message_id, at, again, kind, origin, visit, *rest in rows:
        about = About(*rest)
        counted = Counted(at, about, again, Visit(kind, origin, visit, about.channel))
        found[customer_id].append((message_id, counted))
    return found


def taken(
    cursor: Cursor[Any], customer_ids: Collection[UUID], since: datetime, until: datetime, *, but_of: UUID
) -> Mapping[UUID, Sequence[Counted]]:
    """By customer, what they were sent in a span that is over, by others than one journey."""
    found: dict[UUID, list[Counted]] = defaultdict(list)
    rows = cursor.execute(_TAKEN, [since, until, sorted(customer_ids), but_of]).fetchall()
    for customer_id, at, kind, origin, visit, *rest in rows:
        about = About(*rest)
        found[customer_id].append(Counted(at, about, visit=Visit(kind, origin, visit, about.channel)))
    return found


def zones(cursor: Cursor[Any], people: Collection[UUID], brands: Collection[UUID]) -> "Zones":
    """Where these people are as far as it is known, and these brands."""
    own: dict[UUID, str] = dict(cursor.execute(_ZONES, [sorted(people)]).fetchall())
    known = bool(people) and all(place(own.get(one, "")) for one in people)
    theirs: dict[UUID, str] = {}
    if not known:
        theirs = dict(cursor.execute(_BRAND_ZONES, [sorted(brands)]).fetchall())
    return Zones(own, theirs)


class Zones:
    """A person's own zone, else that of the brand that writes."""

    def __init__(self, people: Mapping[UUID, str], brands: Mapping[UUID, str]) -> None:
        self.people, self.brands = people, brands

    def of(self, customer_id: UUID, brand_id: UUID) -> tuple[ZoneInfo, str]:
        """The zone, and whose it is."""
        own = place(self.people.get(customer_id, ""))
        if own is not None:
            return own, "customer"
        return place(self.brands.get(brand_id, "")) or ZoneInfo("UTC"), "brand"


def place(name: str) -> ZoneInfo | None:
    """The zone of that name; None where it is none, or none any more."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
