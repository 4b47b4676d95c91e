"""The search as a job of a brand, and what becomes of its pairs: new ones proposed, settled ones put away."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from customers import jobs
from customers.duplicates import linking
from customers.duplicates.linking import Match, NothingToCompare
from customers.duplicates.records import count, records
from customers.jobs import Slice
from customers.models import Assurance, Brand, DuplicatePair, EdgeKind, Job
from customers.pg import raw_cursor

DUPLICATES: Final = "duplicates"
# More than people will look at before the next search; the report says that there are more.
MOST: Final = 5_000
# Nobody else takes the search over meanwhile: it is one piece of work.
_TAKES: Final = timedelta(minutes=5)
_HOMES: Final = "SELECT id, customer_id FROM customers_profile WHERE id = ANY(%b)"
_KNOWN: Final = """
    SELECT d.id, l.customer_id, h.customer_id, d.state, d.evidence FROM customers_duplicatepair d
    JOIN customers_profile l ON l.id = d.low_id JOIN customers_profile h ON h.id = d.high_id
    WHERE d.state IN ('open', 'rejected')
      AND EXISTS (SELECT 1 FROM customers_profilebrand b WHERE b.profile_id = d.low_id AND b.brand_id = %b)
      AND EXISTS (SELECT 1 FROM customers_profilebrand b WHERE b.profile_id = d.high_id AND b.brand_id = %b)
    ORDER BY d.id FOR UPDATE OF d
"""
# Whoever took two apart has said that they are two people.
_APART: Final = """
    SELECT DISTINCT l.customer_id, h.customer_id FROM customers_edge e
    JOIN customers_profile l ON l.id = e.low_id JOIN customers_profile h ON h.id = e.high_id
    WHERE e.kind = %b AND e.assurance = %b AND (l.customer_id = ANY(%b) OR h.customer_id = ANY(%b))
"""
# Two customers, the lesser first.
Two = tuple[UUID, UUID]


def ask(brand: Brand, now: datetime, by: Any = None) -> Job:
    return jobs.ask(
        DUPLICATES, now, by=by, once=True, brand=brand, subject=brand.name, arguments={"brand": str(brand.pk)}
    )


def ask_for_all(now: datetime) -> int:
    """The search of every brand, where it can be made at all."""
    if not linking.is_available():
        return 0
    return len([ask(brand, now) for brand in Brand.objects.order_by("pk")])


def look(turn: Slice) -> bool:
    """The whole job; it is not cut into slices, as the weights are learnt from everybody at once."""
    if not linking.is_available():
        turn.job.report = {"missing": "splink"}
        return True
    brand = UUID(turn.job.arguments["brand"])
    turn.hold(_TAKES)
    turn.note(total=count(brand))
    try:
        matches = linking.find(records(brand), most=MOST + 1)
    except NothingToCompare:
        matches = []
    with transaction.atomic():
        turn.job.report = propose(brand, matches, turn.now)
        turn.note(done=turn.job.total)
    return True


def propose(brand: UUID, matches: Sequence[Match], now: datetime) -> dict[str, int]:
    """Keep what was found, in one transaction; return what became of it, in numbers."""
    is_all = len(matches) <= MOST
    with raw_cursor() as cursor:
        homes = dict(cursor.execute(_HOMES, [[UUID(m) for one in matches for m in (one.low, one.high)]]).fetchall())
        known = cursor.execute(_KNOWN, [brand, brand]).fetchall()
        customers = sorted(set(homes.values()))
        apart = cursor.execute(_APART, [EdgeKind.SPLIT.value, int(Assurance.PERSON), customers, customers]).fetchall()
    open_ = {_two(low, high): pk for pk, low, high, state, _evidence in known if state == DuplicatePair.State.OPEN}
    rejected: dict[Two, list[Any]] = {}
    for _pk, low, high, state, evidence in known:
        if state == DuplicatePair.State.REJECTED:
            rejected.setdefault(_two(low, high), []).append(evidence)
    told_apart = {_two(low, high) for low, high in apart}
    report = {"proposed": 0, "open": 0, "rejected_before": 0, "settled": 0, "left_off": int(not is_all)}
    found: set[Two] = set()
    for match in matches[:MOST]:
        two = _two(homes.get(UUID(match.low)), homes.get(UUID(match.high)))
        if two is None or two in found:
            continue
        found.add(two)
        if two in told_apart or not all(agrees_better(match, evidence) for evidence in rejected.get(two, ())):
            found.discard(two)
            report["rejected_before"] += 1
            continue
        report["open"] += 1
        report["proposed"] += _keep(match, open_.get(two), now)
    gone = [pk for two, pk in open_.items() if two is None or (is_all and two not in found)]
    report["settled"] = DuplicatePair.objects.filter(pk__in=gone).update(state=DuplicatePair.State.SETTLED)
    return report


def agrees_better(match: Match, before: Iterable[dict[str, Any]]) -> bool:
    """Whether the evidence has changed in substance since the pair was rejected: something agrees that did not, or
    agrees more closely. Other weights of the same agreement are no news."""
    levels = {str(one["on"]): int(one["level"]) for one in before}
    return any(one.level > max(levels.get(one.on, 0), 0) for one in match.evidence)


def told(match: Match) -> list[dict[str, Any]]:
    return [{"on": one.on, "weight": one.weight, "level": one.level, "of": one.of} for one in match.evidence]


def _keep(match: Match, known: UUID | None, now: datetime) -> bool:
    """Whether the pair is new to those who decide."""
    values = {"probability": match.probability, "evidence": told(match)}
    if known is not None:
        DuplicatePair.objects.filter(pk=known).update(**values)
        return False
    opened = {"state": DuplicatePair.State.OPEN, "found_at": now, "decided_by": None, "decided_at": None}
    DuplicatePair.objects.update_or_create(
        low_id=UUID(match.low), high_id=UUID(match.high), defaults={**values, **opened}
    )
    return True


def _two(one: UUID | None, other: UUID | None) -> Any:
    """None where they are one customer, or somebody is no longer there."""
    if one is None or other is None or one == other:
        return None
    return (one, other) if one < other else (other, one)


def register() -> None:
    jobs.register(DUPLICATES, _("Look for duplicates"), look)


def customers_of(pairs: Collection[DuplicatePair]) -> dict[UUID, UUID]:
    """By profile, whose it is now."""
    profiles = [profile for pair in pairs for profile in (pair.low_id, pair.high_id)]
    with raw_cursor() as cursor:
        return dict(cursor.execute(_HOMES, [profiles]).fetchall())
