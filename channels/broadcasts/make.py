"""Writing to recipients: some whose time has come are taken in hand; each has a message then, or the reason why not.

All of it is one transaction: a recipient has its outcome and its message, or neither. What permission, caps and hours
say as it goes is asked again by dispatch.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from channels.broadcasts import pace
from channels.broadcasts.states import State, keep_at
from channels.broadcasts.tally import count
from channels.broadcasts.timing import due_numbers, dues, late_numbers
from channels.models import Broadcast, BroadcastRecipient, Message
from channels.outbox import NewMessage, write_messages
from channels.reached import reached
from channels.stops import STANDING
from consent import screens
from consent.permission import Choice, Want, choose_addresses
from customers import bells
from customers.pg import raw_cursor

BATCH: Final = 500
# So many may lie in the outbox: a stop has few to take back, and what is late is told as late. Who waits for the hours
# they are sent to in keeps nobody waiting whose hours are others.
STOCK: Final = 10_000
_LATE_BATCH: Final = 5_000

Outcome = BroadcastRecipient.Outcome

_IN_STOCK: Final = """
    SELECT count(*) FROM (
        SELECT 1 FROM channels_message m
        WHERE m.connector_id = %b AND m.scope_id = %b AND m.state IN ('queued', 'held')
          AND (m.due_at <= %b OR m.reason <> 'quiet_hours') LIMIT %b
    ) in_stock
"""
_SCOPES: Final = "ARRAY[%b::uuid, %b, %b, (SELECT k.campaign_id FROM channels_campaignmember k WHERE k.scope_id = %b)]"
_IS_STOPPED: Final = f"SELECT {STANDING.format(scopes=_SCOPES)}"
_WAITING: Final = """
    SELECT one.id, one.profile_id, one.zone FROM unnest(%(zones)b::smallint[]) AS due(zone), LATERAL (
        SELECT r.id, r.profile_id, r.zone FROM channels_broadcastrecipient r
        WHERE r.broadcast_id = %(broadcast)b AND r.is_pilot = %(pilot)b AND r.zone = due.zone AND r.outcome = ''
        ORDER BY r.id LIMIT %(most)b FOR UPDATE SKIP LOCKED
    ) one LIMIT %(most)b
"""
# Who they are by now, and whether another recipient is the same, who was written to or comes first of those waiting.
_WHO: Final = """
    SELECT r.id, r.profile_id, r.zone, p.customer_id, c.zone,
        EXISTS (
            SELECT 1 FROM customers_profile o
            JOIN channels_broadcastrecipient t ON t.profile_id = o.id AND t.broadcast_id = %(broadcast)b
            WHERE o.customer_id = p.customer_id AND o.id <> p.id
              AND (t.id < r.id AND t.outcome = '' OR t.outcome = 'made')
        ),
        NOT %(only_members)b OR EXISTS (
            SELECT 1 FROM customers_segmentmembership m
            WHERE m.customer_id = p.customer_id AND m.segment_id = %(segment)b AND m.left_at IS NULL
        )
    FROM unnest(%(ids)b::bigint[]) AS u(id)
    JOIN channels_broadcastrecipient r ON r.id = u.id
    LEFT JOIN customers_profile p ON p.id = r.profile_id
    LEFT JOIN customers_customer c ON c.id = p.customer_id
    ORDER BY r.id
"""
_SETTLE: Final = """
    UPDATE channels_broadcastrecipient r
    SET outcome = u.outcome, consent_entry_id = u.entry, settled_at = %b
    FROM unnest(%b::bigint[], %b::text[], %b::bigint[]) AS u(id, outcome, entry) WHERE r.id = u.id
"""
_PUT_BACK: Final = """
    UPDATE channels_broadcastrecipient r SET zone = u.zone
    FROM unnest(%b::bigint[], %b::smallint[]) AS u(id, zone) WHERE r.id = u.id
"""
_TOO_LATE: Final = """
    WITH late AS (
        SELECT one.id FROM unnest(%(zones)b::smallint[]) AS over(zone), LATERAL (
            SELECT r.id FROM channels_broadcastrecipient r
            WHERE r.broadcast_id = %(broadcast)b AND r.is_pilot = %(pilot)b AND r.zone = over.zone AND r.outcome = ''
            ORDER BY r.id LIMIT %(most)b FOR UPDATE SKIP LOCKED
        ) one LIMIT %(most)b
    )
    UPDATE channels_broadcastrecipient r SET outcome = 'late', settled_at = %(now)b FROM late WHERE r.id = late.id
"""


@dataclass(slots=True)
class _Recipient:
    id: int
    profile_id: UUID
    zone: int
    customer_id: UUID | None
    zone_name: str | None
    is_twice: bool
    is_member: bool


@dataclass(slots=True)
class _Settled:
    outcome: str
    entry_id: int | None = None


def make(broadcast: Broadcast, now: datetime, *, is_pilot: bool, most: int = BATCH) -> int:
    """Write to some of those who are due; how many recipients came to their end, 0 where none is to be had now."""
    state = State.PILOT if is_pilot else State.SENDING
    with transaction.atomic(), raw_cursor() as cursor:
        # Whoever stops it waits for us, where they want it to be quite still; a stop that stands is seen here.
        if keep_at(cursor, broadcast.pk, (state,)) is None or _is_stopped(cursor, broadcast):
            return 0
        turn = _Turn(cursor, broadcast, now, is_pilot, dues(broadcast, is_pilot=is_pilot))
        if late := turn.settle_the_late():
            return late
        room = min(most, STOCK - turn.in_stock())
        return turn.write_some(room) if room > 0 else 0


def _is_stopped(cursor: Cursor[Any], broadcast: Broadcast) -> bool:
    """By itself, its connector, its brand or its campaign: what is written then would only rest."""
    asked = [broadcast.pk, broadcast.connector_id, broadcast.brand_id, broadcast.pk]
    [[stopped]] = cursor.execute(_IS_STOPPED, asked, prepare=True).fetchall()
    return bool(stopped)


@dataclass(slots=True)
class _Turn:
    """One batch of a broadcast within its transaction."""

    cursor: Cursor[Any]
    broadcast: Broadcast
    now: datetime
    is_pilot: bool
    # By the number of a zone.
    dues: list[datetime]

    def in_stock(self) -> int:
        asked = [self.broadcast.connector_id, self.broadcast.pk, self.now, STOCK]
        [[found]] = self.cursor.execute(_IN_STOCK, asked, prepare=True).fetchall()
        return int(found)

    def settle_the_late(self) -> int:
        """Those for whom it is too late to be written to at all."""
        zones = late_numbers(self.dues, self.broadcast.not_later_than, self.now)
        if not zones:
            return 0
        values = {"zones": zones, "broadcast": self.broadcast.pk, "pilot": self.is_pilot, "most": _LATE_BATCH}
        found = self.cursor.execute(_TOO_LATE, values | {"now": self.now}).rowcount
        count(self.cursor, self.broadcast.pk, self.is_pilot, {Outcome.LATE.value: found})
        return found

    def write_some(self, most: int) -> int:
        per_minute = self.broadcast.per_minute
        if per_minute is None:
            return sum(self._write(most))
        paced = pace.take_turn(self.cursor, self.broadcast.pk)
        leave = min(most, paced.leave(per_minute, self.now))
        if leave <= 0:
            return 0
        let_go, put_back = self._write(leave)
        # Whoever has moved to where it is too early was not let go.
        pace.keep(self.cursor, self.broadcast.pk, paced.after(let_go, per_minute, self.now))
        return let_go + put_back

    def _write(self, most: int) -> tuple[int, int]:
        """How many came to their end, and how many were put back."""
        people = self._take_in_hand(most)
        people, put_back = self._put_back_the_early(people)
        if not people:
            return 0, put_back
        settled = {one.id: self._refusal(one) for one in people}
        asked = [one for one in people if settled[one.id] is None]
        messages = list[NewMessage]()
        for one, choices in zip(asked, self._choose(asked), strict=True):
            settled[one.id] = _Settled(_outcome(choices), choices[0].verdict.entry_id)
            messages += [self._message(one, choice) for choice in choices if choice.verdict.allowed]
        self._make_screens(messages)
        write_messages(self.cursor, messages)
        self._settle({id_: one for id_, one in settled.items() if one is not None})
        if messages:
            bells.ring("dispatch")
        return len(people), put_back

    def _take_in_hand(self, most: int) -> list[_Recipient]:
        zones = due_numbers(self.dues, self.now)
        values: dict[str, Any] = {"zones": zones, "broadcast": self.broadcast.pk, "pilot": self.is_pilot, "most": most}
        ids = [row[0] for row in self.cursor.execute(_WAITING, values, prepare=True).fetchall()]
        if not ids:
            return []
        values = {
            "ids": ids,
            "broadcast": self.broadcast.pk,
            "segment": self.broadcast.segment_id,
            "only_members": self.broadcast.only_members,
        }
        return [_Recipient(*row) for row in self.cursor.execute(_WHO, values, prepare=True).fetchall()]

    def _put_back_the_early(self, people: Sequence[_Recipient]) -> tuple[list[_Recipient], int]:
        """Who is elsewhere by now, where their time has not come yet, waits for it there."""
        numbers = {name: number for number, name in enumerate(self.broadcast.zones)}
        moved = {one.id: numbers.get(one.zone_name or "", one.zone) for one in people} if numbers else {}
        early = {id_: zone for id_, zone in moved.items() if self.dues[zone] > self.now}
        if early:
            self.cursor.execute(_PUT_BACK, [list(early), list(early.values())])
        for one in people:
            one.zone = moved.get(one.id, one.zone)
        return [one for one in people if one.id not in early], len(early)

    def _refusal(self, one: _Recipient) -> _Settled | None:
        if one.customer_id is None:
            return _Settled(Outcome.ERASED)
        if one.is_twice:
            return _Settled(Outcome.TWICE)
        if not one.is_member:
            return _Settled(Outcome.LEFT_SEGMENT)
        if self.dues[one.zone] + self.broadcast.not_later_than <= self.now:
            return _Settled(Outcome.LATE)
        return None

    def _choose(self, people: Sequence[_Recipient]) -> list[list[Choice]]:
        of = self.broadcast
        wants = [Want(one.customer_id, of.channel, of.purpose_id) for one in people if one.customer_id]
        return reached([of] * len(wants), choose_addresses(wants, self.now))

    def _message(self, one: _Recipient, choice: Choice) -> NewMessage:
        of = self.broadcast
        if of.template_version_id is None:
            raise ValueError("a broadcast that was not started writes to nobody")
        return NewMessage(
            brand_id=of.brand_id,
            origin_kind=Message.Origin.BROADCAST.value,
            origin_id=str(one.id),
            visit=0,
            copy_key=copy_key(of.pk),
            scope_id=of.pk,
            channel=of.channel,
            connector_id=of.connector_id,
            template_version_id=of.template_version_id,
            purpose_id=of.purpose_id,
            profile_id=choice.profile_id or one.profile_id,
            address_id=choice.address_id,
            created_at=self.now,
            due_at=self.now,
            expires_at=self.dues[one.zone] + of.not_later_than,
            context={},
            entry_consent_id=choice.verdict.entry_id,
            address_verified_at=choice.verified_at,
            address_seen_at=choice.seen_at,
            addresses_known=choice.known,
            priority=of.priority,
        )

    def _make_screens(self, messages: Sequence[NewMessage]) -> None:
        own = [(one.channel, one.profile_id) for one in messages if one.channel in screens.CHANNELS]
        screens.make(self.cursor, own, self.now)

    def _settle(self, settled: dict[int, _Settled]) -> None:
        outcomes = [one.outcome for one in settled.values()]
        entries = [one.entry_id for one in settled.values()]
        self.cursor.execute(_SETTLE, [self.now, list(settled), outcomes, entries], prepare=True)
        count(self.cursor, self.broadcast.pk, self.is_pilot, Counter(outcomes))


def _outcome(choices: Sequence[Choice]) -> str:
    if any(choice.verdict.allowed for choice in choices):
        return Outcome.MADE.value
    return choices[0].verdict.reason


def copy_key(broadcast_id: UUID) -> str:
    """One address gets one copy of a broadcast, whoever uses it."""
    return f"broadcast:{broadcast_id}"
