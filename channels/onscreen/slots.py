"""What this visitor sees in a slot: the highest of what was put there for them and still holds, else what is usual.

Everything that could forbid the message to be sent is asked again: consent, the run that wanted it, what its person did
since. What no longer holds is taken off, with its reason.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from channels import guards
from channels.models import WebPlacement, WebSlot, WebSlotText
from channels.onscreen.permitted import Standing, permitted
from customers import locales
from customers.pg import raw_cursor
from customers.visitors.profiles import Visitor

# So many of what is allowed are looked at for one slot; what lies deeper waits for its turn.
_DEEPEST: Final = 10
_LIVE: Final = """
    p.profile_id = ANY(%(profiles)s) AND p.dismissed_at IS NULL AND p.off_at IS NULL AND p.expires_at > %(now)s
"""
_STANDINGS: Final = f"""
    SELECT DISTINCT p.profile_id, p.address_id, p.purpose_id FROM channels_webplacement p
    WHERE {_LIVE} AND p.slot_id = ANY(%(slots)s)
"""
_HIGHEST: Final = f"""
    SELECT high.id FROM unnest(%(slots)s::uuid[]) AS s(id), LATERAL (
        SELECT p.id, p.priority, p.placed_at FROM channels_webplacement p
        WHERE {_LIVE} AND p.slot_id = s.id AND (p.profile_id, p.address_id, p.purpose_id) IN (
            SELECT * FROM unnest(%(whose)s::uuid[], %(where)s::uuid[], %(what)s::uuid[])
        )
        ORDER BY p.priority DESC, p.placed_at DESC, p.id DESC LIMIT %(deepest)s
    ) high
    ORDER BY s.id, high.priority DESC, high.placed_at DESC, high.id DESC
"""
# For good; somebody else may have found out meanwhile. By ascending id, so that two pages never wait for each other.
_OFF: Final = """
    WITH minded AS (
        SELECT p.id, u.reason
        FROM channels_webplacement p JOIN unnest(%(ids)s::uuid[], %(reasons)s::text[]) AS u(id, reason) ON u.id = p.id
        WHERE p.off_at IS NULL ORDER BY p.id FOR UPDATE OF p
    )
    UPDATE channels_webplacement p SET off_at = %(now)s, off_reason = m.reason FROM minded m WHERE p.id = m.id
"""


@dataclass(frozen=True, slots=True)
class Content:
    """What a slot shows: `placement` names what was put there for this visitor, None is what is usual."""

    title: str = ""
    body: str = ""
    link: str = ""
    image: str = ""
    button: str = ""
    locale: str = ""
    placement: UUID | None = None


def look(
    visitor: Visitor, brand_id: UUID, keys: Iterable[str], language: str, now: datetime
) -> dict[str, Content | None]:
    """By slot; None where there is nothing, a slot that nobody knows too."""
    slots = list(
        WebSlot.objects.filter(brand_id=brand_id, key__in=list(keys), is_active=True)
        .select_related("brand")
        .prefetch_related("texts")
    )
    found = dict.fromkeys(keys) | {slot.key: _usual(slot, language) for slot in slots}
    if visitor.customers and slots:
        by_slot = _allowed([slot.pk for slot in slots], visitor, now)
        shown = _shown(by_slot, visitor, now)
        found |= {slot.key: _content(row, row.pk) for slot in slots if (row := shown.get(slot.pk))}
    return found


def _usual(slot: WebSlot, language: str) -> Content | None:
    texts: dict[str, WebSlotText] = {text.locale: text for text in slot.texts.all()}
    chosen = locales.closest(texts, language, slot.brand.locale) if texts else None
    return _content(texts[chosen]) if chosen else None


def _content(of: WebSlotText | WebPlacement, placement: UUID | None = None) -> Content:
    return Content(of.title, of.body, of.link, of.image, of.button, of.locale, placement)


def _allowed(slots: Sequence[UUID], visitor: Visitor, now: datetime) -> Mapping[UUID, list[WebPlacement]]:
    """What may be shown by consent, by slot, the highest first and of these the newest."""
    values: dict[str, Any] = {"slots": list(slots), "profiles": visitor.profiles, "now": now}
    by_slot: dict[UUID, list[WebPlacement]] = defaultdict(list)
    with raw_cursor() as cursor:
        standings = [Standing(*row) for row in cursor.execute(_STANDINGS, values).fetchall()]
        allowed = permitted(standings, visitor, now, heed_pauses=True)
        if not allowed:
            return by_slot
        columns = map(list, zip(*allowed, strict=True))
        values |= dict(zip(("whose", "where", "what"), columns, strict=True)) | {"deepest": _DEEPEST}
        ids = [row[0] for row in cursor.execute(_HIGHEST, values).fetchall()]
    rows = WebPlacement.objects.select_related("message").in_bulk(ids)
    for row in (rows[id_] for id_ in ids if id_ in rows):
        by_slot[row.slot_id].append(row)
    return by_slot


def _shown(by_slot: Mapping[UUID, Sequence[WebPlacement]], visitor: Visitor, now: datetime) -> dict[UUID, WebPlacement]:
    """By slot, the first that nobody minds; who does for good has it taken off."""
    shown: dict[UUID, WebPlacement] = {}
    refused: dict[UUID, str] = {}
    # A guard reads within one transaction, as it does when the message is sent.
    with transaction.atomic():
        for rows in zip_longest(*by_slot.values()):
            # The highest of all slots at once, then the next of those that show nothing yet.
            asked = [row for row in rows if row is not None and row.slot_id not in shown]
            answers = guards.ask_all([_ask(row, visitor, now) for row in asked])
            shown |= {row.slot_id: row for row, answer in zip(asked, answers, strict=True) if answer is None}
            refused |= {
                row.pk: answer.reason
                for row, answer in zip(asked, answers, strict=True)
                if isinstance(answer, guards.Refuse)
            }
    if refused:
        with raw_cursor() as cursor:
            cursor.execute(_OFF, {"now": now, "ids": list(refused), "reasons": list(refused.values())})
    return shown


def _ask(row: WebPlacement, visitor: Visitor, now: datetime) -> guards.GuardAsk:
    message = row.message
    return guards.GuardAsk(
        message_id=message.pk,
        origin_kind=message.origin_kind,
        origin_id=message.origin_id,
        channel=message.channel,
        profile_id=row.profile_id,
        customer_id=visitor.customers[row.profile_id],
        now=now,
    )
