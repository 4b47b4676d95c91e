"""Policies of pacing for the tests, as rules and as rows."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from channels.models import PacingPolicy
from channels.pacing.hours import Span
from channels.pacing.rules import About, Cap, Counted, Hours, Scope
from customers.ids import new_id
from customers.models import Brand
from customers.moments import EVERY_DAY, days_of

BRAND, PURPOSE = UUID(int=1), UUID(int=2)
OFFER = About(BRAND, "email", PURPOSE, "marketing")
EVER = datetime(2020, 1, 1, tzinfo=UTC)


def cap(most: int, span: timedelta, **scope: Any) -> Cap:
    return Cap(uuid4(), Scope(**scope), most, span)


def quiet(starts: str, ends: str, days: str = "", **scope: Any) -> Hours:
    return _hours(starts, ends, days, scope, is_quiet=True)


def window(starts: str, ends: str, days: str = "", **scope: Any) -> Hours:
    return _hours(starts, ends, days, scope, is_quiet=False)


def _hours(starts: str, ends: str, days: str, scope: dict[str, Any], *, is_quiet: bool) -> Hours:
    on = days_of(days) if days else EVERY_DAY
    return Hours(uuid4(), Scope(**scope), Span(on, time.fromisoformat(starts), time.fromisoformat(ends)), is_quiet)


def had(*moments: datetime | None, about: About = OFFER, again: datetime | None = None) -> list[Counted]:
    return [Counted(at, about, again if at is None else None) for at in moments]


def policy(brand: Brand | None, kind: str, **fields: Any) -> PacingPolicy:
    """A row in force since long ago."""
    id_ = new_id()
    values: dict[str, Any] = {"id": id_, "policy_id": id_, "brand": brand, "name": kind, "valid_from": EVER}
    return PacingPolicy.objects.create(**values | {"kind": kind} | fields)


def at_most(brand: Brand | None, most: int, days: int = 1, **fields: Any) -> PacingPolicy:
    return policy(brand, "cap", most=most, span=days, unit="day", **fields)


def quiet_hours(brand: Brand | None, starts: str, ends: str, **fields: Any) -> PacingPolicy:
    return policy(brand, "quiet", starts=time.fromisoformat(starts), ends=time.fromisoformat(ends), **fields)
