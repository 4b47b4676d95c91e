"""What follows from a receipt beyond its message: addresses that may not be written to any more.

A mailbox that does not exist is written to by nobody; who complains is written to no more by the brand; who had the
provider unsubscribe them has withdrawn. All of it under the address's lock, so that no send begins afterwards.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from psycopg import Cursor

from channels.models.callback import Receipt
from channels.push.subscriptions import told_since
from consent import suppression
from consent.ledger import lock_free
from consent.models import Method, Suppression
from consent.permission import lock_address
from consent.withdrawing import Withdrawal, withdraw
from customers.models.address import Channel

if TYPE_CHECKING:
    from channels.receipts.apply import Applied, Waiting

Happened = Receipt.Happened

SOFT_BOUNCES: Final = 5
SOFT_WINDOW: Final = timedelta(days=30)
DRAWN: Final = frozenset((Happened.BOUNCED, Happened.SOFT_BOUNCED, Happened.COMPLAINED, Happened.UNSUBSCRIBED))

# An address that was erased meanwhile is written to by nobody as it is.
_ADDRESSES: Final = (
    "SELECT m.id, a.id FROM channels_message m JOIN customers_address a ON a.id = m.address_id WHERE m.id = ANY(%s)"
)
# Applied ones only: the present batch adds its own. One message that bounces thrice is one mail that did not arrive.
_SOFT: Final = """
    SELECT m.address_id, count(DISTINCT r.message_id) FROM channels_receipt r
    JOIN channels_message m ON m.id = r.message_id
    WHERE m.address_id = ANY(%s) AND m.settled_at > %s
      AND m.state IN ('sent', 'delivered', 'opened', 'clicked', 'unknown')
      AND r.happened = 'soft_bounced' AND r.message_id <> ALL(%s)
    GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Held:
    """`addresses` are locked; the receipts whose address is busy must wait."""

    addresses: frozenset[UUID] = frozenset()
    busy: frozenset[int] = frozenset()


def lock_addresses(cursor: Cursor[Any], waiting: Sequence["Waiting"], *, patiently: bool = False) -> Held:
    """Lock the addresses that receipts bear on; those in use too, when asked to wait for them `patiently`."""
    drawn = [one for one in waiting if one.message_id is not None and one.happened in DRAWN]
    if not drawn:
        return Held()
    address_of = dict(cursor.execute(_ADDRESSES, [[one.message_id for one in drawn]]).fetchall())
    wanted = set(address_of.values())
    if patiently:
        for address_id in sorted(wanted):
            lock_address(address_id)
        return Held(frozenset(wanted))
    held = frozenset(lock_free(cursor, wanted))
    return Held(held, frozenset(one.id for one in drawn if address_of.get(one.message_id) in wanted - held))


def draw(cursor: Cursor[Any], applied: Iterable["Applied"], held: Held, now: datetime) -> None:
    of_kind: dict[str, list[Applied]] = defaultdict(list)
    for one in applied:
        if one.message.address_id in held.addresses:
            of_kind[one.receipt.happened].append(one)
    dead = {(address, None, Suppression.Reason.BOUNCE) for address in _dead(cursor, of_kind[Happened.BOUNCED])}
    worn_out = _worn_out(cursor, of_kind[Happened.SOFT_BOUNCED], now)
    dead |= {(address, None, Suppression.Reason.BOUNCE) for address in worn_out}
    cross = {
        (one.message.address_id, one.message.brand_id, Suppression.Reason.COMPLAINT)
        for one in of_kind[Happened.COMPLAINED]
    }
    suppression.add(cursor, dead | cross, now)
    _withdraw(of_kind[Happened.UNSUBSCRIBED], now)


def _dead(cursor: Cursor[Any], bounced: Sequence["Applied"]) -> set[UUID]:
    """Addresses that are none, but for browsers that have told another endpoint since."""
    last: dict[UUID, datetime] = {}
    for one in bounced:
        if one.message.address_id is not None:
            last[one.message.address_id] = max(one.receipt.at, last.get(one.message.address_id, one.receipt.at))
    pushes = {one.message.address_id for one in bounced if one.message.channel == Channel.PUSH}
    return set(last) - told_since(cursor, {address: at for address, at in last.items() if address in pushes})


def _worn_out(cursor: Cursor[Any], soft: Sequence["Applied"], now: datetime) -> set[UUID]:
    """Addresses at which mail has bounced so often that it is given up, each message counted once."""
    now_bounced: dict[UUID, set[UUID]] = defaultdict(set)
    for one in soft:
        if one.message.address_id is not None:
            now_bounced[one.message.address_id].add(one.message.id)
    if not now_bounced:
        return set()
    messages = [id_ for ids in now_bounced.values() for id_ in ids]
    before = dict(cursor.execute(_SOFT, [list(now_bounced), now - SOFT_WINDOW, messages]).fetchall())
    return {address for address, ids in now_bounced.items() if len(ids) + before.get(address, 0) >= SOFT_BOUNCES}


def _withdraw(unsubscribed: Sequence["Applied"], now: datetime) -> None:
    asked = [
        Withdrawal(
            address_id=one.message.address_id,
            brand_id=one.message.brand_id,
            purpose_id=one.message.purpose_id,
            method=Method.PROVIDER,
            message_id=str(one.message.id),
            evidence={"said": one.receipt.code or "unsubscribed at the provider"},
        )
        for one in unsubscribed
        if one.message.address_id is not None
    ]
    if asked:
        withdraw(asked, now)
