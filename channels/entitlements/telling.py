"""What became of entitlements, told as events of the reserved source, so that journeys can hold on them and other
systems be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from channels import origins
from channels.entitlements.leaf import KIND
from channels.models import Origin
from customers import bells
from customers.awaited import names_under_lock
from customers.internal import Cause, Internal
from customers.internal import tell as tell_inside
from customers.segments.watch import Change, tell_watchers, watchers_of

GRANTED: Final = "entitlement.granted"
USED: Final = "entitlement.used"
REVOKED: Final = "entitlement.revoked"
EXPIRED: Final = "entitlement.expired"
RESERVED: Final = (GRANTED, USED, REVOKED, EXPIRED)
_NOTHING: Final = Cause()
_ABOUT: Final = """
    SELECT e.id, e.brand_id, e.profile_id, e.key, e.expires_at, e.origin, e.origin_id, e.scope_id, e.step_id,
           e.entry_key
    FROM channels_entitlement e WHERE e.id = ANY(%b)
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """An entry of the ledger; `by` is who made it, which need not be who granted."""

    entry_id: int
    entitlement_id: UUID
    quantity: int | None
    remaining: int | None
    by: Origin


def tell(cursor: Cursor[Any], name: str, entries: Sequence[Happened], now: datetime) -> None:
    """Tell of these, if anybody waits for that, and have segments that look at it look again."""
    awaited = names_under_lock()
    watchers = watchers_of(cursor, [KIND])
    if name not in awaited and not watchers:
        return
    rows = cursor.execute(_ABOUT, [[one.entitlement_id for one in entries]]).fetchall()
    about = {row[0]: row[1:] for row in rows}
    of_runs = {(Origin.RUN.value, row[6]) for row in rows if row[5] == Origin.RUN}
    causes = origins.causes_of(cursor, of_runs)
    told = [about[one.entitlement_id] for one in entries]
    changes = (Change(KIND, row[2], row[0], row[1], causes.get((row[4], row[5]), _NOTHING)) for row in told)
    watched = tell_watchers(cursor, watchers, changes, now)
    events = [_event(name, one, about[one.entitlement_id], causes) for one in entries] if name in awaited else []
    if tell_inside(cursor, events, awaited, now) or watched:
        bells.ring("engine")


def _event(name: str, one: Happened, about: tuple[Any, ...], causes: dict[tuple[str, str], Cause]) -> Internal:
    brand_id, profile_id, key, expires_at, origin, origin_id, scope_id, step_id, entry_key = about
    said = {
        "entitlement": str(one.entitlement_id),
        "key": key,
        "quantity": one.quantity,
        "remaining": one.remaining,
        "expires_at": expires_at.isoformat() if expires_at else None,
        "by": one.by.value,
        "origin": origin,
    }
    if scope_id is not None:
        said |= {"origin_id": origin_id, "scope": str(scope_id), "step": step_id, "entry_key": entry_key}
    cause = causes.get((origin, origin_id), _NOTHING)
    return Internal(name, profile_id, f"entitlement-{one.entry_id}", said, cause, brand_id)
