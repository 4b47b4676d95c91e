"""The kinds of data that are kept for a time, and who may hold them longer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from customers.models import RetentionRule

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

# The oldest moment from which something is still needed; None: nothing is.
Holder = Callable[[datetime], datetime | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows `t` of `table` go when their `time` is older than the cutoff and `where` holds; or, with `months`, the
    partitions of these tables are dropped whole. `time`, `where` and `brand`, which says whose a row is, are SQL over
    `t`. It is kept at least as long as the kind `as_long_as`."""

    key: str
    label: "_StrOrPromise"
    protects: "_StrOrPromise"
    days: int
    table: str = ""
    time: str = ""
    where: str = "true"
    brand: str = ""
    months: tuple[str, ...] = ()
    as_long_as: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A kind, in one brand or in all that have no rule of their own, with what is older than its time."""

    kind: Kind
    brand_id: UUID | None
    days: int
    cutoff: datetime
    others: tuple[UUID, ...] = ()


_kinds: dict[str, Kind] = {}
_holders: dict[str, list[Holder]] = {}


def register(*kinds: Kind) -> None:
    _kinds.update({kind.key: kind for kind in kinds})


def hold(key: str, holder: Holder) -> None:
    """Let `holder` say since when rows of this kind are needed still."""
    holders = _holders.setdefault(key, [])
    if holder not in holders:
        holders.append(holder)


def kinds() -> Mapping[str, Kind]:
    return _kinds


def needed_since(kind: Kind, now: datetime) -> datetime | None:
    moments = [moment for holder in _holders.get(kind.key, ()) if (moment := holder(now)) is not None]
    return min(moments, default=None)


def shares(now: datetime) -> list[Share]:
    """Every kind with its duration: the product's, the installation's, or a brand's own."""
    rules = {(rule.kind, rule.brand_id): rule.days for rule in RetentionRule.objects.all()}
    found = []
    for kind in _kinds.values():
        general = general_days(kind, rules)
        own = {brand: days for (key, brand), days in rules.items() if key == kind.key and brand and kind.brand}
        found.append(Share(kind, None, general, now - timedelta(days=general), tuple(own)))
        found += [Share(kind, brand, days, now - timedelta(days=days)) for brand, days in own.items()]
    return found


def days_of(kind: Kind, rules: Mapping[tuple[str, UUID | None], int]) -> int:
    return rules.get((kind.key, None), kind.days)


def general_days(kind: Kind, rules: Mapping[tuple[str, UUID | None], int]) -> int:
    """As long as its own rule says, and as what it belongs to is kept, which may belong to something in turn."""
    own = days_of(kind, rules)
    return max(own, general_days(_kinds[kind.as_long_as], rules)) if kind.as_long_as else own
