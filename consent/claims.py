"""Grants that nobody but a page tells of: asked about by mail where they would count, kept with a reason where not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from consent.confirming import ask
from consent.confirming.ask import Asking
from consent.confirming.limits import ANOTHER, NO_MAIL, NO_MAILBOX
from consent.ledger import NewEntry
from consent.models import ConsentHead, Method, State
from consent.permission import Ask, permissions
from customers.models import Profile
from customers.models.address import Channel

# What a consent hangs on: (address, profile or none, purpose).
Key = tuple[UUID, UUID | None, UUID]

_SURELY_SAID: Final = """
    SELECT u.address_id, u.profile_id, u.purpose_id, surely.state, surely.effective_at
    FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[]) AS u(address_id, profile_id, purpose_id), LATERAL (
        SELECT e.state, e.effective_at FROM consent_consententry e
        WHERE e.address_id = u.address_id AND e.profile_id = u.profile_id AND e.purpose_id = u.purpose_id
          AND e.method <> 'claim' AND NOT e.state = ANY(%b)
        ORDER BY e.effective_at DESC, (e.state = ANY(%b)), e.id DESC LIMIT 1
    ) surely
"""


def is_claimed_grant(method: str, state: str) -> bool:
    return method == Method.CLAIM and state in State.permitting()


class _Said(NamedTuple):
    """Sorts by what is in force: the later, and at one time the refusal."""

    effective_at: datetime
    is_no_grant: bool
    state: str


@dataclass(slots=True)
class Refusals:
    """What was surely said last, so that a claim does not take a no back; told what is said meanwhile."""

    held: dict[Key, _Said] = field(default_factory=dict)

    def hear(self, entry: NewEntry) -> None:
        if entry.method == Method.CLAIM or entry.state in State.undecided():
            return
        key = (entry.address_id, entry.profile_id, entry.purpose_id)
        said = _said(entry.state, min(entry.occurred_at, entry.received_at or entry.occurred_at))
        # What comes late is not in force for that.
        self.held[key] = max(self.held.get(key, said), said)

    def stand_against(self, entry: NewEntry) -> bool:
        said = self.held.get((entry.address_id, entry.profile_id, entry.purpose_id))
        return said is not None and said.state in State.opposing()


def _said(state: str, effective_at: datetime) -> _Said:
    return _Said(effective_at, state not in State.permitting(), state)


def refusals(cursor: Cursor[Any], claimed: Iterable[Key]) -> Refusals:
    """What stands against these, or for them."""
    keys = sorted(set(claimed), key=str)
    if not keys:
        return Refusals()
    given: list[Sequence[Any]] = [list(column) for column in zip(*keys, strict=True)]
    states = [[str(one) for one in some] for some in (State.undecided(), State.permitting())]
    cursor.execute(_SURELY_SAID, [*given, *states])
    return Refusals({(address, profile, purpose): _said(*said) for address, profile, purpose, *said in cursor})


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
    """Whether it was granted already and nobody took it back since, so that the page says nothing new."""
    head = ConsentHead.objects.filter(
        address=asking.address_id, profile=asking.profile_id, purpose=asking.purpose_id
    ).first()
    if head is None or head.state not in State.permitting():
        return False
    return (head.valid_until is None or head.valid_until > now) and not _is_taken_back(asking, now)


def _is_taken_back(asking: Asking, now: datetime) -> bool:
    """By a word that binds the address, or the person as such."""
    customer = Profile.objects.filter(pk=asking.profile_id).values_list("customer_id", flat=True).first()
    if customer is None or asking.purpose_id is None:
        return False
    [verdict] = permissions([Ask(customer, asking.address_id, asking.purpose_id)], now, heed_pauses=False)
    return verdict.reason == "withdrawn"
