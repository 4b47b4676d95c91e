"""Journeys: what a partner may start, and what the states and steps of its runs mean."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from customers.api.base import PartnerView, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import a_text, one_of, one_uuid
from customers.models import Scope
from customers.partner import Partner
from journeys.api.shapes import JourneyDetailShape, JourneysShape
from journeys.compiling import version
from journeys.models import Journey

JOURNEYS = Listing(
    "journeys",
    Order("created_at", key=uuid_key),
    {
        "key": a_text("Only the one of this key."),
        "status": one_of(("live", "paused", "archived"), "Only those of this status."),
    },
)


class Journeys(PartnerView):
    """Journeys of the token's brand that were published."""

    scopes = {"GET": Scope.JOURNEYS_READ.value}
    parameters = JOURNEYS.parameters()

    @extend_schema(operation_id="list_journeys", summary="Journeys", tags=["journeys"], responses={200: JourneysShape})
    def get(self, request: Request) -> HttpResponse:
        wanted = {name: self.given[name] for name in ("key", "status") if name in self.given}
        rows = published(self.partner).filter(**wanted)
        return ok(JOURNEYS.page(rows, self.given, self.partner, lambda page: [show(one) for one in page]))


class JourneyPage(PartnerView):
    """A journey with the states and steps of its live version."""

    scopes = {"GET": Scope.JOURNEYS_READ.value}

    @extend_schema(
        operation_id="get_journey", summary="A journey", tags=["journeys"], responses={200: JourneyDetailShape}
    )
    def get(self, request: Request, journey_id: str) -> HttpResponse:
        journey = published(self.partner).filter(pk=one_uuid(journey_id)).first()
        if journey is None:
            raise not_found()
        return ok(show(journey) | _inside(journey))


def published(partner: Partner) -> QuerySet[Journey]:
    return Journey.objects.visible_to(partner).exclude(live_version=None).select_related("live_version")


def show(journey: Journey) -> dict[str, Any]:
    assert journey.live_version is not None
    live = version(journey.live_version.pk)
    entry = live.definition.entry
    return {
        "id": journey.pk,
        "key": journey.key,
        "name": journey.name,
        "status": journey.status,
        "version": journey.live_version.number,
        "purpose": live.definition.purpose,
        "entry_event": live.entry_event,
        "entry_key": entry.key,
        "startable": entry.api and journey.status == Journey.Status.LIVE,
        "created_at": journey.created_at,
    }


def _inside(journey: Journey) -> dict[str, Any]:
    assert journey.live_version is not None
    live = version(journey.live_version.pk)
    return {
        "states": [{"name": state.name, "kind": state.kind} for state in live.definition.states],
        "steps": [{"id": step.id, "type": step.__struct_config__.tag, "state": step.state} for step in live.steps],
    }
