"""Segments that look at consent look again at whom it has changed for: noted where the heads move."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from consent.rules import KIND
from customers.internal import Cause
from customers.segments.watch import Change, tell_watchers, watchers_of

_PURPOSES = "SELECT id, brand_id, key FROM consent_purpose WHERE id = ANY(%b)"
# What binds an address binds whoever uses it; that of a person has the id of the profile.
_USERS = """
    SELECT address_id, profile_id FROM customers_addressprofile WHERE address_id = ANY(%b)
    UNION SELECT id, id FROM customers_profile WHERE id = ANY(%b)
"""

# (address, purpose, profile or none, the event that said so)
Moved = tuple[UUID, UUID, UUID | None, int | None]


def tell(cursor: Cursor[Any], moved: Sequence[Moved], now: datetime) -> None:
    """Called by whoever holds the chains of these addresses."""
    watchers = watchers_of(cursor, [KIND]) if moved else {}
    if not watchers:
        return
    cursor.execute(_PURPOSES, [list({purpose for _address, purpose, _profile, _event in moved})])
    named = {id_: (brand, key) for id_, brand, key in cursor}
    wide = list({address for address, _purpose, profile, _event in moved if profile is None})
    users: dict[UUID, list[UUID]] = {}
    if wide:
        for address, profile in cursor.execute(_USERS, [wide, wide]).fetchall():
            users.setdefault(address, []).append(profile)
    changes = (
        Change(KIND, named[purpose][1], named[purpose][0], one, Cause(event))
        for address, purpose, profile, event in moved
        for one in ([profile] if profile is not None else users.get(address, []))
    )
    tell_watchers(cursor, watchers, changes, now)
