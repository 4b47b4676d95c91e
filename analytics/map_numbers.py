"""The numbers of a map's cells and of the movement between them, summed over a period from the counted days."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.utils.functional import Promise

from analytics.metrics.equation import Part
from analytics.metrics.map_basis import Outcome
from analytics.models import MapCount, TouchpointDay, TouchpointMove
from channels.models import Message
from channels.models.message import Reason
from journeys.models import JourneyMap

PERIODS: Final = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class TouchpointNumbers:
    """Of one touchpoint in the period."""

    sent: int = 0
    visits: int = 0
    converted: int = 0
    unknown: int = 0
    not_sent: tuple[Part, ...] = ()

    @property
    def contacts(self) -> int:
        return self.sent + self.visits

    @property
    def not_sent_total(self) -> int:
        return sum(part.count for part in self.not_sent)

    @property
    def conversion(self) -> float | None:
        """The share of contacts that converted, None without contacts."""
        return self.converted / self.contacts if self.contacts else None


@dataclass(frozen=True, slots=True)
class Move:
    from_id: UUID
    to_id: UUID
    count: int


@dataclass(frozen=True, slots=True)
class MapNumbers:
    """`counted_at` is None before the first count; `since` is later than the period's first day while it goes on."""

    days: int
    first: date
    last: date
    counted_at: datetime | None
    since: date | None
    touchpoints: Mapping[UUID, TouchpointNumbers] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.since is not None and self.since <= self.first

    def of(self, touchpoint_id: UUID) -> TouchpointNumbers:
        return self.touchpoints.get(touchpoint_id, _NOTHING)


_NOTHING = TouchpointNumbers()


def map_numbers(map_: JourneyMap, days: int, now: datetime) -> MapNumbers:
    """The last `days` days in the brand's zone, today's among them."""
    last = now.astimezone(ZoneInfo(map_.brand.zone)).date()
    first = last - timedelta(days=days - 1)
    book = MapCount.objects.filter(map=map_).first()
    return MapNumbers(
        days=days,
        first=first,
        last=last,
        counted_at=book.counted_at if book else None,
        since=book.since if book else None,
        touchpoints=_touchpoints(map_.pk, first),
        moves=_moves(map_.pk, first),
    )


def _touchpoints(map_id: UUID, first: date) -> dict[UUID, TouchpointNumbers]:
    days = TouchpointDay.objects.filter(touchpoint__map_id=map_id, day__gte=first)
    counts: dict[UUID, dict[str, int]] = {}
    for touchpoint, outcome, total in days.values_list("touchpoint_id", "outcome").annotate(total=Sum("count")):
        counts.setdefault(touchpoint, {})[outcome] = total
    return {touchpoint: _numbers(of_one) for touchpoint, of_one in counts.items()}


def _numbers(counts: dict[str, int]) -> TouchpointNumbers:
    reasons = {code: count for code, count in counts.items() if code not in Outcome}
    return TouchpointNumbers(
        sent=counts.get(Outcome.SENT.value, 0),
        visits=counts.get(Outcome.VISITED.value, 0),
        converted=counts.get(Outcome.CONVERTED.value, 0),
        unknown=counts.get(Outcome.UNKNOWN.value, 0),
        not_sent=tuple(
            Part(code, _LABELS.get(code, code), count)
            for code, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        ),
    )


_LABELS: Mapping[str, str | Promise] = dict(Message.State.choices) | dict(Reason.choices)


def _moves(map_id: UUID, first: date) -> tuple[Move, ...]:
    """The most travelled first."""
    moves = TouchpointMove.objects.filter(map_id=map_id, day__gte=first)
    summed = moves.values_list("from_touchpoint_id", "to_touchpoint_id").annotate(total=Sum("count"))
    found = sorted((-total, str(from_), str(to)) for from_, to, total in summed)
    return tuple(Move(UUID(from_), UUID(to), -total) for total, from_, to in found)
