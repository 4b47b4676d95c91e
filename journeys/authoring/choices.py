"""What a brand offers to choose from: purposes, connectors, templates, events, traits, properties and touchpoints."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from channels.models import Connector, Template
from consent.models import Purpose
from customers.hints import Text
from customers.models import EventType
from customers.models.address import Channel
from customers.suggest import property_names, trait_names
from journeys.models import Touchpoint

# So many are listed at most; others can be typed in.
MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """`group` is what the choices of one kind are narrowed by: the channel."""

    value: str
    label: Text
    group: str = ""


@dataclass(slots=True)
class Choices:
    """By what a field refers to."""

    by_kind: dict[str, list[Choice]] = field(default_factory=dict)

    def of(self, kind: str, group: str = "") -> list[Choice]:
        """Those of the group; all of them if there is no group."""
        found = self.by_kind.get(kind, [])
        return [choice for choice in found if not group or choice.group == group]


def of_brand(brand_id: UUID) -> Choices:
    """A few short statements, whatever the journey's size."""
    in_brand = {"brand_id": brand_id}
    return Choices(
        {
            "channel": [Choice(one.value, one.label) for one in Channel if one is not Channel.PERSON],
            "purpose": _named(Purpose.objects.filter(**in_brand).values_list("key", "name")[:MOST]),
            "connector": _named(Connector.objects.filter(**in_brand).values_list("key", "name", "channel")[:MOST]),
            "template": _named(Template.objects.filter(**in_brand).values_list("key", "name", "channel")[:MOST]),
            "event": [
                Choice(name, name)
                for name in EventType.objects.filter(**in_brand).values_list("name", flat=True)[:MOST]
            ],
            "trait": [Choice(name, label) for name, label in trait_names(brand_id)],
            "property": [Choice(name, name) for name in property_names(brand_id)],
            "touchpoint": _touchpoints(brand_id),
        }
    )


def _named(rows: Iterable[tuple[str, ...]]) -> list[Choice]:
    return [Choice(key, name if name == key else f"{name} ({key})", *group) for key, name, *group in rows]


def _touchpoints(brand_id: UUID) -> list[Choice]:
    standing = Touchpoint.objects.filter(map__brand_id=brand_id, removed_at=None, map__is_archived=False)
    rows = standing.order_by("map__name", "stage__position", "position", "id").values_list(
        "id", "name", "stage__name", "map__name"
    )
    return [Choice(str(id_), f"{map_} · {stage} · {name}") for id_, name, stage, map_ in rows[:MOST]]
