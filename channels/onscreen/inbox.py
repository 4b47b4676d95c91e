"""A visitor's inbox: what is in it now, what is unread, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from channels.models import InAppItem
from channels.onscreen.permitted import Standing, permitted
from customers.pg import raw_cursor
from customers.visitors.profiles import Visitor

_THERE: Final = """
    FROM channels_inappitem i
    WHERE i.profile_id = ANY(%(profiles)s) AND i.brand_id = %(brand)s AND i.dismissed_at IS NULL
      AND i.expires_at > %(now)s
"""
_STANDINGS: Final = f"SELECT DISTINCT i.profile_id, i.address_id, i.purpose_id {_THERE}"
# Of three columns each, as rows are compared.
_ALLOWED: Final = """
    AND (i.profile_id, i.address_id, i.purpose_id) IN (
        SELECT * FROM unnest(%(whose)s::uuid[], %(where)s::uuid[], %(what)s::uuid[])
    )
"""
_UNREAD: Final = f"SELECT count(*) {_THERE} {_ALLOWED} AND i.read_at IS NULL"
_PAGE: Final = f"""
    SELECT i.id {_THERE} {_ALLOWED} AND (%(before)s::uuid IS NULL OR i.id < %(before)s)
    ORDER BY i.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Inbox:
    items: Sequence[InAppItem]
    # The cursor of what comes after these; None: nothing does.
    next: UUID | None
    unread: int


def look(visitor: Visitor, brand_id: UUID, now: datetime, *, before: UUID | None = None, limit: int = 20) -> Inbox:
    """The newest that may be shown, before the cursor; without a limit what is unread is counted alone."""
    if not visitor.customers:
        return Inbox((), None, 0)
    values: dict[str, Any] = {"profiles": visitor.profiles, "brand": brand_id, "now": now}
    with raw_cursor() as cursor:
        found = [Standing(*row) for row in cursor.execute(_STANDINGS, values).fetchall()]
        allowed = permitted(found, visitor, now, heed_pauses=False)
        columns = [list(one) for one in zip(*allowed, strict=True)] or [[], [], []]
        values |= dict(zip(("whose", "where", "what"), columns, strict=True))
        [(unread,)] = cursor.execute(_UNREAD, values).fetchall()
        ids = [row[0] for row in cursor.execute(_PAGE, {**values, "before": before, "limit": limit + 1}).fetchall()]
    shown = ids[:limit]
    items = InAppItem.objects.in_bulk(shown)
    more = len(ids) > limit > 0
    return Inbox([items[id_] for id_ in shown if id_ in items], shown[-1] if more else None, unread)
