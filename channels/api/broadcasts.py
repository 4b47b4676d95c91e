"""Broadcasts for partners: listed, read, started, paused, resumed and stopped; written they are by the staff."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from channels.api.broadcast_shapes import BroadcastShape, BroadcastsShape, WhyBody
from channels.broadcasts import halt, start
from channels.broadcasts.states import By, NotPossible
from channels.broadcasts.tally import numbers
from channels.models import Broadcast
from customers import audit
from customers.accept.refusal import Refused
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import one_of, one_uuid
from customers.kept_answers import Answer
from customers.models import Scope
from customers.partner import Partner

_READ, _SEND = Scope.BROADCASTS_READ.value, Scope.BROADCASTS_SEND.value
BROADCASTS = Listing(
    "broadcasts",
    Order("created_at", key=uuid_key),
    {"state": one_of(tuple(Broadcast.State.values), "Only those that stand so.")},
)
_WHY: Final = OpenApiExample("With a reason", {"reason": "A wrong price."}, request_only=True)


class Broadcasts(PartnerView):
    """All broadcasts of the brand."""

    scopes = {"GET": _READ}
    parameters = BROADCASTS.parameters()

    @extend_schema(
        operation_id="list_broadcasts", summary="Broadcasts", tags=["broadcasts"], responses={200: BroadcastsShape}
    )
    def get(self, request: Request) -> HttpResponse:
        rows = Broadcast.objects.visible_to(self.partner).select_related("segment")
        if "state" in self.given:
            rows = rows.filter(state=self.given["state"])
        show = lambda page: [_show(one, self.partner) for one in page]  # noqa: E731 - said where it is used
        return ok(BROADCASTS.page(rows, self.given, self.partner, show))


class BroadcastPage(PartnerView):
    """One of them."""

    scopes = {"GET": _READ}

    @extend_schema(
        operation_id="read_broadcast", summary="A broadcast", tags=["broadcasts"], responses={200: BroadcastShape}
    )
    def get(self, request: Request, broadcast_id: str) -> HttpResponse:
        return ok(_show(_found(self.partner, broadcast_id), self.partner))


class Turn(Writing):
    """What is done to one broadcast; it holds as the answer comes."""

    scopes = {"POST": _SEND}

    def do(self, broadcast_id: str, what: str, act: Callable[[Broadcast, By, str], None]) -> Answer:
        why = WhyBody.read(self.body()).get("reason", "")
        broadcast = _found(self.partner, broadcast_id)
        try:
            act(broadcast, By(token_id=self.partner.token_id), why)
        except NotPossible as error:
            raise Refused("broadcast_not_possible", str(error), "See its state.") from None
        kept = _found(self.partner, broadcast_id)
        told = {"state": kept.state, "token": self.partner.prefix, **({"why": why} if why else {})}
        audit.record(None, f"broadcast_{what}", kept, {"state": broadcast.state}, told, now=self.now)
        return answer_of(_show(kept, self.partner))


@extend_schema_view(
    post=extend_schema(
        operation_id="start_broadcast",
        summary="Start a broadcast",
        tags=["broadcasts"],
        request=WhyBody,
        responses={200: BroadcastShape},
        examples=[_WHY],
    )
)
class BroadcastStart(Turn):
    """A draft, by the words that its template has now. 409 `broadcast_not_possible` says what stands in its way."""

    def answer(self, **kwargs: str) -> Answer:
        return self.do(kwargs["broadcast_id"], "start", lambda one, by, _why: start.start(one, by, self.now))


@extend_schema_view(
    post=extend_schema(
        operation_id="pause_broadcast",
        summary="Pause a broadcast",
        tags=["broadcasts"],
        request=WhyBody,
        responses={200: BroadcastShape},
        examples=[_WHY],
    )
)
class BroadcastPause(Turn):
    """Nothing of it goes out until it is resumed."""

    def answer(self, **kwargs: str) -> Answer:
        return self.do(kwargs["broadcast_id"], "pause", lambda one, by, why: halt.pause(one, by, self.now, why))


@extend_schema_view(
    post=extend_schema(
        operation_id="resume_broadcast",
        summary="Let a broadcast go on",
        tags=["broadcasts"],
        request=WhyBody,
        responses={200: BroadcastShape},
        examples=[_WHY],
    )
)
class BroadcastResume(Turn):
    """It goes on where it was, and with what was held."""

    def answer(self, **kwargs: str) -> Answer:
        return self.do(kwargs["broadcast_id"], "resume", lambda one, by, why: halt.resume(one, by, self.now, why))


@extend_schema_view(
    post=extend_schema(
        operation_id="stop_broadcast",
        summary="Stop a broadcast for good",
        tags=["broadcasts"],
        request=WhyBody,
        responses={200: BroadcastShape},
        examples=[_WHY],
    )
)
class BroadcastStop(Turn):
    """What was not handed over is not sent, and nothing brings it back."""

    def answer(self, **kwargs: str) -> Answer:
        return self.do(kwargs["broadcast_id"], "stop", lambda one, by, why: halt.stop(one, by, self.now, why))


def _found(partner: Partner, broadcast_id: str) -> Broadcast:
    rows = Broadcast.objects.visible_to(partner).select_related("segment", "brand")
    found: Broadcast | None = rows.filter(pk=one_uuid(broadcast_id)).first()
    if found is None:
        raise not_found()
    return found


def _show(broadcast: Broadcast, partner: Partner) -> dict[str, Any]:
    return {
        "id": broadcast.pk,
        "key": broadcast.key,
        "name": broadcast.name,
        "segment": broadcast.segment.key,
        "channel": broadcast.channel,
        "state": broadcast.state,
        "begins_at": broadcast.begins_at,
        "begun_at": broadcast.begun_at,
        "ended_at": broadcast.ended_at,
        "created_at": broadcast.created_at,
        "numbers": _numbers(broadcast, partner),
    }


def _numbers(broadcast: Broadcast, partner: Partner) -> dict[str, Any] | None:
    """How many are in a segment that tells personal data is for those who read it."""
    if broadcast.segment.is_personal and not partner.reads_personal:
        return None
    found = numbers(broadcast.pk)
    return {"recipients": found.recipients, "waiting": found.waiting, "made": found.made, "refused": found.refused}
