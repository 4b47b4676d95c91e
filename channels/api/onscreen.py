"""The door by which pages ask what is for their visitor: the in-app inbox, the slots, and what was done with them."""

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
import orjson
from django.http import HttpRequest, HttpResponse

from channels.models import InAppItem
from channels.onscreen import inbox, slots
from channels.onscreen.marks import Mark, mark_items, mark_placements
from channels.onscreen.slots import Content
from customers import clock
from customers.api import visits
from customers.api.segment import door

_MOST_ITEMS: Final = 50
_MOST_MARKS: Final = 100
_MOST_SLOTS: Final = 20


class InboxAsked(visits.Asked, frozen=True, kw_only=True):
    """A page of the inbox; with `limit` 0 the number of what is unread alone."""

    cursor: UUID | None = None
    limit: Annotated[int, msgspec.Meta(ge=0, le=_MOST_ITEMS)] = 20


class Done(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"mark": "as"}):
    id: UUID
    mark: Mark


class MarksAsked(visits.Asked, frozen=True, kw_only=True):
    marks: Annotated[list[Done], msgspec.Meta(min_length=1, max_length=_MOST_MARKS)]

    def by_id(self) -> dict[UUID, list[Mark]]:
        found: dict[UUID, list[Mark]] = {}
        for one in self.marks:
            found.setdefault(one.id, []).append(one.mark)
        return found


class SlotsAsked(visits.Asked, frozen=True, kw_only=True):
    slots: Annotated[
        list[Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]*\Z", max_length=64)]],
        msgspec.Meta(min_length=1, max_length=_MOST_SLOTS),
    ]
    language: Annotated[str, msgspec.Meta(max_length=35)] = ""


@door
def inbox_page(request: HttpRequest) -> HttpResponse:
    visit = visits.read(request, InboxAsked, clock.utcnow())
    asked = visit.asked
    found = inbox.look(visit.visitor, visit.writer.brand_id, visit.now, before=asked.cursor, limit=asked.limit)
    items = [_item(one) for one in found.items]
    return _answer({"items": items, "next": found.next, "unread": found.unread})


@door
def inbox_marks(request: HttpRequest) -> HttpResponse:
    visit = visits.read(request, MarksAsked, clock.utcnow())
    known = mark_items(visit.visitor, visit.writer.brand_id, visit.asked.by_id(), visit.now)
    unread = inbox.look(visit.visitor, visit.writer.brand_id, visit.now, limit=0).unread
    return _answer({"marked": sorted(known), "unread": unread})


@door
def slot_contents(request: HttpRequest) -> HttpResponse:
    visit = visits.read(request, SlotsAsked, clock.utcnow())
    asked = visit.asked
    found = slots.look(visit.visitor, visit.writer.brand_id, asked.slots, asked.language, visit.now)
    return _answer({"slots": {key: _content(one) for key, one in found.items()}})


@door
def slot_marks(request: HttpRequest) -> HttpResponse:
    visit = visits.read(request, MarksAsked, clock.utcnow())
    known = mark_placements(visit.visitor, visit.writer.brand_id, visit.asked.by_id(), visit.now)
    return _answer({"marked": sorted(known)})


def _item(item: InAppItem) -> dict[str, Any]:
    return {
        "id": item.pk,
        **_words(item),
        "placed_at": item.placed_at,
        "expires_at": item.expires_at,
        "shown": item.shown_at is not None,
        "read": item.read_at is not None,
    }


def _content(content: Content | None) -> dict[str, Any] | None:
    return None if content is None else {"placement": content.placement, **_words(content)}


def _words(of: InAppItem | Content) -> dict[str, str]:
    return {
        "title": of.title,
        "text": of.body,
        "link": of.link,
        "image": of.image,
        "button": of.button,
        "language": of.locale,
    }


def _answer(said: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(orjson.dumps(said), content_type="application/json")
    # It is one visitor's alone.
    response["Cache-Control"] = "no-store"
    return response
