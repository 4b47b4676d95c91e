"""Which version of a journey is simulated: a published one, or the draft as it would be published now."""

from collections.abc import Mapping
from typing import Any, Final

from journeys.compiling import compile_version
from journeys.compiling import version as published
from journeys.models import Journey, JourneyVersion
from journeys.publish import bind
from journeys.validate import check
from journeys.version import Version

DRAFT: Final = "draft"
LIVE: Final = "live"


class NoSuchVersion(LookupError):
    """The journey has no version of this name."""


def of_draft(journey: Journey, document: Mapping[str, Any]) -> Version:
    """The version that the document would be; raises InvalidDefinition if it cannot be published."""
    definition, steps = check(document)
    bindings = bind(journey, definition, steps)
    return compile_version(document, bindings, id_=0, journey_id=journey.pk, brand_id=journey.brand_id)


def find_version(journey: Journey, name: str) -> Version:
    """`draft`, `live` or a number; raises NoSuchVersion, and InvalidDefinition of a draft that cannot be published."""
    if name == DRAFT:
        if not journey.draft:
            raise NoSuchVersion(name)
        return of_draft(journey, journey.draft)
    if name == LIVE:
        if journey.live_version_id is None:
            raise NoSuchVersion(name)
        return published(journey.live_version_id)
    number = int(name) if name.isdecimal() and len(name) < 10 else 0
    found = JourneyVersion.objects.filter(journey=journey, number=number).values_list("pk", flat=True).first()
    if found is None:
        raise NoSuchVersion(name)
    return published(found)
