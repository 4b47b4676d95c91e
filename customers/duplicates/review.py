"""What people decide of a pair: that it is one person, merged at once, or that it is two, which is remembered."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from customers import merging
from customers.duplicates.search import customers_of
from customers.merging.decide import decision
from customers.models import DuplicatePair, ProfileBrand

if TYPE_CHECKING:
    from customers.sight import Person


class NotOpen(Exception):
    """Somebody has decided meanwhile, or there is no question any more."""


class StillApart(Exception):
    """The decision would not make one customer of them."""


def preview(pair: DuplicatePair, by: "Person", now: datetime) -> merging.Preview:
    return merging.preview_join(pair.low_id, pair.high_id, _decision(pair, by, now))


@transaction.atomic
def accept(pair: DuplicatePair, by: "Person", now: datetime) -> None:
    """Merge them: an edge with who decided it, and in which review."""
    locked = _lock(pair)
    merging.join(pair.low_id, pair.high_id, _decision(pair, by, now))
    homes = customers_of([pair])
    if homes[pair.low_id] != homes[pair.high_id]:
        raise StillApart
    _decide([locked], DuplicatePair.State.ACCEPTED, by, now)


@transaction.atomic
def reject(pairs: Collection[UUID], by: "Person", now: datetime) -> int:
    """They are two people. No edge is written: evidence to come may still join them, a later search does not ask
    again unless something agrees better than now. Who wants them apart for good takes them apart."""
    rows = DuplicatePair.objects.select_for_update().filter(pk__in=list(pairs), state=DuplicatePair.State.OPEN)
    return _decide([pair.pk for pair in rows.order_by("pk")], DuplicatePair.State.REJECTED, by, now)


def _lock(pair: DuplicatePair) -> UUID:
    row = DuplicatePair.objects.select_for_update().filter(pk=pair.pk, state=DuplicatePair.State.OPEN).first()
    if row is None:
        raise NotOpen
    return row.pk


def _decide(pairs: Collection[UUID], state: str, by: Any, now: datetime) -> int:
    return DuplicatePair.objects.filter(pk__in=list(pairs)).update(state=state, decided_by=by, decided_at=now)


def _decision(pair: DuplicatePair, by: "Person", now: datetime) -> merging.Decision:
    seen = ProfileBrand.objects.filter(profile_id=pair.low_id).order_by("first_seen_at", "brand_id")
    brand = seen.values_list("brand_id", flat=True)[0]
    return decision(brand, by, f"duplicate:{pair.pk}", now)
