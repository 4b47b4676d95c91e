"""What became of the recipients of a broadcast, in numbers that add up: recipients = waiting + made + refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from channels.models import BroadcastRecipient
from customers.pg import raw_cursor

Outcome = BroadcastRecipient.Outcome

_ADD: Final = """
    INSERT INTO channels_broadcasttally (broadcast_id, is_pilot, outcome, recipients)
    SELECT %b, %b, u.outcome, u.recipients FROM unnest(%b::text[], %b::int[]) AS u(outcome, recipients)
    WHERE u.recipients > 0
"""
_SUM: Final = """
    SELECT outcome, sum(recipients)::bigint FROM channels_broadcasttally
    WHERE broadcast_id = %b AND (is_pilot OR NOT %b) GROUP BY outcome
"""
_TAKEN_IN: Final = "SELECT recipients, pilots FROM channels_broadcastprogress WHERE broadcast_id = %b"
# By the states of messages; those of who has several devices are several.
_MESSAGES: Final = """
    SELECT m.state, count(*) FROM channels_message m WHERE m.scope_id = %b GROUP BY m.state
"""


def count(cursor: Cursor[Any], broadcast_id: UUID, is_pilot: bool, outcomes: Mapping[str, int]) -> None:
    """Note these within the transaction that settles them."""
    cursor.execute(_ADD, [broadcast_id, is_pilot, list(outcomes), list(outcomes.values())], prepare=True)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of all recipients, or of the pilot group's."""

    recipients: int = 0
    # By outcome, of those that have one.
    settled: Mapping[str, int] = field(default_factory=dict)

    @property
    def made(self) -> int:
        return self.settled.get(Outcome.MADE, 0)

    @property
    def refused(self) -> dict[str, int]:
        return {outcome: n for outcome, n in sorted(self.settled.items()) if outcome != Outcome.MADE}

    @property
    def waiting(self) -> int:
        return self.recipients - sum(self.settled.values())


def numbers(broadcast_id: UUID, *, pilot_only: bool = False) -> Numbers:
    with raw_cursor() as cursor:
        # What is settled first: whoever is taken in meanwhile counts as waiting, and nothing falls below nothing.
        settled = dict(cursor.execute(_SUM, [broadcast_id, pilot_only]).fetchall())
        row = cursor.execute(_TAKEN_IN, [broadcast_id]).fetchone() or (0, 0)
    return Numbers(row[1] if pilot_only else row[0], settled)


def messages_by_state(broadcast_id: UUID) -> dict[str, int]:
    with raw_cursor() as cursor:
        return dict(cursor.execute(_MESSAGES, [broadcast_id]).fetchall())
