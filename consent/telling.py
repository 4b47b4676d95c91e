"""That a permission may have changed, told inside by whichever way it did, so that exits by condition are asked again.

Every entry of the ledger and every suppression comes by here, in the transaction that writes it: a link, the preference
centre, the staff, a list, a STOP and a bounce make no event of their own that a journey could wait for. It says no more
than that there is something to be looked at; and as what a list says of the past holds from now on, it is no history.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from customers import bells, internal
from customers.awaited import is_awaited
from customers.internal import Cause, Internal

CHANGED: Final = "permission.changed"
# What binds an address binds whoever uses it; that of a person has the id of the profile.
_USERS: Final = """
    SELECT address_id, profile_id FROM customers_addressprofile WHERE address_id = ANY(%b)
    UNION SELECT id, id FROM customers_profile WHERE id = ANY(%b)
"""


class Change(NamedTuple):
    """Of whom; in which brand, or in every one that knows them; what it is of, by which it is told once; and the event
    that it came by."""

    profile_id: UUID
    brand_id: UUID | None
    key: str
    event_id: int | None = None


def users_of(cursor: Cursor[Any], addresses: Iterable[UUID]) -> Mapping[UUID, list[UUID]]:
    """The profiles that use each of the addresses, as far as anybody does."""
    wanted, users = list(addresses), defaultdict[UUID, list[UUID]](list)
    if wanted:
        for address, profile in cursor.execute(_USERS, [wanted, wanted]).fetchall():
            users[address].append(profile)
    return users


def is_told() -> bool:
    return is_awaited(CHANGED)


def tell(cursor: Cursor[Any], changes: Iterable[Change], now: datetime) -> None:
    """Tell it once of each profile in a brand, however many purposes it is about."""
    first: dict[tuple[UUID, UUID | None], Change] = {}
    for one in changes:
        first.setdefault((one.profile_id, one.brand_id), one)
    happened = (
        Internal(CHANGED, one.profile_id, f"{one.key}-{one.profile_id}", {}, Cause(one.event_id), one.brand_id)
        for one in first.values()
    )
    if internal.tell(cursor, happened, frozenset({CHANGED}), now):
        bells.ring("engine")
