"""What became of messages, told as events of the reserved source, so that journeys can hold on them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from psycopg import Cursor

from channels import origins
from channels.models.callback import Receipt
from customers.awaited import names_under_lock
from customers.internal import Cause, Internal
from customers.internal import tell as tell_inside

if TYPE_CHECKING:
    from channels.receipts.apply import Applied

Happened = Receipt.Happened

DELIVERED: Final = "message.delivered"
OPENED: Final = "message.opened"
CLICKED: Final = "message.clicked"
BOUNCED: Final = "message.bounced"
COMPLAINED: Final = "message.complained"
FAILED: Final = "message.failed"
REPLIED: Final = "message.replied"
NAMES: Final[Mapping[str, str]] = {
    Happened.DELIVERED: DELIVERED,
    Happened.OPENED: OPENED,
    Happened.CLICKED: CLICKED,
    Happened.BOUNCED: BOUNCED,
    Happened.COMPLAINED: COMPLAINED,
    Happened.FAILED: FAILED,
}
RESERVED: Final = (*NAMES.values(), REPLIED)
_NOTHING: Final = Cause()


def tell(cursor: Cursor[Any], applied: Sequence["Applied"], now: datetime) -> int:
    """Tell what these receipts say, each kind once for a message; what a machine did is not told."""
    told = [one for one in applied if one.receipt.happened in NAMES and not one.receipt.is_machine and _is_true(one)]
    if not told:
        return 0
    awaited = names_under_lock()
    wanted = [one for one in told if NAMES[one.receipt.happened] in awaited]
    return tell_inside(cursor, _events(cursor, wanted), awaited, now) if wanted else 0


def _is_true(one: "Applied") -> bool:
    """What came too late to be so (a failure of what has arrived) is kept and not told."""
    return one.moved or one.receipt.happened not in (Happened.FAILED, Happened.BOUNCED)


def _events(cursor: Cursor[Any], applied: Iterable["Applied"]) -> list[Internal]:
    first: dict[tuple[Any, str, int | None], Applied] = {}
    for one in applied:
        first.setdefault(_what(one), one)
    fresh = _not_told_yet(cursor, list(first.values()))
    causes = origins.causes_of(cursor, {(one.message.origin_kind, one.message.origin_id) for one in fresh})
    led = _led_to(cursor, fresh)
    return [
        Internal(
            NAMES[one.receipt.happened],
            one.message.profile_id,
            f"message-{one.message.id}-{one.receipt.happened}{_of_link(one)}",
            {**_said(one), **led.get(_what(one), {})},
            causes.get((one.message.origin_kind, one.message.origin_id), _NOTHING),
            one.message.brand_id,
        )
        for one in fresh
    ]


def _said(one: "Applied") -> dict[str, Any]:
    return {**about(one.message), **({"code": one.receipt.code} if one.receipt.code else {})}


_BEFORE: Final = """
    SELECT DISTINCT r.message_id, r.happened, r.link FROM channels_receipt r
    WHERE r.message_id = ANY(%s) AND r.applied_at IS NOT NULL AND NOT r.is_machine
"""
_LINKS: Final = "SELECT message_id, links FROM channels_messagecontent WHERE message_id = ANY(%s)"


def _what(one: "Applied") -> tuple[UUID, str, int | None]:
    return one.message.id, one.receipt.happened, one.receipt.link


def _of_link(one: "Applied") -> str:
    return "" if one.receipt.link is None else f"-{one.receipt.link}"


def _not_told_yet(cursor: Cursor[Any], applied: Sequence["Applied"]) -> list["Applied"]:
    """An opening that is the fifth is no news: journeys are told of the first, and of the first time each link was
    followed."""
    before = set(cursor.execute(_BEFORE, [[one.message.id for one in applied]]).fetchall())
    return [one for one in applied if _what(one) not in before]


def _led_to(cursor: Cursor[Any], applied: Sequence["Applied"]) -> dict[tuple[UUID, str, int | None], dict[str, Any]]:
    """Which link it was and where it leads, of those that were followed by way of us."""
    followed = [one for one in applied if one.receipt.link is not None]
    if not followed:
        return {}
    links = dict(cursor.execute(_LINKS, [[one.message.id for one in followed]]).fetchall())
    told: dict[tuple[UUID, str, int | None], dict[str, Any]] = {}
    for one in followed:
        number, known = one.receipt.link or 0, links.get(one.message.id, [])
        told[_what(one)] = {"link": number, **({"url": known[number]} if number < len(known) else {})}
    return told


class Asked(Protocol):
    """A message as far as it says who asked for it."""

    id: UUID
    channel: str
    scope_id: UUID
    step_id: str
    origin_kind: str
    origin_id: str
    copy_key: str


def about(message: Asked) -> dict[str, Any]:
    """By what a journey knows its own: the run, the step, and the entry key where it has one."""
    said = {
        "message": str(message.id),
        "channel": message.channel,
        "origin": message.origin_kind,
        "origin_id": message.origin_id,
        "scope": str(message.scope_id),
    }
    if message.step_id:
        said["step"] = message.step_id
        said["entry_key"] = message.copy_key.split(":", 2)[2] if message.copy_key.count(":") >= 2 else ""
    return said
