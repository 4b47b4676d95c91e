"""Grants that nobody but a page tells of: asked about by mail where they would count, kept with a reason where not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from consent.confirming import ask
from consent.confirming.ask import Asking
from consent.confirming.limits import ANOTHER, NO_MAIL, NO_MAILBOX
from consent.ledger import NewEntry
from consent.models import ConsentHead, Method, State
from customers.models.address import Channel

# What a consent hangs on: (address, profile or none, purpose).
Key = tuple[UUID, UUID | None, UUID]

_SURELY_REFUSED: Final = """
    SELECT u.address_id, u.profile_id, u.purpose_id
    FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[]) AS u(address_id, profile_id, purpose_id), LATERAL (
        SELECT e.state FROM consent_consententry e
        WHERE e.address_id = u.address_id AND e.profile_id = u.profile_id AND e.purpose_id = u.purpose_id
          AND e.method <> 'claim' AND NOT e.state = ANY(%b)
        ORDER BY e.effective_at DESC, (e.state = ANY(%b)), e.id DESC LIMIT 1
    ) surely
    WHERE surely.state = ANY(%b)
"""


def is_claimed_grant(method: str, state: str) -> bool:
    return method == Method.CLAIM and state in State.permitting()


@dataclass(slots=True)
class Refusals:
    """Which consents were surely refused, so that a claim does not take the no back; told what is said meanwhile."""

    held: set[Key] = field(default_factory=set)

    def hear(self, entry: NewEntry) -> None:
        if entry.method == Method.CLAIM or entry.state in State.undecided():
            return
        key = (entry.address_id, entry.profile_id, entry.purpose_id)
        if entry.state in State.opposing():
            self.held.add(key)
        else:
            self.held.discard(key)

    def stand_against(self, entry: NewEntry) -> bool:
        return (entry.address_id, entry.profile_id, entry.purpose_id) in self.held


def refusals(cursor: Cursor[Any], claimed: Iterable[Key]) -> Refusals:
    """Those that stand against these."""
    keys = sorted(set(claimed), key=str)
    if not keys:
        return Refusals()
    given: list[Sequence[Any]] = [list(column) for column in zip(*keys, strict=True)]
    states = [[str(one) for one in some] for some in (State.undecided(), State.permitting(), State.opposing())]
    cursor.execute(_SURELY_REFUSED, [*given, *states])
    return Refusals(set(cursor.fetchall()))


def ask_about(asking: Asking, channel: str, now: datetime) -> None:
    """Have the person confirm by mail what a page told; once, however often it tells. Under the address's lock."""
    if _stands(asking, now):
        return
    if channel != Channel.EMAIL:
        ask.defer(asking, NO_MAILBOX, now)
    elif not ask.can_ask(asking.brand_id, channel):
        ask.defer(asking, NO_MAIL, now)
    elif not ask.ask(asking, now) and ask.waits_for_another(asking):
        ask.defer(asking, ANOTHER, now)


def _stands(asking: Asking, now: datetime) -> bool:
    """Whether it was granted already, so that the page says nothing new."""
    head = ConsentHead.objects.filter(
        address=asking.address_id, profile=asking.profile_id, purpose=asking.purpose_id
    ).first()
    return (
        head is not None and head.state in State.permitting() and (head.valid_until is None or head.valid_until > now)
    )
