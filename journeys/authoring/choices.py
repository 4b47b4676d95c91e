"""What a brand offers a journey to choose from: purposes, connectors, templates, events, traits, segments …"""

from collections.abc import Iterable
from uuid import UUID

from channels.models import Connector, Template
from channels.models.connector import CALLS
from consent.models import Purpose
from customers.authoring.choices import MOST, Choice, Choices, named
from customers.models import Segment
from customers.models.address import Channel
from customers.suggest import event_names, property_names, trait_names
from journeys.models import Journey, Touchpoint


def of_brand(brand_id: UUID) -> Choices:
    """A few short statements, whatever the journey's size."""
    in_brand = {"brand_id": brand_id}
    return Choices(
        {
            "channel": [Choice(one.value, one.label) for one in Channel if one is not Channel.PERSON],
            "purpose": named(Purpose.objects.filter(**in_brand).values_list("key", "name")[:MOST]),
            "connector": named(Connector.objects.filter(**in_brand).values_list("key", "name", "channel")[:MOST]),
            "call_connector": named(
                Connector.objects.filter(**in_brand, channel=CALLS).values_list("key", "name")[:MOST]
            ),
            "template": named(Template.objects.filter(**in_brand).values_list("key", "name", "channel")[:MOST]),
            "event": [Choice(name, name) for name in event_names(brand_id)],
            "trait": [Choice(name, label) for name, label in trait_names(brand_id)],
            "property": [Choice(*one) for one in property_names(brand_id)],
            "journey": named(Journey.objects.filter(brand_id=brand_id).values_list("key", "name")[:MOST]),
            "segment": named(_segments(brand_id)),
            "touchpoint": _touchpoints(brand_id),
        }
    )


def _segments(brand_id: UUID) -> Iterable[tuple[str, str]]:
    there = Segment.objects.filter(brand_id=brand_id).exclude(state=Segment.State.ARCHIVED)
    return there.order_by("name").values_list("key", "name")[:MOST]


def _touchpoints(brand_id: UUID) -> list[Choice]:
    standing = Touchpoint.objects.filter(map__brand_id=brand_id, removed_at=None, map__is_archived=False)
    rows = standing.order_by("map__name", "stage__position", "position", "id").values_list(
        "id", "name", "stage__name", "map__name"
    )
    return [Choice(str(id_), f"{map_} · {stage} · {name}") for id_, name, stage, map_ in rows[:MOST]]
