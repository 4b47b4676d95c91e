"""What may go, but not now: held until it may, or suppressed where that would be too late."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from channels import frequency
from channels.dispatch.claim import Claimed
from channels.dispatch.settle import Outcome, State
from channels.models import Reason
from channels.pacing.sending import Paced
from consent.models import Purpose

# How long before its end a message is tried once more that waits for another's fate.
_LAST_TRY: Final = timedelta(seconds=10)
_SOON: Final = timedelta(seconds=5)


def too_often(message: Claimed, every_days: int | None, now: datetime) -> Outcome | None:
    """Held until the person wants the next one."""
    if not every_days or message.purpose_kind != Purpose.Kind.MARKETING or message.address_id is None:
        return None
    next_one = frequency.next_one(message.id, message.address_id, message.brand_id, every_days, now)
    if next_one is None:
        return None
    decision = {"every_days": every_days, "next_at": next_one.at.isoformat()}
    return _later(message, Reason.TOO_OFTEN, next_one.at, decision, now, is_known=next_one.is_known)


def not_now(message: Claimed, paced: Paced, customer_id: UUID, now: datetime) -> Outcome | None:
    """Held until the policies of pacing let it go."""
    block = paced.look(message.id, customer_id, now)
    if block is None:
        return None
    return _later(message, block.reason, block.until, noted(paced), now, is_known=block.is_known)


def noted(paced: Paced) -> dict[str, Any]:
    """What pacing found, to be kept with the message; nothing where no policy stands."""
    return {"pacing": paced.notes} if paced.notes else {}


def _later(
    message: Claimed, reason: Reason, at: datetime | None, decision: dict[str, Any], now: datetime, *, is_known: bool
) -> Outcome:
    until = put_off_until(at, message.expires_at, now, is_known=is_known)
    if until is None:
        return Outcome(State.SUPPRESSED, reason, decision=decision)
    return Outcome(State.HELD, reason, due_at=until, decision=decision)


def put_off_until(at: datetime | None, expires_at: datetime, now: datetime, *, is_known: bool) -> datetime | None:
    """When to ask again; None where that would be too late."""
    if at is not None and not is_known:
        # The one in hand may be refused yet: as long as there is time, this one may go. When there is none any more
        # it is over for this reason, and not for being late.
        at = min(at, max(expires_at - _LAST_TRY, now + _SOON))
    return None if at is None or at >= expires_at else at
