"""Messages to customers a partner named, with why they were sent or not, as far as it is the partner's to know."""

from typing import Any

from django.db.models import F
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from analytics.api.shapes import MessageDetailShape, MessagesShape
from analytics.why import Explanation, as_json, explain_message
from channels.models import Message, Reason
from customers.api.base import PartnerView, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import an_id, one_of, one_uuid
from customers.api.people import known_customer
from customers.models import Event, Profile, Scope
from customers.models.address import Channel
from customers.partner import Partner

MESSAGES = Listing(
    "messages",
    Order("created_at", key=uuid_key),
    {
        "customer": an_id("Whose.", required=True),
        "journey": an_id("Only of this journey."),
        "channel": one_of(tuple(Channel.values), "Only by this channel."),
        "state": one_of(tuple(Message.State.values), "Only in this state."),
        "reason": one_of(tuple(Reason.values), "Only those not sent, or not yet, for this reason."),
    },
)
# Who of the staff did what is not a partner's to know.
_OURS = frozenset(("published_by",))


class Messages(PartnerView):
    """Messages and not-messages: what was not sent has a reason."""

    scopes = {"GET": Scope.MESSAGES_READ.value}
    parameters = MESSAGES.parameters()

    @extend_schema(
        operation_id="list_messages", summary="A customer's messages", tags=["messages"], responses={200: MessagesShape}
    )
    def get(self, request: Request) -> HttpResponse:
        customer = known_customer(self.partner, self.given["customer"])
        profiles = list(Profile.objects.filter(customer_id=customer.pk).values_list("id", flat=True))
        fields = {"journey": "scope_id", "channel": "channel", "state": "state", "reason": "reason"}
        wanted = {field: self.given[name] for name, field in fields.items() if name in self.given}
        rows = _rows(self.partner).filter(profile_id__in=profiles, **wanted)
        return ok(MESSAGES.page(rows, self.given, self.partner, lambda page: [show(message) for message in page]))


class MessagePage(PartnerView):
    """A message with its why. Events of other sources are named by nothing but their time."""

    scopes = {"GET": Scope.MESSAGES_READ.value}

    @extend_schema(
        operation_id="get_message",
        summary="A message and why",
        tags=["messages"],
        responses={200: MessageDetailShape},
    )
    def get(self, request: Request, message_id: str) -> HttpResponse:
        message = _rows(self.partner).filter(pk=one_uuid(message_id)).first()
        if message is None:
            raise not_found()
        return ok(show(message) | {"why": why(explain_message(message), self.partner)})


def _rows(partner: Partner) -> Any:
    rows = Message.objects.visible_to(partner).select_related("purpose", "template_version__template")
    return rows.annotate(customer_id=F("profile__customer_id"))


def show(message: Any) -> dict[str, Any]:
    of_run = message.origin_kind == Message.Origin.RUN
    return {
        "id": message.pk,
        "customer": message.customer_id,
        "journey": message.scope_id if of_run else None,
        "run": int(message.origin_id) if of_run else None,
        "channel": message.channel,
        "purpose": message.purpose.key,
        "template": message.template_version.template.key,
        "template_version": message.template_version.number,
        "state": message.state,
        "reason": message.reason or None,
        "created_at": message.created_at,
        "due_at": message.due_at,
        "expires_at": message.expires_at,
        "settled_at": message.settled_at,
    }


def why(explanation: Explanation, partner: Partner) -> dict[str, Any]:
    """The explanation as plain data: masked, and without what other sources told."""
    told = as_json(explanation, masked=True)
    own = _own_events(told, partner)
    told["parts"] = [_part(part, own) for part in told["parts"]]
    return told


def _part(part: dict[str, Any], own: frozenset[int]) -> dict[str, Any]:
    event_id = part["facts"].get("event_id")
    if event_id is not None and event_id not in own:
        return {**part, "text": "An event of another source.", "facts": {}}
    hidden = _OURS if part["part"] == "event" else _OURS | {"source"}
    part["facts"] = {key: value for key, value in part["facts"].items() if key not in hidden}
    for move in part.get("moves", ()):
        if move["event_id"] not in own:
            # The words tell the event's name as well.
            move.update(event_id=None, text=move["cause"], inputs={})
    return part


def _own_events(told: dict[str, Any], partner: Partner) -> frozenset[int]:
    named = {part["facts"].get("event_id") for part in told["parts"]}
    named |= {move["event_id"] for part in told["parts"] for move in part.get("moves", ())}
    ids = [id_ for id_ in named if isinstance(id_, int)]
    return frozenset(Event.objects.visible_to(partner).filter(pk__in=ids).values_list("pk", flat=True))
