"""The metro map is the same each time, keeps names apart and tells how many moved."""

import re
from itertools import combinations, pairwise

import pytest

from journeys.maps.metro import (
    LEFT,
    MOST_TRANSFERS,
    RADIUS,
    ROW,
    SLOT,
    Drawing,
    Ride,
    Station,
    Stop,
    draw,
)

STAGES = ("Awareness", "Purchase", "Use")
LINES = ("e-mail", "store")


def stop(key: str, line: int = 0, stage: int = 0, name: str = "") -> Stop:
    return Stop(key=key, line=line, stage=stage, name=name or key)


def places(drawing: Drawing) -> dict[str, tuple[int, int]]:
    return {station.stop.key: (station.x, station.y) for station in drawing.stations}


def points(path: str) -> list[tuple[float, float]]:
    """Where a path goes, its curves by their corners."""
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


def test_stages_run_to_the_right_and_lines_downwards() -> None:
    found = places(draw(STAGES, LINES, [stop("a"), stop("b", stage=2), stop("c", line=1, stage=1)], []))
    assert found["a"][0] < found["c"][0] < found["b"][0]
    assert found["a"][1] == found["b"][1] == found["c"][1] - ROW


def test_stations_of_one_cell_stand_side_by_side_and_push_later_stages_on() -> None:
    found = places(draw(STAGES, LINES, [stop("a"), stop("b"), stop("c", line=1, stage=1)], []))
    assert found["b"][0] == found["a"][0] + SLOT
    assert found["c"][0] == found["b"][0] + SLOT


def test_a_line_without_stations_is_still_there() -> None:
    drawing = draw(STAGES, LINES, [stop("a")], [])
    assert [line.is_empty for line in drawing.lines] == [False, True]


def test_a_map_without_anything_draws() -> None:
    drawing = draw((), (), (), ())
    assert (drawing.stations, drawing.transfers, drawing.untold) == ([], [], 0)
    assert drawing.width > 0
    assert drawing.height > 0


def test_the_most_travelled_transfer_is_the_widest_and_comes_first() -> None:
    stops = [stop("a"), stop("b", line=1, stage=1), stop("c", stage=2)]
    rides = [Ride("a", "b", 4), Ride("a", "c", 100), Ride("b", "c", 25)]
    drawn = draw(STAGES, LINES, stops, rides).transfers
    assert [(one.ride.count, one.width) for one in drawn] == [(100, "8.0"), (25, "5.0"), (4, "3.2")]


def test_transfers_begin_and_end_at_their_stations() -> None:
    stops = [stop("a"), stop("b", line=1), stop("c", line=1, stage=2), stop("d", stage=1)]
    rides = [Ride(one.key, other.key, 1) for one in stops for other in stops if one is not other]
    drawing = draw(STAGES, LINES, stops, rides)
    found = places(drawing)
    assert len(drawing.transfers) == 12
    for transfer in drawing.transfers:
        path = points(transfer.path)
        for (x, y), key in ((path[0], transfer.ride.from_key), (path[-1], transfer.ride.to_key)):
            assert (x, abs(y - found[key][1]) < RADIUS) == (found[key][0], True)


def test_stations_where_channels_change_are_interchanges() -> None:
    stops = [stop("a"), stop("b", stage=1), stop("c", line=1, stage=2)]
    drawing = draw(STAGES, LINES, stops, [Ride("a", "b", 5), Ride("b", "c", 1)])
    assert [station.is_interchange for station in drawing.stations] == [False, True, True]


def test_rides_from_or_to_nowhere_are_left_out() -> None:
    drawing = draw(STAGES, LINES, [stop("a")], [Ride("a", "gone", 3), Ride("gone", "a", 3), Ride("a", "a", 3)])
    assert (drawing.transfers, drawing.untold) == ([], 0)


def test_a_tangle_is_cut_and_says_so() -> None:
    stops = [stop(f"s{n}", line=n % 2, stage=n % 3) for n in range(12)]
    rides = [Ride(one.key, other.key, 1) for one in stops for other in stops if one is not other]
    drawing = draw(STAGES, LINES, stops, rides)
    assert (len(drawing.transfers), drawing.untold) == (MOST_TRANSFERS, 12 * 11 - MOST_TRANSFERS)


@pytest.mark.parametrize("name", ["Welcome", "A touchpoint with quite a long name that goes on and on", "W" * 120, ""])
def test_names_stay_within_their_slot(name: str) -> None:
    stops = [stop(f"s{n}", line=n % 2, stage=n % 3, name=name) for n in range(9)]
    drawing = draw(STAGES, LINES, stops, [])
    boxes = [name_box(station) for station in drawing.stations]
    assert [pair for pair in combinations(boxes, 2) if overlap(*pair)] == []
    assert all(
        bottom - station.y < ROW - RADIUS for (_l, _t, _r, bottom), station in zip(boxes, drawing.stations, strict=True)
    )


def test_no_transfer_runs_through_a_name() -> None:
    stops = [
        stop(f"s{n}", line=n % 2, stage=n % 3, name="Quite a long name that fills three whole lines of it")
        for n in range(9)
    ]
    rides = [Ride(one.key, other.key, 1) for one in stops for other in stops if one is not other]
    drawing = draw(STAGES, LINES, stops, rides)
    boxes = [name_box(station) for station in drawing.stations]
    for transfer in drawing.transfers:
        path = points(transfer.path)
        for start, end in pairwise(path):
            assert not any(crosses(start, end, box) for box in boxes), transfer.ride


def test_the_same_input_makes_the_same_drawing_whatever_its_order() -> None:
    stops = [stop("a"), stop("b", line=1, stage=1), stop("c", stage=2)]
    rides = [Ride("a", "b", 4), Ride("b", "c", 4), Ride("c", "a", 4)]
    assert draw(STAGES, LINES, stops, rides) == draw(STAGES, LINES, stops, rides[::-1])


def test_everything_lies_within_the_drawing() -> None:
    stops = [stop(f"s{n}", line=n % 2, stage=n % 3) for n in range(8)]
    rides = [Ride(one.key, other.key, 1) for one in stops for other in stops if one is not other]
    drawing = draw(STAGES, LINES, stops, rides)
    for transfer in drawing.transfers:
        assert all(LEFT - 20 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in points(transfer.path))


def name_box(station: Station) -> tuple[float, float, float, float]:
    """The room a name takes: letters of 12 pixels are 6.6 wide on average, and baselines have 11 above them."""
    wide = max(len(text) for _y, text in station.names) * 6.6
    first, last = station.names[0][0], station.names[-1][0]
    return station.x - wide / 2, first - 11, station.x + wide / 2, max(last, station.numbers_y) + 3


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def crosses(start: tuple[float, float], end: tuple[float, float], box: tuple[float, ...]) -> bool:
    """Whether a stretch of way, straight or a small corner, touches the box."""
    low_x, high_x = sorted((start[0], end[0]))
    low_y, high_y = sorted((start[1], end[1]))
    return low_x < box[2] and box[0] < high_x and low_y < box[3] and box[1] < high_y
