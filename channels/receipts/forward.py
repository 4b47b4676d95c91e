"""Where a receipt takes a message: only on, never back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from channels.models import Message, Reason
from channels.models.callback import Receipt

State = Message.State
Happened = Receipt.Happened

_RANK: Final[Mapping[str, int]] = {State.SENT: 1, State.DELIVERED: 2, State.OPENED: 3, State.CLICKED: 4}
_REACHED: Final[Mapping[str, str]] = {
    Happened.SENT: State.SENT,
    Happened.DELIVERED: State.DELIVERED,
    Happened.OPENED: State.OPENED,
    Happened.CLICKED: State.CLICKED,
    # Who complains or has enough of it has got it.
    Happened.COMPLAINED: State.DELIVERED,
    Happened.UNSUBSCRIBED: State.DELIVERED,
}
_LOST: Final[Mapping[str, str]] = {Happened.BOUNCED: Reason.BOUNCED, Happened.FAILED: Reason.REFUSED}
# Handed over, or perhaps handed over: of these a provider may know more than we do.
_OPEN: Final = frozenset((State.QUEUED, State.HELD, State.LEASED, State.DISPATCHING, State.UNKNOWN))
# Failures that are our own guess; a provider that says otherwise is right.
_GUESSED: Final = frozenset((Reason.TROUBLE, Reason.INTERRUPTED, Reason.CRASHED))


@dataclass(frozen=True, slots=True)
class Stand:
    state: str
    reason: str = ""


def forward(now_at: Stand, happened: str, *, is_machine: bool = False) -> Stand | None:
    """Where the message stands after this; None: where it stood.

    What a machine opened is not read by anybody, though it has arrived.
    """
    if is_machine and happened in (Happened.OPENED, Happened.CLICKED):
        happened = Happened.DELIVERED
    if reached := _REACHED.get(happened):
        return Stand(reached) if _may_reach(now_at, reached) else None
    if (lost := _LOST.get(happened)) and (now_at.state in _OPEN or now_at.state == State.SENT):
        return Stand(State.FAILED, lost)
    return None


def _may_reach(now_at: Stand, reached: str) -> bool:
    if now_at.state in _RANK:
        return _RANK[reached] > _RANK[now_at.state]
    return now_at.state in _OPEN or (now_at.state == State.FAILED and now_at.reason in _GUESSED)
