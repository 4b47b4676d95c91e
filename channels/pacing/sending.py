"""Pacing of one message as it is sent: a lock on its customer while what they had is counted and the call is made.

Nobody waits for that lock, since whoever does holds stops and an address meanwhile: who is busy comes back later.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from channels.pacing.reading import Zones, history, longest, standing, zones
from channels.pacing.rules import About, Block, Cap, Hours, Policy, Visit, counts, covering, judge, of_others
from customers.ids import hash64
from customers.pg import raw_cursor

_CUSTOMER: Final = "SELECT customer_id FROM customers_profile WHERE id = %b"


class Busy(Exception):
    """Another message to the same customer is being counted or handed over."""


@dataclass(slots=True)
class Paced:
    """What a message is under. `customer_id` is who is locked, where anything is counted; `notes` say what was found,
    to be kept with the message."""

    about: About
    visit: Visit
    policies: list[Policy]
    customer_id: UUID | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    def is_for(self, customer_id: UUID | None) -> bool:
        """Whether it is still the locked customer whose message it is; a merge may have come between."""
        return self.customer_id in (None, customer_id)

    def look(self, message_id: UUID, customer_id: UUID, now: datetime) -> Block | None:
        """None: it may go now. Itself it does not count, so one that was let through before is let through again."""
        policies = self.policies
        if not policies:
            return None
        brands = [self.about.brand_id]
        with raw_cursor() as cursor:
            had = [counted for other_id, counted in _had(cursor, policies, customer_id, now) if other_id != message_id]
            known = zones(cursor, [customer_id], brands) if _asks_hours(policies) else Zones({}, {})
        zone, whose = known.of(customer_id, self.about.brand_id)
        block = judge(policies, self.about, had, zone, now, self.visit)
        if block is None:
            self.notes = {"policies": [str(one.id) for one in policies]}
            self.notes |= {"counted": counts(policies, self.about, of_others(had, self.visit), now)}
        else:
            self.notes = dict(block.because)
            if block.until is not None:
                self.notes["until"] = block.until.isoformat()
        if _asks_hours(policies):
            self.notes |= {"zone": zone.key, "zone_of": whose}
        return block


def _had(cursor: Cursor[Any], policies: list[Policy], customer_id: UUID, now: datetime) -> Any:
    if not any(isinstance(one, Cap) for one in policies):
        return ()
    return history(cursor, [customer_id], now - longest(policies), now).get(customer_id, ())


def _asks_hours(policies: list[Policy]) -> bool:
    return any(isinstance(one, Hours) for one in policies)


def begin(cursor: Cursor[Any], about: About, visit: Visit, profile_id: UUID, now: datetime) -> Paced:
    """Which policies a message is under. Where one of them counts, its customer is locked until the transaction ends:
    two messages in hand are counted one after the other, by whatever channel and to whatever address they go.

    Raises Busy where another is in hand.
    """
    paced = Paced(about, visit, covering(standing(cursor, [about.brand_id], now), about))
    if any(isinstance(one, Cap) for one in paced.policies):
        row = cursor.execute(_CUSTOMER, [profile_id], prepare=True).fetchone()
        if row is not None and row[0] is not None:
            paced.customer_id = row[0]
            free = cursor.execute("SELECT pg_try_advisory_xact_lock(%b)", [lock_key(row[0])], prepare=True).fetchone()
            if free is None or not free[0]:
                raise Busy
    return paced


def lock_key(customer_id: UUID) -> int:
    """The advisory lock under which a customer's messages are counted."""
    return hash64("cap", str(customer_id))
