"""Who looks at consent looks again at whom it has changed for, segments and journeys: noted where the heads move."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from consent import telling
from consent.rules import KIND
from customers.internal import Cause
from customers.segments.watch import Change, tell_watchers, watchers_of

_PURPOSES = "SELECT id, brand_id, key FROM consent_purpose WHERE id = ANY(%b)"


class Moved(NamedTuple):
    """A head that moved: of an address and a purpose, for a profile or whoever uses the address; by which entry, and
    the event that said so."""

    address_id: UUID
    purpose_id: UUID
    profile_id: UUID | None
    entry_id: int
    event_id: int | None


def tell(cursor: Cursor[Any], moved: Sequence[Moved], now: datetime) -> None:
    """Called by whoever holds the chains of these addresses."""
    watchers = watchers_of(cursor, [KIND]) if moved else {}
    is_told = bool(moved) and telling.is_told()
    if not watchers and not is_told:
        return
    cursor.execute(_PURPOSES, [list({one.purpose_id for one in moved})])
    named = {id_: (brand, key) for id_, brand, key in cursor}
    users = telling.users_of(cursor, {one.address_id for one in moved if one.profile_id is None})
    concerned = [
        (one, profile)
        for one in moved
        for profile in ([one.profile_id] if one.profile_id is not None else users.get(one.address_id, []))
    ]
    changes = (
        Change(KIND, named[one.purpose_id][1], named[one.purpose_id][0], profile, Cause(one.event_id))
        for one, profile in concerned
    )
    tell_watchers(cursor, watchers, changes, now)
    if is_told:
        told = (
            telling.Change(profile, named[one.purpose_id][0], f"entry-{one.entry_id}", one.event_id)
            for one, profile in concerned
        )
        telling.tell(cursor, told, now)
