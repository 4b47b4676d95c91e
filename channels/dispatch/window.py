"""WhatsApp takes free words for a day after somebody wrote; all else is for templates it has approved.

A little less than a day, since its clock is not ours: what is refused there costs the sender's good name.
"""

from datetime import datetime, timedelta
from typing import Final

from channels.dispatch.claim import Claimed
from channels.providers.base import Outgoing
from customers.models.address import Channel
from customers.pg import raw_cursor

OPEN_FOR: Final = timedelta(hours=24) - timedelta(minutes=5)
_WROTE: Final = """
    SELECT 1 FROM channels_conversation
    WHERE address_id = %s AND brand_id = %s AND channel = 'whatsapp' AND last_at > %s
"""


def is_closed(message: Claimed, outgoing: Outgoing, now: datetime) -> bool:
    if message.channel != Channel.WHATSAPP or outgoing.options.get("template"):
        return False
    with raw_cursor() as cursor:
        found = cursor.execute(_WROTE, [message.address_id, message.brand_id, now - OPEN_FOR]).fetchone()
    return found is None
