"""The consent stage of the pipeline: queued consent becomes ledger entries, address by address."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from consent import claims, ledger, queue, refusals
from consent.confirming import ask
from consent.ledger import NewEntry
from consent.models import Method, State
from consent.queue import Item
from consent.refusals import Refused
from customers.kinds import ANONYMOUS_ID
from customers.models.address import Channel
from customers.pg import raw_cursor
from customers.work import Queue, first_in_line, work_once

_ITEM = ", ".join(queue.COLUMNS)

_MAIL: Final = "mail"


class _Known(NamedTuple):
    """A purpose of a brand, and whether a mail asks about what a page tells of it."""

    id: UUID
    asks_about_claims: bool


# (brand, key) of a purpose; (brand, key, version) of a notice.
_Purposes = dict[tuple[UUID, str], _Known]
_Notices = dict[tuple[UUID, str, int], int]


def apply(ids: Sequence[int], now: datetime) -> int:
    """Apply these items, but for those whose address is busy: they stay queued. Return how many."""
    with raw_cursor() as cursor:
        items = _take(cursor, ids)
        purposes = _purposes(cursor, items)
        notices = _notices(cursor, items)
        troubles = [_trouble(item, purposes, notices) for item in items]
        applied = [
            item for item, trouble in zip(items, troubles, strict=True) if not trouble or _applies_anyway(item, trouble)
        ]
        _apply_in_order(cursor, applied, purposes, notices, now)
        refused = [_refused(item, trouble) for item, trouble in zip(items, troubles, strict=True) if trouble]
        refusals.keep(cursor, refused)
    return len(items)


def _apply_in_order(
    cursor: Cursor[Any], items: Sequence[Item], purposes: _Purposes, notices: _Notices, now: datetime
) -> None:
    """As many at once as nobody is to be asked about: what is asked for before a no ends with it, after it does not."""
    refused = claims.refusals(cursor, [_key(item, purposes) for item in items if _is_claimed_grant(item)])
    browsers = _browsers(cursor, items)
    together: list[NewEntry] = []
    for item in items:
        entry = _entry(item, purposes, notices)
        asks_about = _asks_about(item, purposes, browsers)
        is_doubtful = _is_claimed_grant(item) and (asks_about or refused.stand_against(entry))
        if not is_doubtful and not _is_asked(item):
            refused.hear(entry)
            together.append(entry)
            continue
        ledger.append(together, now)
        together = []
        asking = _asking(item, purposes, notices)
        if is_doubtful:
            claims.ask_about(replace(asking, is_repeated=True), _channel(item), now)
        else:
            ask.ask(asking, now)
    ledger.append(together, now)


def _is_claimed_grant(item: Item) -> bool:
    return claims.is_claimed_grant(item.request["method"], item.request["state"])


def _key(item: Item, purposes: _Purposes) -> claims.Key:
    return item.address_id, item.profile_id, _purpose(item, purposes).id


def _asks_about(item: Item, purposes: _Purposes, browsers: Collection[UUID]) -> bool:
    """A browser that speaks for itself needs no mail: it has asked its owner, and nobody else knows its address. Of
    whoever else a page names, it knows no more than any page."""
    if _channel(item) == Channel.PUSH:
        return item.profile_id not in browsers
    return _purpose(item, purposes).asks_about_claims


def _browsers(cursor: Cursor[Any], items: Iterable[Item]) -> set[UUID]:
    """Those of the profiles for which a device is claimed that are known by an anonymous id, and so a browser's own."""
    claimed = {item.profile_id for item in items if _channel(item) == Channel.PUSH and _is_claimed_grant(item)}
    if not claimed:
        return set()
    cursor.execute(
        "SELECT profile_id FROM customers_identifier WHERE profile_id = ANY(%b) AND kind_id = %b",
        [list(claimed), ANONYMOUS_ID],
    )
    return {profile_id for (profile_id,) in cursor}


def _channel(item: Item) -> Channel:
    """Events name mailboxes or devices, or nothing but the person, whose pseudo-address has the id of the profile."""
    if item.request.get("channel") == Channel.PUSH:
        return Channel.PUSH
    return Channel.PERSON if item.address_id == item.profile_id else Channel.EMAIL


@dataclass(frozen=True, slots=True)
class Applied:
    """The entry that was made; none where `trouble` kept it from being applied."""

    entry_id: int | None
    purpose_id: UUID | None
    trouble: "Trouble | None"


def apply_at_once(cursor: Cursor[Any], item: Item, now: datetime) -> Applied:
    """Apply an item that never was in the queue; its address is waited for."""
    purposes, notices = _purposes(cursor, [item]), _notices(cursor, [item])
    trouble = _trouble(item, purposes, notices)
    known = purposes.get((item.brand_id, item.request["purpose"]))
    purpose_id = known.id if known else None
    if trouble and not _applies_anyway(item, trouble):
        return Applied(None, purpose_id, trouble)
    if _is_asked(item):
        ask.ask(_asking(item, purposes, notices), now)
        return Applied(ask.request_entry(_asking(item, purposes, notices)), purpose_id, trouble)
    [entry_id] = ledger.append([_entry(item, purposes, notices)], now)
    return Applied(entry_id, purpose_id, trouble)


def _take(cursor: Cursor[Any], ids: Sequence[int]) -> list[Item]:
    """Lock the free addresses of these items, and take theirs out of the queue in the order they came."""
    cursor.execute("SELECT DISTINCT address_id FROM consent_queue WHERE id = ANY(%b)", [list(ids)])
    free = ledger.lock_free(cursor, [address_id for (address_id,) in cursor])
    cursor.execute(
        f"DELETE FROM consent_queue WHERE id = ANY(%b) AND address_id = ANY(%b) RETURNING id, {_ITEM}",
        [list(ids), free],
    )
    return [Item(*row[1:]) for row in sorted(cursor, key=itemgetter(0))]


def _purposes(cursor: Cursor[Any], items: Iterable[Item]) -> _Purposes:
    wanted = {(item.brand_id, item.request["purpose"]) for item in items}
    cursor.execute(
        "SELECT p.brand_id, p.key, p.id, p.needs_confirmation AND p.kind = 'marketing'"
        " FROM unnest(%b::uuid[], %b::text[]) AS u(brand_id, key)"
        " JOIN consent_purpose p ON p.brand_id = u.brand_id AND p.key = u.key",
        [[brand for brand, _key in wanted], [key for _brand, key in wanted]],
    )
    return {(brand, key): _Known(id_, asks) for brand, key, id_, asks in cursor}


def _purpose(item: Item, purposes: _Purposes) -> _Known:
    return purposes[item.brand_id, item.request["purpose"]]


def _notices(cursor: Cursor[Any], items: Iterable[Item]) -> _Notices:
    wanted = {(item.brand_id, item.request["notice"]) for item in items if item.request["notice"]}
    if not wanted:
        return {}
    cursor.execute(
        "SELECT n.brand_id, n.key, v.number, v.id FROM unnest(%b::uuid[], %b::text[]) AS u(brand_id, key)"
        " JOIN consent_notice n ON n.brand_id = u.brand_id AND n.key = u.key"
        " JOIN consent_noticeversion v ON v.notice_id = n.id AND v.published_at IS NOT NULL",
        [[brand for brand, _key in wanted], [key for _brand, key in wanted]],
    )
    return {(brand, key, number): id_ for brand, key, number, id_ in cursor}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a request needs and its brand does not have: a purpose, a version of a notice, a way to ask."""

    missing: str
    detail: str

    @property
    def code(self) -> str:
        return "cannot_ask" if self.missing == _MAIL else f"unknown_{self.missing}"

    @property
    def pointer(self) -> str:
        return "/properties/address" if self.missing == _MAIL else f"/properties/{self.missing}"


def trouble_of(cursor: Cursor[Any], item: Item) -> Trouble | None:
    """What would keep this item from being applied."""
    return _trouble(item, _purposes(cursor, [item]), _notices(cursor, [item]))


def _trouble(item: Item, purposes: _Purposes, notices: _Notices) -> Trouble | None:
    request = item.request
    if (item.brand_id, request["purpose"]) not in purposes:
        return Trouble("purpose", f"The brand has no purpose “{request['purpose']}”.")
    notice, version = request["notice"], request["notice_version"]
    if notice and (item.brand_id, notice, version) not in notices:
        return Trouble("notice", f"The brand has no notice “{notice}” with version {version}.")
    if _is_asked(item) and not ask.can_ask(item.brand_id, Channel.EMAIL):
        return Trouble(_MAIL, "The brand has no connector that sends mail, so nobody can be asked.")
    return None


def _is_asked(item: Item) -> bool:
    return bool(item.request["state"] == State.REQUESTED)


def _asking(item: Item, purposes: _Purposes, notices: _Notices) -> ask.Asking:
    request = item.request
    return ask.Asking(
        brand_id=item.brand_id,
        address_id=item.address_id,
        profile_id=item.profile_id,
        purpose_id=_purpose(item, purposes).id,
        notice_version_id=notices.get((item.brand_id, request["notice"], request["notice_version"])),
        language=request["texts"].get("language", ""),
        method=request["method"],
        source_id=item.source_id,
        event_id=item.event_id,
        message_id=item.message_id,
        evidence=request["evidence"],
    )


def _applies_anyway(item: Item, trouble: Trouble) -> bool:
    """A withdrawal is not lost over the notice it names."""
    return trouble.missing == "notice" and item.request["state"] == State.WITHDRAWN


def _entry(item: Item, purposes: _Purposes, notices: _Notices) -> NewEntry:
    request = item.request
    until = request["valid_until"]
    return NewEntry(
        address_id=item.address_id,
        profile_id=None if _binds_the_address(item) else item.profile_id,
        brand_id=item.brand_id,
        purpose_id=_purpose(item, purposes).id,
        state=request["state"],
        method=request["method"],
        occurred_at=item.occurred_at,
        received_at=item.received_at,
        valid_until=datetime.fromisoformat(until) if until else None,
        source_id=item.source_id,
        message_id=item.message_id,
        event_id=item.event_id,
        notice_version_id=notices.get((item.brand_id, request["notice"], request["notice_version"])),
        evidence=request["evidence"],
        **request["texts"],
    )


def _binds_the_address(item: Item) -> bool:
    """Whether it holds for the address whoever uses it: a list of those who said no names addresses, not people."""
    request = item.request
    is_no = request["method"] == Method.IMPORT and request["state"] == State.WITHDRAWN
    return is_no and item.address_id != item.profile_id


def _refused(item: Item, trouble: Trouble) -> Refused:
    return Refused(
        received_at=item.received_at,
        source_id=item.source_id,
        code=trouble.code,
        pointer=trouble.pointer,
        detail=trouble.detail,
        message_id=item.message_id,
        name=item.request["state"],
        raw=queue.pack(item),
    )


QUEUE = Queue(
    name="consent",
    table="consent_queue",
    pick=first_in_line("consent", "consent_queue"),
    work=apply,
)


def apply_queued(now: datetime, limit: int = 1000) -> int:
    """Apply one batch of queued consent; return how many items were looked at."""
    return work_once(QUEUE, now, limit)


def pending_profiles(profile_ids: Collection[UUID]) -> set[UUID]:
    """Those of the profiles whose consent is still queued; their events are not to be matched yet."""
    if not profile_ids:
        return set()
    with raw_cursor() as cursor:
        cursor.execute("SELECT DISTINCT profile_id FROM consent_queue WHERE profile_id = ANY(%b)", [list(profile_ids)])
        return {profile_id for (profile_id,) in cursor}
