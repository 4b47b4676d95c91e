"""A small journey map: two stages, two channels, and the touchpoints a test puts there."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from customers.models import Brand
from journeys.maps.edit import add
from journeys.models import JourneyMap, MapChannel, MapStage, Touchpoint

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass(slots=True)
class Board:
    map: JourneyMap
    awareness: MapStage
    use: MapStage
    email: MapChannel
    store: MapChannel

    def touchpoint(self, name: str, **values: Any) -> Touchpoint:
        """By default in the cell of awareness and e-mail."""
        cell = {"stage": self.awareness, "channel": self.email}
        return add(Touchpoint(map=self.map, name=name, **cell | values), by=None, now=NOW)


def make_board(brand: Brand, name: str = "Coffee lovers", **values: Any) -> Board:
    map_ = JourneyMap.objects.create(brand=brand, name=name, **values)
    awareness, use = (add(MapStage(map=map_, name=stage), by=None, now=NOW) for stage in ("Awareness", "Use"))
    email, store = (add(MapChannel(map=map_, kind=kind), by=None, now=NOW) for kind in ("email", "store"))
    return Board(map_, awareness, use, email, store)
