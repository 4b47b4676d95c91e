"""A map's board drawn as a metro, with the numbers that stand at its stations and along its transfers."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.map_board import Board, Card, Standing
from analytics.map_numbers import MapNumbers
from journeys.maps.metro import Drawing, Ride, Station, Stop, Transfer, draw
from journeys.models import Touchpoint


@dataclass(frozen=True, slots=True)
class MetroStation:
    """`line` is the number of its line's colour."""

    station: Station
    card: Card
    colour: int


@dataclass(frozen=True, slots=True)
class MetroTransfer:
    from_: Touchpoint
    to: Touchpoint
    count: int
    # The line it leaves, from 1, and that line's colour.
    line: int
    colour: int
    drawn: Transfer | None


@dataclass(frozen=True, slots=True)
class Metro:
    drawing: Drawing
    stations: Sequence[MetroStation]
    transfers: Sequence[MetroTransfer]


def metro_of(board: Board, numbers: MapNumbers) -> Metro:
    """Stations in the order of the map: stage by stage, and within a cell as people put them."""
    cards = {
        str(card.touchpoint.pk): card for stage in range(len(board.stages)) for row in board.rows
        for card in row.cells[stage].cards
    }  # fmt: skip
    stages = {stage.pk: n for n, stage in enumerate(board.stages)}
    lines = {row.channel.pk: n for n, row in enumerate(board.rows)}
    stops = [
        Stop(
            key=key,
            line=lines[card.touchpoint.channel_id],
            stage=stages[card.touchpoint.stage_id],
            name=card.touchpoint.name,
            is_critical=card.touchpoint.is_critical,
            is_live=card.standing == Standing.LIVE,
        )
        for key, card in cards.items()
    ]
    rides = [Ride(str(move.from_id), str(move.to_id), move.count) for move in numbers.moves]
    drawing = draw([stage.name for stage in board.stages], [str(row.channel) for row in board.rows], stops, rides)
    colours = [line.colour for line in drawing.lines]
    drawn = {(one.ride.from_key, one.ride.to_key): one for one in drawing.transfers}
    return Metro(
        drawing=drawing,
        stations=[MetroStation(one, cards[one.stop.key], colours[one.stop.line]) for one in drawing.stations],
        transfers=[
            MetroTransfer(
                cards[ride.from_key].touchpoint,
                cards[ride.to_key].touchpoint,
                ride.count,
                lines[cards[ride.from_key].touchpoint.channel_id] + 1,
                colours[lines[cards[ride.from_key].touchpoint.channel_id]],
                drawn.get((ride.from_key, ride.to_key)),
            )
            for ride in rides
            if ride.from_key in cards and ride.to_key in cards
        ],
    )
