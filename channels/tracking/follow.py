"""Following a tracked address: one statement finds where it leads and notes that somebody came.

What comes of it (the message moves on, journeys hear of it) is the receipts' stage's to do, a moment later: by then it
is known whether whoever came followed every other link as well.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from channels.models.callback import Receipt
from channels.tracking.targets import may_lead
from channels.tracking.visitors import SOON_BY_MAIL, SOON_ELSEWHERE, TOO_SOON
from customers.ids import hash_uuid
from customers.pg import raw_cursor

# The same again within so long is one: a double click, or a picture that is drawn twice.
_ONE: Final = timedelta(seconds=10)
# Until it is known who else of the same kind came.
WEIGHED_AFTER: Final = timedelta(seconds=2)

_FIND: Final = """
    found AS (
        SELECT m.id, m.connector_id, t.links ->> %(number)s::int AS target, t.message_id IS NOT NULL AS is_kept,
               -- Of what was sent before they asked not to be seen, too.
               EXISTS (SELECT FROM consent_preference f
                       WHERE f.address_id = m.address_id AND f.brand_id = m.brand_id AND f.is_untracked)
               AS is_untracked,
               -- What is not down as sent is just being sent.
               m.settled_at IS NULL
               OR m.settled_at > %(now)s - make_interval(secs => CASE m.channel WHEN 'email' THEN %(email)s
                                                                 ELSE %(elsewhere)s END) AS is_too_soon
        FROM channels_message m LEFT JOIN channels_messagecontent t ON t.message_id = m.id
        WHERE m.id = %(message)s
    )
"""
_LOOK: Final = f"WITH {_FIND} SELECT is_kept, target FROM found"
_NOTE: Final = f"""
    WITH {_FIND}, noted AS (
        INSERT INTO channels_receipt
            (connector_id, message_key, provider_id, happened, at, received_at, code, detail, is_machine, link, key,
             look_at, tries, outcome)
        SELECT connector_id, id, '', %(happened)s, %(now)s, %(now)s,
               CASE WHEN %(machine)s::text <> '' THEN %(machine)s::text
                    WHEN is_too_soon THEN %(too_soon)s::text ELSE '' END, '',
               %(machine)s::text <> '' OR is_too_soon, %(link)s::smallint,
               CASE WHEN %(machine)s::text <> '' OR is_too_soon THEN %(machine_key)s::uuid ELSE %(key)s::uuid END,
               %(look_at)s, 0, ''
        FROM found WHERE is_kept AND NOT is_untracked AND (%(link)s::smallint IS NULL OR target IS NOT NULL)
        ON CONFLICT (key) DO NOTHING
    )
    SELECT is_kept, target FROM found
"""


class Gone(Exception):
    """It was ours, and what it led to is no longer kept: the person was erased, or it is too long ago."""


@dataclass(frozen=True, slots=True)
class Visit:
    """`machine` says by what one is known; a visit that is not `counted` changes nothing."""

    at: datetime
    machine: str = ""
    counted: bool = True


def follow(message_id: UUID, number: int, visit: Visit) -> str:
    """Where the link leads; raises Gone."""
    is_kept, target = _ask(message_id, number, Receipt.Happened.CLICKED, number, visit)
    if not is_kept or target is None or not may_lead(target):
        raise Gone
    return target


def opened(message_id: UUID, visit: Visit) -> None:
    """Note that the letter's picture was fetched; raises Gone."""
    is_kept, _target = _ask(message_id, 0, Receipt.Happened.OPENED, None, visit)
    if not is_kept:
        raise Gone


def _ask(
    message_id: UUID, number: int, happened: Receipt.Happened, link: int | None, visit: Visit
) -> tuple[bool, str | None]:
    values: dict[str, Any] = {
        "message": message_id,
        "number": number,
        "now": visit.at,
        "email": SOON_BY_MAIL,
        "elsewhere": SOON_ELSEWHERE,
        "happened": happened.value,
        "link": link,
        "machine": visit.machine,
        "too_soon": TOO_SOON,
        "key": _key(message_id, happened, link, visit.at, "person"),
        "machine_key": _key(message_id, happened, link, visit.at, "machine"),
        "look_at": visit.at + WEIGHED_AFTER,
    }
    with raw_cursor() as cursor:
        row = cursor.execute(_NOTE if visit.counted else _LOOK, values, prepare=True).fetchone()
    return (False, None) if row is None else (bool(row[0]), row[1])


def _key(message_id: UUID, happened: str, link: int | None, at: datetime, who: str) -> UUID:
    part = int(at.timestamp() / _ONE.total_seconds())
    return hash_uuid("tracked", str(message_id), happened, str(link), who, str(part))
