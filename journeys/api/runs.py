"""Runs: read, started and ended by a partner, for customers it named; and the entries that started none."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from customers.accept.refusal import Refused
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order
from customers.api.parameters import an_id, one_number, one_of
from customers.api.people import known_customer, person
from customers.api.sources import SOURCE, source_of
from customers.ids import new_id
from customers.kept_answers import Answer
from customers.models import Event, Profile, Scope
from customers.partner import Partner
from journeys.api.journeys import published
from journeys.api.shapes import (
    STATUSES,
    ExitBody,
    RefusedEntriesShape,
    RunDetailShape,
    RunShape,
    RunsShape,
    StartBody,
    StartedShape,
)
from journeys.compiling import version
from journeys.engine.start import Busy, Caller, NotEndable, NotStartable, end, start
from journeys.models import Cause, EntryRefusal, Run, Transition
from journeys.moves import placed

_CUSTOMER = an_id("Whose.", required=True)
_JOURNEY = an_id("Only of this journey.")
RUNS = Listing(
    "runs",
    Order("entered_at"),
    {"customer": _CUSTOMER, "journey": _JOURNEY, "status": one_of(STATUSES, "Only those of this status.")},
)
REFUSED = Listing("refused-entries", Order("at"), {"customer": _CUSTOMER, "journey": _JOURNEY})


@extend_schema_view(
    post=extend_schema(
        operation_id="start_run",
        summary="Start a run",
        tags=["runs"],
        request=StartBody,
        responses={201: StartedShape, 200: StartedShape},
        examples=[
            OpenApiExample(
                "For a cart",
                {
                    "journey": "019a1f6e-8a51-7cc3-9d53-0a3c1f2b4d5e",
                    "identifier": {"kind": "user_id", "value": "u-17"},
                    "properties": {"cart_id": "c-1"},
                },
                request_only=True,
            )
        ],
    )
)
class Runs(Writing):
    """A customer's runs; and starting one: at once, with the same checks as for the journey's entry event."""

    scopes = {"GET": Scope.RUNS_READ.value, "POST": Scope.RUNS_WRITE.value}

    @property
    def parameters(self) -> Any:  # type: ignore[override]  # a list and a call ask for different things
        method = getattr(self.request, "method", None) or "GET"
        return SOURCE if method == "POST" else RUNS.parameters()

    @extend_schema(operation_id="list_runs", summary="A customer's runs", tags=["runs"], responses={200: RunsShape})
    def get(self, request: Request) -> HttpResponse:
        customer = known_customer(self.partner, self.given["customer"])
        rows = Run.objects.visible_to(self.partner).filter(profile_id__in=_profiles(customer.pk))
        if "journey" in self.given:
            rows = rows.filter(journey_id=self.given["journey"])
        if "status" in self.given:
            rows = rows.filter(status=STATUSES.index(self.given["status"]) + 1)
        rows = rows.select_related("journey", "version")
        return ok(RUNS.page(rows, self.given, self.partner, lambda page: [show(run) for run in page]))

    def answer(self, **kwargs: str) -> Answer:
        source = source_of(self.partner, self.given)
        asked = StartBody.read(self.body())
        if not published(self.partner).filter(pk=asked["journey"]).exists():
            raise Refused("unknown_journey", "There is no such journey.", "Send the id of one.", "/journey")
        known = person(self.partner, asked, self.now)
        caller = _caller(self.partner, source.source_id, known.profile_id)
        try:
            result = start(asked["journey"], caller, asked.get("properties", {}), self.now)
        except NotStartable:
            text = "The journey is not live, or is started by events alone."
            raise Refused("journey_not_live", text, "See `startable`.", "/journey") from None
        except Busy:
            raise _busy() from None
        if isinstance(result, Run):
            content = {"started": True, "run": show(result), "refused": None}
            return answer_of(content, 201, f"/api/v1/runs/{result.pk}")
        return answer_of({"started": False, "run": None, "refused": show_refused(result)})


class RunPage(PartnerView):
    """A run with its path."""

    scopes = {"GET": Scope.RUNS_READ.value}

    @extend_schema(operation_id="get_run", summary="A run", tags=["runs"], responses={200: RunDetailShape})
    def get(self, request: Request, run_id: str) -> HttpResponse:
        run = _run(self.partner, run_id)
        return ok(show(run) | {"path": _path(run, self.partner)})


@extend_schema_view(
    post=extend_schema(
        operation_id="end_run",
        summary="End a run",
        tags=["runs"],
        request=ExitBody,
        responses={200: RunShape},
        examples=[OpenApiExample("Why", {"reason": "sold in the shop"}, request_only=True)],
    )
)
class RunExit(Writing):
    """Ends it at once; messages that were not sent yet stay unsent."""

    scopes = {"POST": Scope.RUNS_WRITE.value}
    parameters = SOURCE

    def answer(self, **kwargs: str) -> Answer:
        source = source_of(self.partner, self.given)
        asked = ExitBody.read(self.body())
        run = _run(self.partner, kwargs["run_id"])
        caller = _caller(self.partner, source.source_id, run.profile_id)
        try:
            ended = end(run.pk, caller, asked.get("state"), asked.get("reason", ""), self.now)
        except NotEndable as error:
            raise _ENDINGS[error.code]() from None
        return answer_of(show(ended))


class RefusedEntries(PartnerView):
    """Entries that started no run, by event or by call, and why."""

    scopes = {"GET": Scope.RUNS_READ.value}
    parameters = REFUSED.parameters()

    @extend_schema(
        operation_id="list_refused_entries",
        summary="A customer's refused entries",
        tags=["runs"],
        responses={200: RefusedEntriesShape},
    )
    def get(self, request: Request) -> HttpResponse:
        customer = known_customer(self.partner, self.given["customer"])
        rows = EntryRefusal.objects.visible_to(self.partner).filter(profile_id__in=_profiles(customer.pk))
        if "journey" in self.given:
            rows = rows.filter(journey_id=self.given["journey"])
        return ok(REFUSED.page(rows, self.given, self.partner, lambda page: [show_refused(one) for one in page]))


_ENDINGS = {
    "run_ended": lambda: Refused("run_ended", "The run has ended already.", "Nothing is left to do."),
    "unknown_state": lambda: Refused("unknown_value", "Not an end state of the journey.", "See its states.", "/state"),
    "illegal_transition": lambda: Refused(
        "illegal_transition", "No way leads there from the run's state.", "Name another end state, or none.", "/state"
    ),
}


def _caller(partner: Partner, source_id: UUID, profile_id: UUID) -> Caller:
    return Caller(partner.brand_id, source_id, profile_id, f"api-{new_id()}", partner.prefix)


def _busy() -> Refused:
    text = "What came earlier of this person is still being worked on."
    return Refused("customer_busy", text, "Send the same again in a second.")


def _run(partner: Partner, run_id: str) -> Run:
    run = Run.objects.visible_to(partner).select_related("journey", "version").filter(pk=one_number(run_id)).first()
    if run is None:
        raise not_found()
    return run


def _profiles(customer_id: UUID) -> list[UUID]:
    return list(Profile.objects.filter(customer_id=customer_id).values_list("id", flat=True))


def show(run: Run) -> dict[str, Any]:
    of = version(run.version_id)
    return {
        "id": run.pk,
        "journey": run.journey_id,
        "journey_key": run.journey.key,
        "version": run.version.number,
        "customer": run.customer_id,
        "entry_key": run.entry_key or None,
        "status": STATUSES[run.status - 1],
        "state": of.definition.states[run.state].name,
        "step": of.steps[run.step].id,
        "entered_at": run.entered_at,
        "due_at": run.due_at,
        "ended_at": run.ended_at,
    }


def show_refused(refusal: EntryRefusal) -> dict[str, Any]:
    return {
        "id": refusal.pk,
        "journey": refusal.journey_id,
        "reason": refusal.reason,
        "entry_key": refusal.entry_key or None,
        "at": refusal.at,
    }


def _path(run: Run, partner: Partner) -> list[dict[str, Any]]:
    moves = list(placed(Transition.objects.filter(run_id=run.pk).order_by("seq")))
    own = _own_events(partner, [one.move.event_id for one in moves if one.move.event_id is not None])
    return [
        {
            "seq": move.seq,
            "at": move.at,
            "cause": Cause(move.cause).name.lower(),
            "step_from": None if move.step_from is None else left.steps[move.step_from].id,
            "step_to": None if move.step_to is None else came.steps[move.step_to].id,
            "state": came.definition.states[move.state_to].name,
            "event": move.event_id if move.event_id in own else None,
        }
        for move, left, came in moves
    ]


def _own_events(partner: Partner, ids: Collection[int]) -> frozenset[int]:
    if not ids:
        return frozenset()
    return frozenset(Event.objects.visible_to(partner).filter(pk__in=ids).values_list("pk", flat=True))
