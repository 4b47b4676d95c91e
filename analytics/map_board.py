"""A map as its page shows it: cells of touchpoints with what is live there, and live steps that are on no map."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analytics.map_numbers import MapNumbers, TouchpointNumbers
from journeys.maps.steps import LiveStep
from journeys.models import JourneyMap, MapChannel, MapStage, Touchpoint


class Standing(models.TextChoices):
    """What a touchpoint is in truth, beside what was intended."""

    LIVE = "live", pgettext_lazy("journey", "live")
    PLANNED = "planned", _("planned, not live")
    MISSING = "missing", _("meant to be live, but no live step sends it")


@dataclass(frozen=True, slots=True)
class Card:
    touchpoint: Touchpoint
    numbers: TouchpointNumbers
    steps: Sequence[LiveStep]

    @property
    def standing(self) -> Standing:
        if self.steps:
            return Standing.LIVE
        if self.touchpoint.intent == Touchpoint.Intent.PLANNED:
            return Standing.PLANNED
        # Where people come by themselves, nobody but those who said so knows whether it is there.
        told_by_visits = bool(self.touchpoint.arrival_event) or not self.touchpoint.channel.sends_messages
        return Standing.LIVE if told_by_visits else Standing.MISSING

    @property
    def elsewhere(self) -> Sequence[LiveStep]:
        """Steps that send by another channel than the row says."""
        return [live for live in self.steps if live.step.channel != self.touchpoint.channel.kind]


@dataclass(frozen=True, slots=True)
class Cell:
    stage: MapStage
    channel: MapChannel
    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class Row:
    channel: MapChannel
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which touchpoints are shown; `owner` is a role, a person's id, or `nobody`."""

    owner: str = ""
    critical: bool = False
    standing: str = ""

    def __bool__(self) -> bool:
        return bool(self.owner or self.critical or self.standing)

    def keep(self, card: Card) -> bool:
        one = card.touchpoint
        if self.critical and not one.is_critical:
            return False
        if self.standing and card.standing != self.standing:
            return False
        if self.owner == "nobody":
            return not one.owner_role and one.owner_id is None
        return not self.owner or self.owner in (one.owner_role, str(one.owner_id))


@dataclass(frozen=True, slots=True)
class Board:
    map: JourneyMap
    stages: Sequence[MapStage]
    rows: Sequence[Row]
    cards: Sequence[Card]
    shown: int
    # Live message steps that realise no touchpoint of this map, nor of another one of the brand.
    unplaced: Sequence[LiveStep]

    def count(self, standing: Standing) -> int:
        return sum(card.standing == standing for card in self.cards)


def board(map_: JourneyMap, numbers: MapNumbers, live: Sequence[LiveStep], filters: Filters) -> Board:
    """Everything on the map, the cards thinned out by the filters."""
    stages = list(map_.stages.filter(removed_at=None))
    channels = list(map_.channels.filter(removed_at=None))
    touchpoints = Touchpoint.objects.filter(map=map_, removed_at=None).select_related("owner", "channel", "stage")
    steps: dict[UUID, list[LiveStep]] = {}
    for one in live:
        if one.touchpoint_id is not None:
            steps.setdefault(one.touchpoint_id, []).append(one)
    cards = [Card(one, numbers.of(one.pk), steps.get(one.pk, ())) for one in touchpoints]
    shown = [card for card in cards if filters.keep(card)]
    known = _known(live, cards)
    return Board(
        map=map_,
        stages=stages,
        rows=[Row(channel, _cells(stages, channel, _by_cell(shown))) for channel in channels],
        cards=cards,
        shown=len(shown),
        unplaced=[one for one in live if one.touchpoint_id not in known],
    )


def _known(live: Iterable[LiveStep], cards: Iterable[Card]) -> set[UUID]:
    """Touchpoints of this map, and those of other maps that steps may name; not what is off its map."""
    here = {card.touchpoint.pk for card in cards}
    named = {one.touchpoint_id for one in live if one.touchpoint_id is not None} - here
    return here | set(Touchpoint.objects.filter(pk__in=named, removed_at=None).values_list("pk", flat=True))


def _by_cell(cards: Iterable[Card]) -> Mapping[tuple[UUID, UUID], list[Card]]:
    cells: dict[tuple[UUID, UUID], list[Card]] = {}
    for card in cards:
        cells.setdefault((card.touchpoint.stage_id, card.touchpoint.channel_id), []).append(card)
    return cells


def _cells(
    stages: Iterable[MapStage], channel: MapChannel, cards: Mapping[tuple[UUID, UUID], list[Card]]
) -> list[Cell]:
    return [Cell(stage, channel, cards.get((stage.pk, channel.pk), ())) for stage in stages]
