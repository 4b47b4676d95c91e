"""How explanations and timelines are put before whoever looks: masked, linked where they may go, typed for display."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from analytics.timeline.entry import See
from analytics.why import Explanation, Fact, Move, Part
from customers.visibility import sees_pii

Text = str | Promise
_LINE: Final = 90


@dataclass(frozen=True, slots=True)
class Value:
    """`kind` is text, time, or pairs for what was said as an object; `url` where it can be read in full."""

    label: Text
    kind: str
    value: Any
    url: str = ""


@dataclass(frozen=True, slots=True)
class ShownMove:
    move: Move
    url: str
    inputs: list[Value]
    given: list[Value]


@dataclass(frozen=True, slots=True)
class ShownPart:
    part: Part
    facts: list[Value]
    moves: list[ShownMove]


def see_as(request: HttpRequest) -> See:
    """Rows as whoever asks may see them, masked where they must be."""

    def see(model: type[Model]) -> "QuerySet[Any]":
        rows: QuerySet[Any] = model._default_manager.shown_to(request.user)  # type: ignore[attr-defined]  # all ours are Owned
        return rows

    return see


class Links:
    """Addresses of rows' pages; empty for kinds of rows that this person has no page for."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._open: dict[str, bool] = {}

    def to(self, target: tuple[str, object] | None) -> str:
        if target is None:
            return ""
        name, key = target
        if name not in self._open:
            model = apps.get_model(name.replace("_", ".", 1))
            of_model = admin.site._registry.get(model)
            self._open[name] = of_model is not None and of_model.has_view_permission(self._request)
        return reverse(f"admin:{name}_change", args=[key]) if self._open[name] else ""


def shown_parts(explanation: Explanation, brand_id: UUID | None, request: HttpRequest) -> list[ShownPart]:
    links, masked = Links(request), not sees_pii(request.user, brand_id)
    return [
        ShownPart(part, _facts(part.facts, links, masked), shown_moves(part.moves, links, masked))
        for part in explanation.parts
    ]


def shown_moves(moves: Iterable[Move], links: Links, masked: bool) -> list[ShownMove]:
    return [
        ShownMove(
            move,
            links.to(("customers_event", move.event_id)) if move.event is not None else "",
            [value_of(name, value) for name, value in move.inputs(masked).items()],
            [value_of(name, value) for name, value in move.given(masked).items()],
        )
        for move in moves
    ]


def _facts(facts: Iterable[Fact], links: Links, masked: bool) -> list[Value]:
    return [
        value_of(fact.label, fact.shown(masked) if fact.said is None else fact.said, links.to(fact.link))
        for fact in facts
    ]


def value_of(label: Text, value: Any, url: str = "") -> Value:
    if isinstance(value, datetime | date):
        return Value(label, "time", value, url)
    if isinstance(value, dict):
        return Value(label, "pairs", [(name, plain(held)) for name, held in value.items()], url)
    return Value(label, "text", plain(value), url)


def plain(value: Any) -> str:
    """A value of JSON as people write it; nested ones in short."""
    if value is None:
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{name}: {plain(held)}" for name, held in value.items())
    if isinstance(value, list):
        return ", ".join(plain(held) for held in value)
    return str(value)


def shortened(value: Any) -> str:
    """For a line of a list: the event's own page has the whole."""
    text = plain(value)
    return text if len(text) <= _LINE else text[: _LINE - 1] + "…"
