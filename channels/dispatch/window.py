"""WhatsApp takes free words for a day after somebody wrote; all else is for templates it has approved.

A little less than a day, since its clock is not ours: what is refused there costs the sender's good name.
"""

from datetime import datetime, timedelta
from typing import Final

from channels.approvals.book import Book, language_of
from channels.dispatch.claim import Claimed
from channels.dispatch.settle import Outcome, State
from channels.models import Reason
from channels.providers.base import Outgoing
from customers.models.address import Channel
from customers.pg import raw_cursor

OPEN_FOR: Final = timedelta(hours=24) - timedelta(minutes=5)
# What is paused or still looked at may be let out meanwhile.
_LOOKED_AT_AGAIN: Final = timedelta(minutes=30)
_WROTE: Final = """
    SELECT 1 FROM channels_conversation
    WHERE address_id = %s AND brand_id = %s AND channel = 'whatsapp' AND last_at > %s
"""


def refusal(message: Claimed, outgoing: Outgoing, book: Book | None, now: datetime) -> Outcome | None:
    """Why the provider would not take it so, before it is asked: that would cost the sender's good name."""
    if is_closed(message, outgoing, now):
        return Outcome(State.SUPPRESSED, Reason.WINDOW_CLOSED)
    fault = book.fault(outgoing.options, outgoing.locale) if book is not None else None
    if fault is None:
        return None
    named = f"{outgoing.options['template']} ({language_of(outgoing.options, outgoing.locale)})"
    detail = f"{named}: {fault.value}"
    if fault.passes:
        return Outcome(State.HELD, Reason.NOT_APPROVED, detail, due_at=now + _LOOKED_AT_AGAIN)
    return Outcome(State.FAILED, Reason.NOT_APPROVED, detail)


def is_closed(message: Claimed, outgoing: Outgoing, now: datetime) -> bool:
    if message.channel != Channel.WHATSAPP or outgoing.options.get("template"):
        return False
    with raw_cursor() as cursor:
        found = cursor.execute(_WROTE, [message.address_id, message.brand_id, now - OPEN_FOR]).fetchone()
    return found is None
