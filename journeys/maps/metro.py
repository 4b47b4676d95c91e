"""The layout of a metro map: lines are channels, stations touchpoints in the order of stages, transfers movement.

Pure geometry: where things stand and the paths between them. Each station has a slot of its own on its line, wide
enough for its name below it. Transfers run where no name is: along their line, up and down the gutters between
slots, and along the corridors above lines.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

LEFT: Final = 128
SLOT: Final = 152
TOP: Final = 92
ROW: Final = 144
BOTTOM: Final = 104
RADIUS: Final = 9
# More would be a tangle; the table beside the drawing has them all.
MOST_TRANSFERS: Final = 24
_LINE_COLOURS: Final = 8
_NAME_WIDTH: Final = 18
_NAME_LINES: Final = 3
_STAGE_WIDTH: Final = 18
_LANE: Final = 7
_LANES: Final = (0, 1, -1, 2, -2)
_CORRIDOR: Final = 34
_CORNER: Final = 10
# Departures leave a little above their line and arrivals come in a little below, so that both can be followed.
_BESIDE: Final = 5
_THINNEST: Final = 2.0
_WIDER: Final = 6.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Stop:
    """A touchpoint as it goes in: on which line, in which stage."""

    key: str
    line: int
    stage: int
    name: str
    is_critical: bool = False
    is_live: bool = True


@dataclass(frozen=True, slots=True)
class Ride:
    """Movement as it goes in."""

    from_key: str
    to_key: str
    count: int


@dataclass(frozen=True, slots=True)
class Station:
    stop: Stop
    x: int
    y: int
    names: Sequence[tuple[int, str]]
    is_interchange: bool
    numbers_y: int


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    names: Sequence[tuple[int, str]]
    colour: int
    y: int
    path: str
    is_empty: bool


@dataclass(frozen=True, slots=True)
class Band:
    """A stage, from left to right."""

    name: str
    names: Sequence[tuple[int, str]]
    x: int
    width: int
    middle: int
    is_odd: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    ride: Ride
    path: str
    width: str


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    bands: Sequence[Band]
    lines: Sequence[Line]
    stations: Sequence[Station]
    transfers: Sequence[Transfer]
    untold: int


def draw(stages: Sequence[str], lines: Sequence[str], stops: Sequence[Stop], rides: Iterable[Ride]) -> Drawing:
    """The same input makes the same drawing."""
    widths = _widths(len(stages), stops)
    slots = _slots(widths, stops)
    at = {stop.key: (slots[stop.key], stop.line) for stop in stops}
    known = [ride for ride in rides if ride.from_key in at and ride.to_key in at and ride.from_key != ride.to_key]
    known.sort(key=lambda ride: (-ride.count, ride.from_key, ride.to_key))
    told = known[:MOST_TRANSFERS]
    changing = {
        key for ride in told if at[ride.from_key][1] != at[ride.to_key][1] for key in (ride.from_key, ride.to_key)
    }
    return Drawing(
        width=LEFT + sum(widths) * SLOT + 16,
        height=TOP + max(len(lines) - 1, 0) * ROW + BOTTOM,
        bands=_bands(stages, widths),
        lines=[_line(n, name, slots, stops, sum(widths)) for n, name in enumerate(lines)],
        stations=[_station(stop, slots[stop.key], stop.key in changing) for stop in stops],
        transfers=_transfers(told, at),
        untold=len(known) - len(told),
    )


def _widths(stages: int, stops: Iterable[Stop]) -> list[int]:
    """How many slots each stage needs: as many as its busiest line has stations there."""
    busy: Mapping[tuple[int, int], int] = defaultdict(int)
    for stop in stops:
        busy[stop.stage, stop.line] += 1  # type: ignore[index]
    return [max((n for (stage, _line), n in busy.items() if stage == one), default=1) for one in range(stages)]


def _slots(widths: Sequence[int], stops: Iterable[Stop]) -> dict[str, int]:
    taken: dict[tuple[int, int], int] = defaultdict(int)
    slots = {}
    for stop in stops:
        cell = stop.stage, stop.line
        slots[stop.key] = sum(widths[: stop.stage]) + taken[cell]
        taken[cell] += 1
    return slots


def _x(slot: float) -> int:
    return round(LEFT + (slot + 0.5) * SLOT)


def _y(line: int) -> int:
    return TOP + line * ROW


def _bands(stages: Sequence[str], widths: Sequence[int]) -> list[Band]:
    bands, slot = [], 0
    for n, (name, width) in enumerate(zip(stages, widths, strict=True)):
        x = LEFT + slot * SLOT
        names = _lines_of(name, _STAGE_WIDTH * width, 2, first=22, step=17)
        bands.append(Band(name, names, x, width * SLOT, x + width * SLOT // 2, bool(n % 2)))
        slot += width
    return bands


def _line(number: int, name: str, slots: Mapping[str, int], stops: Iterable[Stop], all_slots: int) -> Line:
    mine = [slots[stop.key] for stop in stops if stop.line == number]
    y = _y(number)
    if mine:
        # A short stretch beyond the last station, as lines have.
        first, last = _x(min(mine)) - SLOT // 4, _x(max(mine)) + SLOT // 4
    else:
        first, last = LEFT, LEFT + all_slots * SLOT
    names = _lines_of(name, 14, 2, first=y + 5, step=15)
    return Line(name, names, number % _LINE_COLOURS + 1, y, f"M{first} {y}H{last}", is_empty=not mine)


def _station(stop: Stop, slot: int, is_interchange: bool) -> Station:
    y = _y(stop.line)
    names = _lines_of(stop.name, _NAME_WIDTH, _NAME_LINES, first=y + 28, step=15)
    return Station(stop, _x(slot), y, names, is_interchange, numbers_y=y + 29 + 15 * len(names))


def _lines_of(text: str, width: int, most: int, *, first: int, step: int) -> list[tuple[int, str]]:
    """Broken into lines that fit, each with its height; what is too long ends in an ellipsis."""
    told = wrap(" ".join(text.split()), width, max_lines=most, placeholder="…") or [""]
    return [(first + n * step, line) for n, line in enumerate(told)]


def _transfers(rides: Sequence[Ride], at: Mapping[str, tuple[int, int]]) -> list[Transfer]:
    most = max((ride.count for ride in rides), default=1)
    in_gutter: dict[int, int] = defaultdict(int)
    in_corridor: dict[int, int] = defaultdict(int)
    transfers = []
    for ride in rides:
        points = _route(at[ride.from_key], at[ride.to_key], in_gutter, in_corridor)
        width = _THINNEST + _WIDER * (ride.count / most) ** 0.5
        transfers.append(Transfer(ride, _rounded(points), f"{width:.1f}"))
    return transfers


def _route(
    from_: tuple[int, int], to: tuple[int, int], in_gutter: dict[int, int], in_corridor: dict[int, int]
) -> list[Point]:
    """From station to station by gutters and corridors; each way taken is a lane less for those that follow."""
    (slot, line), (to_slot, to_line) = from_, to
    start, end = (_x(slot), _y(line) - _BESIDE), (_x(to_slot), _y(to_line) + _BESIDE)
    if line == to_line and to_slot == slot + 1:
        return [start, (end[0], start[1])]
    ahead = to_slot > slot
    out, into = slot + 1, to_slot if ahead else to_slot + 1
    x_out = _gutter(out, in_gutter)
    if out == into:
        return [start, (x_out, start[1]), (x_out, end[1]), end]
    x_into = _gutter(into, in_gutter)
    y = _y(to_line) - _CORRIDOR - _LANE * (in_corridor[to_line] % 3)
    in_corridor[to_line] += 1
    return [start, (x_out, start[1]), (x_out, y), (x_into, y), (x_into, end[1]), end]


def _gutter(number: int, taken: dict[int, int]) -> float:
    lane = _LANES[taken[number] % len(_LANES)]
    taken[number] += 1
    return LEFT + number * SLOT + lane * _LANE


def _rounded(points: Sequence[Point]) -> str:
    """A path along the points, its corners rounded."""
    path = [f"M{_at(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        enter, leave = _towards(corner, before), _towards(corner, after)
        path.append(f"L{_at(enter)}Q{_at(corner)} {_at(leave)}")
    path.append(f"L{_at(points[-1])}")
    return "".join(path)


def _towards(corner: Point, other: Point) -> Point:
    """The point where the curve at a corner begins: not past the middle of a short stretch."""
    (x, y), (to_x, to_y) = corner, other
    length = max(abs(to_x - x), abs(to_y - y))
    part = min(_CORNER, length / 2) / length if length else 0.0
    return x + (to_x - x) * part, y + (to_y - y) * part


def _at(point: Point) -> str:
    return f"{round(point[0], 1):g} {round(point[1], 1):g}"
