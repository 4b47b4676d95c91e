"""Customers: found by an identifier, shown as the partner knows them, with what its sources told of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from customers import lookup
from customers.accept.refusal import Refused
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order
from customers.api.parameters import a_moment, a_text, one_uuid
from customers.api.shapes import CustomerShape, LookupBody, TimelineShape
from customers.identifiers import IdentifierError
from customers.kept_answers import Answer
from customers.lookup import Known
from customers.models import Customer, Event, Profile, Scope
from customers.partner import Partner
from customers.personal import DOCUMENT, IDENTIFIER, TRAITS, mask

_LOOKUP = OpenApiExample("By e-mail", {"identifier": {"kind": "email", "value": "ana@example.com"}}, request_only=True)
_CUSTOMER = OpenApiExample(
    "A customer",
    {
        "id": "019a1f6e-8a51-7cc3-9d53-0a3c1f2b4d5e",
        "created_at": "2026-03-02T12:00:00+00:00",
        "identifiers": [{"kind": "user_id", "value": "u-17", "since": "2026-03-02T12:00:00+00:00"}],
        "traits": {"first_name": "Ana"},
    },
    response_only=True,
    status_codes=["200"],
)
TIMELINE = Listing(
    "timeline",
    Order("occurred_at"),
    {
        "name": a_text("Only events of this name."),
        "source": a_text("Only events of this source of yours."),
        "occurred_from": a_moment("Only events from then on."),
        "occurred_until": a_moment("Only events before then."),
    },
)


@extend_schema_view(
    post=extend_schema(
        operation_id="lookup_customer",
        summary="Find a customer by an identifier",
        tags=["customers"],
        request=LookupBody,
        responses={200: CustomerShape},
        examples=[_LOOKUP, _CUSTOMER],
    )
)
class LookUp(Writing):
    """Identifiers are personal, so they travel in the body and not in an address."""

    scopes = {"POST": Scope.CUSTOMERS_READ.value}

    def answer(self, **kwargs: str) -> Answer:
        known = person(self.partner, LookupBody.read(self.body()), self.now)
        found = lookup.customer(self.partner, known.customer_id)
        if found is None:
            raise unknown_customer()
        return answer_of(show(found, self.partner))


class CustomerDetail(PartnerView):
    scopes = {"GET": Scope.CUSTOMERS_READ.value}

    @extend_schema(
        operation_id="get_customer",
        summary="A customer",
        tags=["customers"],
        responses={200: CustomerShape},
        examples=[_CUSTOMER],
    )
    def get(self, request: Request, customer_id: str) -> HttpResponse:
        return ok(show(known_customer(self.partner, customer_id), self.partner))


class Timeline(PartnerView):
    """Events your sources sent of this person, whichever identifier they named."""

    scopes = {"GET": Scope.CUSTOMERS_READ.value}
    parameters = TIMELINE.parameters()

    @extend_schema(
        operation_id="get_timeline", summary="A customer's events", tags=["customers"], responses={200: TimelineShape}
    )
    def get(self, request: Request, customer_id: str) -> HttpResponse:
        customer = known_customer(self.partner, customer_id)
        # Their few profiles by name: whatever else is asked for, that is the index to begin at.
        profiles = list(Profile.objects.filter(customer_id=customer.pk).values_list("id", flat=True))
        events = Event.objects.visible_to(self.partner).filter(profile_id__in=profiles)
        events = events.filter(**_conditions(self.given)).select_related("source")
        return ok(TIMELINE.page(events, self.given, self.partner, self._show))

    def _show(self, events: list[Event]) -> list[dict[str, Any]]:
        contents = lookup.contents(events)
        return [_show_event(event, contents.get(event.pk), self.partner) for event in events]


def _conditions(given: Mapping[str, Any]) -> dict[str, Any]:
    fields = {
        "name": "name",
        "source": "source__key",
        "occurred_from": "occurred_at__gte",
        "occurred_until": "occurred_at__lt",
    }
    return {field: given[name] for name, field in fields.items() if name in given}


def known_customer(partner: Partner, customer_id: str | UUID) -> Customer:
    """The customer of this id, if they are the partner's to know."""
    id_ = customer_id if isinstance(customer_id, UUID) else one_uuid(customer_id)
    found = lookup.customer(partner, id_)
    if found is None:
        raise not_found()
    return found


def person(partner: Partner, named: Mapping[str, Any], now: datetime) -> Known:
    """Whom a body means by `customer` or `identifier`, one of the two."""
    customer_id, identifier = named.get("customer"), named.get("identifier")
    if (customer_id is None) == (identifier is None):
        raise Refused("missing_identifier", "Neither customer nor identifier, or both.", "Send one of them.")
    known = _by_identifier(partner, identifier, now) if identifier else lookup.by_customer(partner, named["customer"])
    if known is None:
        raise unknown_customer("/identifier" if identifier else "/customer")
    return known


def _by_identifier(partner: Partner, identifier: Mapping[str, str], now: datetime) -> Known | None:
    try:
        return lookup.by_identifier(partner, identifier["kind"], identifier["value"], now)
    except IdentifierError as error:
        place = "kind" if error.code == "unknown_identifier_kind" else "value"
        raise Refused(error.code, error.message, error.hint, f"/identifier/{place}") from None


def unknown_customer(pointer: str = "") -> Refused:
    hint = "Send an event of this person first; it takes a moment until they are known."
    return Refused("unknown_customer", "None of your sources has named such a person.", hint, pointer)


def show(customer: Customer, partner: Partner) -> dict[str, Any]:
    in_full = partner.reads_personal
    traits = lookup.traits(partner, customer.pk)
    return {
        "id": customer.pk,
        "created_at": customer.created_at,
        "identifiers": [
            {
                "kind": one.kind_id,
                "value": one.original if in_full else mask(one.original, IDENTIFIER),
                "since": one.opened_at,
            }
            for one in lookup.identifiers(partner, customer.pk)
        ],
        "traits": traits if in_full else mask(traits, TRAITS),
    }


def _show_event(event: Event, content: Mapping[str, Any] | None, partner: Partner) -> dict[str, Any]:
    in_full = partner.reads_personal
    return {
        "id": event.pk,
        "message_id": event.message_id,
        "type": event.kind,
        "name": event.name,
        "source": event.source.key,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "historical": event.historical,
        "content": content if in_full or content is None else mask(dict(content), DOCUMENT),
    }
