"""Privacy requests that came to a partner: taken down with their clock, and how each stands."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request

from consent.models import PrivacyRequest
from consent.privacy import requests
from consent.privacy.requests import Asking
from customers.accept.refusal import Refused
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import one_of, one_uuid
from customers.api.shapes import IdentifierBody
from customers.api.sources import SOURCE, source_of
from customers.api.strict import Body, Choice, Day
from customers.identifiers import IdentifierError
from customers.kept_answers import Answer
from customers.models import Brand, Scope

# What a partner may say of how it was checked; documents are looked at by our own.
_CHECKED = {
    "none": PrivacyRequest.Assurance.NONE,
    "observed": PrivacyRequest.Assurance.OBSERVED,
    "login": PrivacyRequest.Assurance.LOGIN,
    "one_time_code": PrivacyRequest.Assurance.ONE_TIME_CODE,
}
_SHOWN = {value: name for name, value in _CHECKED.items()} | {PrivacyRequest.Assurance.DOCUMENT: "document"}
LISTING = Listing(
    "privacy-requests",
    Order("opened_at", key=uuid_key),
    {
        "state": one_of(tuple(PrivacyRequest.State.values), "Only those that stand so."),
        "kind": one_of(tuple(PrivacyRequest.Kind.values), "Only those of this kind."),
    },
)


class PrivacyBody(Body):
    """What somebody asks of the brand by law. The person need not be known: what names them is looked for."""

    kind = Choice(choices=PrivacyRequest.Kind.values)
    law = Choice(choices=PrivacyRequest.Law.values)
    identifier = IdentifierBody(
        help_text="Theirs alone. An id that is your system's own is looked for where the source that speaks gives ids."
    )
    checked = Choice(
        choices=list(_CHECKED),
        required=False,
        help_text="How you checked who asks; more than none takes the scope identity:assure. Left out: none.",
    )

    asked_on = Day(
        required=False,
        help_text="The day you received it, in the brand's zone: the clock of the law runs from it. Left out: today.",
    )

    class Meta:
        ref_name = "PrivacyRequestBody"


class PrivacyShape(serializers.Serializer[Any]):
    """How it stands; it names nobody."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=PrivacyRequest.Kind.values)
    law = serializers.ChoiceField(choices=PrivacyRequest.Law.values)
    state = serializers.ChoiceField(choices=PrivacyRequest.State.values)
    checked = serializers.ChoiceField(choices=list(_SHOWN.values()))
    refusal = serializers.CharField(allow_null=True, help_text="The reason, of those the law allows.")
    asked_on = serializers.DateField(help_text="The day it was received, in the brand's zone.")
    opened_at = serializers.DateTimeField(help_text="When it was taken down here.")
    due_on = serializers.DateField(help_text="The last day, in the brand's zone.")
    ended_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        ref_name = "PrivacyRequest"


class PrivacyListShape(serializers.Serializer[Any]):
    items = PrivacyShape(many=True)
    next = serializers.CharField(allow_null=True)

    class Meta:
        ref_name = "PrivacyRequests"


@extend_schema_view(
    post=extend_schema(
        operation_id="open_privacy_request",
        summary="Take down a privacy request",
        tags=["privacy"],
        request=PrivacyBody,
        responses={201: PrivacyShape},
        examples=[
            OpenApiExample(
                "An erasure",
                {"kind": "erasure", "law": "lgpd", "identifier": {"kind": "email", "value": "ana@example.com"}},
                request_only=True,
            )
        ],
    )
)
class PrivacyRequests(Writing):
    """Its clock runs from the day it was received; people of the brand carry it out."""

    scopes = {"GET": Scope.PRIVACY_READ.value, "POST": Scope.PRIVACY_WRITE.value}
    parameters = LISTING.parameters() | SOURCE

    @extend_schema(
        operation_id="list_privacy_requests",
        summary="Privacy requests of your sources",
        tags=["privacy"],
        responses={200: PrivacyListShape},
    )
    def get(self, request: Request) -> HttpResponse:
        rows = PrivacyRequest.objects.visible_to(self.partner)
        conditions = {name: self.given[name] for name in ("state", "kind") if name in self.given}
        if "source" in self.given:
            conditions["source_id"] = source_of(self.partner, self.given).source_id
        found = rows.filter(**conditions)
        return ok(LISTING.page(found, self.given, self.partner, lambda page: [_show(one) for one in page]))

    def answer(self, **kwargs: str) -> Answer:
        source = source_of(self.partner, self.given)
        said = PrivacyBody.read(self.body())
        checked = _CHECKED[said.get("checked", "none")]
        if checked and Scope.IDENTITY_ASSURE.value not in self.partner.scopes:
            raise Refused(
                "insufficient_scope", "The token may not say how somebody was checked.", "Leave it out.", "/checked"
            )
        named = said["identifier"]
        try:
            names = requests.name_of_one(named["kind"], named["value"], [source.namespace], self.now)
        except IdentifierError as error:
            place = "kind" if error.code == "unknown_identifier_kind" else "value"
            raise Refused(error.code, error.message, error.hint, f"/identifier/{place}") from None
        except requests.SeveralMeant:
            raise Refused(
                "identifier_of_several",
                "More than one person goes by this identifier.",
                "Send one that is theirs alone, a user id or a document's number.",
                "/identifier",
            ) from None
        asking = Asking(
            brand=Brand.objects.get(pk=self.partner.brand_id),
            kind=said["kind"],
            law=said["law"],
            channel=PrivacyRequest.Channel.API,
            names=names,
            source_id=source.source_id,
            assurance=checked,
            asked_on=said.get("asked_on"),
        )
        try:
            made = requests.take_down(asking, self.now)
        except requests.NotThatDay:
            hint = "A day of the brand's zone, not to come and not before the brand."
            raise Refused("out_of_range", "Nothing was asked of the brand on that day.", hint, "/asked_on") from None
        return answer_of(_show(made), 201, f"/api/v1/privacy-requests/{made.pk}")


class PrivacyRequestDetail(PartnerView):
    scopes = {"GET": Scope.PRIVACY_READ.value}

    @extend_schema(
        operation_id="get_privacy_request",
        summary="A privacy request",
        tags=["privacy"],
        responses={200: PrivacyShape},
    )
    def get(self, request: Request, request_id: str) -> HttpResponse:
        found = PrivacyRequest.objects.visible_to(self.partner).filter(pk=one_uuid(request_id)).first()
        if found is None:
            raise not_found()
        return ok(_show(found))


def _show(row: PrivacyRequest) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "law": row.law,
        "state": row.state,
        "checked": _SHOWN[PrivacyRequest.Assurance(row.assurance)],
        "refusal": row.refusal or None,
        "asked_on": row.asked_on,
        "opened_at": row.opened_at,
        "due_on": row.due_on,
        "ended_at": row.ended_at,
    }
