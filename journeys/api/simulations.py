"""Simulations: asked for, looked at and stopped by a partner; they tell counts, and name nobody."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import override
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from customers import jobs
from customers.accept.refusal import Refused, pointer
from customers.accept.timestamps import read_timestamp
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import one_uuid
from customers.kept_answers import Answer
from customers.models import Scope
from customers.partner import Partner
from journeys.api.journeys import published
from journeys.api.simulation_shapes import MOST_EVENTS, SimulationBody, SimulationShape, SimulationsShape, StopBody
from journeys.definition import InvalidDefinition
from journeys.drafts import NotPossible
from journeys.engine.arrivals import Arrival
from journeys.models import Journey, Simulation
from journeys.simulation.handed_in import NotAnEvent, read
from journeys.simulation.job import ask
from journeys.simulation.supposed import NotSupposable, Supposed
from journeys.simulation.unknown import in_words
from journeys.simulation.versions import NoSuchVersion

SIMULATIONS = Listing("simulations", Order("created_at", key=uuid_key), {})
_MAX_BYTES: Final = 1024 * 1024
# A simulation may run on into a future that no event can come from.
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_SCOPE: Final = Scope.JOURNEYS_SIMULATE.value
_ASKED = OpenApiExample(
    "The draft beside what is live",
    {"versions": ["live", "draft"], "since": "2026-03-01T00:00:00Z", "until": "2026-04-01T00:00:00Z"},
    request_only=True,
)


@extend_schema_view(
    post=extend_schema(
        operation_id="simulate_journey",
        summary="Simulate a journey",
        tags=["journeys"],
        request=SimulationBody,
        responses={202: SimulationShape},
        examples=[_ASKED],
    )
)
class Simulations(Writing):
    """Versions of a journey, played in virtual time over stored events or those that are sent. Nothing is written about
    anybody, and nothing is sent to them."""

    scopes = {"GET": _SCOPE, "POST": _SCOPE}
    max_bytes = _MAX_BYTES
    at_most: ClassVar = {"events": (MOST_EVENTS, "events")}

    @property
    def parameters(self) -> Any:  # type: ignore[override]  # a list and a call ask for different things
        method = getattr(self.request, "method", None) or "GET"
        return {} if method == "POST" else SIMULATIONS.parameters()

    @extend_schema(
        operation_id="list_simulations",
        summary="A journey's simulations",
        tags=["journeys"],
        responses={200: SimulationsShape},
    )
    def get(self, request: Request, journey_id: str) -> HttpResponse:
        rows = _visible(self.partner).filter(journey=_journey(self.partner, journey_id))
        return ok(SIMULATIONS.page(rows, self.given, self.partner, lambda page: [show(one) for one in page]))

    def answer(self, **kwargs: str) -> Answer:
        journey = _journey(self.partner, kwargs["journey_id"])
        asked = SimulationBody.read(self.body())
        since, until = (_moment(asked[name], f"/{name}") for name in ("since", "until"))
        events = _events(asked["events"], journey) if "events" in asked else None
        try:
            with override("en"):
                token = self.partner.token_id
                made = ask(
                    journey, asked["versions"], since, until, now=self.now, by_token=token, events=events,
                    assumed=[Supposed(**one) for one in asked.get("assumed", ())],
                )  # fmt: skip
        except NotSupposable as error:
            where = pointer("assumed", error.number, error.field)
            raise Refused(error.code, error.why, "See the API's description.", where) from None
        except NotPossible as error:
            raise Refused("not_possible", str(error), "Name one version or two, and a span.") from None
        except NoSuchVersion:
            text = "The journey has no such version."
            raise Refused("unknown_value", text, "Send live, draft or a number.", "/versions") from None
        except InvalidDefinition:
            text = "The draft has mistakes, so it cannot be simulated yet."
            raise Refused("invalid_draft", text, "Mend it first.", "/versions") from None
        return answer_of(show(made), 202, f"/api/v1/simulations/{made.pk}")


class SimulationPage(PartnerView):
    """A simulation with what it has found so far."""

    scopes = {"GET": _SCOPE}

    @extend_schema(
        operation_id="get_simulation", summary="A simulation", tags=["journeys"], responses={200: SimulationShape}
    )
    def get(self, request: Request, simulation_id: str) -> HttpResponse:
        return ok(show(_simulation(self.partner, simulation_id)))


@extend_schema_view(
    post=extend_schema(
        operation_id="stop_simulation",
        summary="Stop a simulation",
        tags=["journeys"],
        request=StopBody,
        responses={200: SimulationShape},
        examples=[OpenApiExample("Stop it", {}, request_only=True)],
    )
)
class SimulationStop(Writing):
    """Ends it; what it has found stays. One that is over stays as it is."""

    scopes = {"POST": _SCOPE}

    def answer(self, **kwargs: str) -> Answer:
        StopBody.read(self.body())
        found = _simulation(self.partner, kwargs["simulation_id"])
        jobs.cancel(found.job_id, self.now)
        return answer_of(show(_simulation(self.partner, kwargs["simulation_id"])))


def _journey(partner: Partner, journey_id: str) -> Journey:
    journey = published(partner).filter(pk=one_uuid(journey_id)).first()
    if journey is None:
        raise not_found()
    return journey


def _visible(partner: Partner) -> "QuerySet[Simulation]":
    return Simulation.objects.visible_to(partner).exclude(journey__live_version=None).select_related("job")


def _simulation(partner: Partner, simulation_id: str) -> Simulation:
    found = _visible(partner).filter(pk=one_uuid(simulation_id)).first()
    if found is None:
        raise not_found()
    return found


def _moment(text: str, where: str) -> datetime:
    return read_timestamp(text, _LAST, where, historical=True)


def _events(sent: list[Mapping[str, Any]], journey: Journey) -> list[Arrival]:
    found = []
    for number, one in enumerate(sent):
        where = pointer("events", number, "occurred_at")
        said = {**one, "occurred_at": _moment(one["occurred_at"], where).isoformat()}
        try:
            with override("en"):
                found.append(read(said, number + 1, journey.brand_id))
        except NotAnEvent as error:
            raise Refused("invalid_event", error.why, "See the API's description.", pointer("events", number)) from None
    return found


def show(simulation: Simulation) -> dict[str, Any]:
    job = simulation.job
    return {
        "id": simulation.pk,
        "journey": simulation.journey_id,
        "versions": [pin["name"] for pin in simulation.versions],
        "since": simulation.since,
        "until": simulation.until,
        "over": "sent_events" if simulation.of_file else "stored_events",
        "assumed": simulation.assumed,
        "state": job.state,
        "events_done": job.done,
        "events_total": job.total,
        "results": {name: _in_words(found) for name, found in simulation.found.items()},
        "created_at": simulation.created_at,
    }


def _in_words(found: Mapping[str, Any]) -> dict[str, Any]:
    with override("en"):
        return {**found, "unknown": in_words(found["unknown"])}
