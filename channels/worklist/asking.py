"""Whether somebody may be called for a task now: what a send asks, asked at the claim, since the call is made then.

The caller holds stop, address and task. The order is that of a send: lateness, permission, the person's own frequency,
caps and hours, and last whoever wanted the message.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from channels import frequency, guards
from channels.dispatch.later import put_off_until
from channels.models import Reason
from channels.pacing import sending as pacing
from channels.pacing.rules import About, Visit
from consent.models import Purpose
from consent.permission import Ask, permissions
from customers.pg import raw_cursor

_SUBJECT: Final = """
    SELECT t.id, t.connector_id, t.brand_id, t.address_id, t.profile_id, m.id, m.scope_id, m.purpose_id, u.kind,
           m.origin_kind, m.origin_id, m.visit, m.channel, c.is_active
    FROM channels_task t JOIN channels_message m ON m.id = t.message_id
    JOIN consent_purpose u ON u.id = m.purpose_id JOIN channels_connector c ON c.id = t.connector_id
    WHERE t.id = %b
"""
_EVERY_DAYS: Final = "SELECT every_days FROM consent_preference WHERE address_id = %b AND brand_id = %b"
_WHOSE: Final = "SELECT customer_id FROM customers_profile WHERE id = %b"


class Subject(NamedTuple):
    """A task with what its message was for."""

    id: UUID
    connector_id: UUID
    brand_id: UUID
    address_id: UUID | None
    profile_id: UUID
    message_id: UUID
    scope_id: UUID
    purpose_id: UUID
    purpose_kind: str
    origin_kind: str
    origin_id: str
    visit: int
    channel: str
    is_on: bool

    @property
    def scopes(self) -> list[UUID]:
        return [self.scope_id, self.connector_id, self.brand_id]


class NotNow(Exception):
    """Nobody can say just now: a stop stands, or an identity or another message of the person is in hand."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why nobody is to be called: until then, or (None) any more."""

    reason: str
    until: datetime | None = None


def subject_of(cursor: Cursor[Any], task_id: UUID) -> Subject | None:
    row = cursor.execute(_SUBJECT, [task_id]).fetchone()
    return None if row is None else Subject(*row)


def pace(cursor: Cursor[Any], task: Subject, now: datetime) -> pacing.Paced:
    """The policies it is under, its customer locked where they count. Raises NotNow."""
    about = About(task.brand_id, task.channel, task.purpose_id, task.purpose_kind)
    visit = Visit(task.origin_kind, task.origin_id, task.visit, task.channel)
    try:
        return pacing.begin(cursor, about, visit, task.profile_id, now)
    except pacing.Busy:
        raise NotNow(Reason.BUSY) from None


def objection(task: Subject, paced: pacing.Paced, due_at: datetime, now: datetime) -> Objection | None:
    """None: nothing stands against it. Raises NotNow."""
    customer_id = _whose(task.profile_id)
    if customer_id is None or task.address_id is None:
        return Objection(Reason.ERASED)
    verdict = permissions([Ask(customer_id, task.address_id, task.purpose_id)], now)[0]
    found = Objection(verdict.reason) if not verdict.allowed else None
    found = found or _too_often(task, task.address_id, due_at, now) or _paced(task, paced, customer_id, due_at, now)
    found = found or _guarded(task, customer_id, now)
    if not paced.is_for(customer_id) or _whose(task.profile_id) != customer_id:
        # A merge came between: what was just read was read of nobody, be it a yes or a no.
        raise NotNow(Reason.UNRESOLVED)
    return found


def _whose(profile_id: UUID) -> UUID | None:
    with raw_cursor() as cursor:
        row = cursor.execute(_WHOSE, [profile_id]).fetchone()
    return None if row is None else row[0]


def _too_often(task: Subject, address_id: UUID, due_at: datetime, now: datetime) -> Objection | None:
    if task.purpose_kind != Purpose.Kind.MARKETING:
        return None
    with raw_cursor() as cursor:
        row = cursor.execute(_EVERY_DAYS, [address_id, task.brand_id]).fetchone()
    if row is None or not row[0]:
        return None
    found = frequency.next_one(task.message_id, address_id, task.brand_id, row[0], now)
    return None if found is None else _until(Reason.TOO_OFTEN, found.at, found.is_known, due_at, now)


def _paced(task: Subject, paced: pacing.Paced, customer_id: UUID, due_at: datetime, now: datetime) -> Objection | None:
    block = paced.look(task.message_id, customer_id, now)
    return None if block is None else _until(block.reason, block.until, block.is_known, due_at, now)


def _until(reason: str, at: datetime | None, is_known: bool, due_at: datetime, now: datetime) -> Objection:
    return Objection(reason, put_off_until(at, due_at, now, is_known=is_known))


def _guarded(task: Subject, customer_id: UUID, now: datetime) -> Objection | None:
    ask = guards.GuardAsk(
        task.message_id, task.origin_kind, task.origin_id, task.channel, task.profile_id, customer_id, now
    )
    answer = guards.ask(ask)
    if isinstance(answer, guards.Wait):
        raise NotNow(answer.reason)
    return None if answer is None else Objection(answer.reason)
