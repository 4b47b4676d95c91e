"""Entitlements of customers that a partner named: listed, granted, used at the till, taken back."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from channels.api.entitlement_shapes import (
    BalancesShape,
    EntitlementShape,
    EntitlementsShape,
    GrantBody,
    RevokeBody,
    UseBody,
    UsedShape,
)
from channels.entitlements import ledger
from channels.entitlements.balance import balances
from channels.entitlements.ledger import Act, Grant, KeyTaken, NotEnough
from channels.models import Entitlement, Origin
from channels.models.entitlement import KEY
from customers.accept.refusal import Refused
from customers.accept.timestamps import read_timestamp
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import a_moment, a_text, an_id, one_of, one_uuid
from customers.api.people import known_customer, person
from customers.ids import new_id
from customers.kept_answers import Answer
from customers.models import Profile, Scope
from customers.partner import Partner
from customers.personal import TEXT, mask
from customers.pg import raw_cursor

State = Entitlement.State
_READ, _WRITE = Scope.ENTITLEMENTS_READ.value, Scope.ENTITLEMENTS_WRITE.value
_CUSTOMER = an_id("Whose.", required=True)
ENTITLEMENTS = Listing(
    "entitlements",
    Order("granted_at", key=uuid_key),
    {
        "customer": _CUSTOMER,
        "key": a_text("Only of this key."),
        "state": one_of(tuple(State.values), "Only those that stand so now."),
    },
)
_PERSON: Final = {"identifier": {"kind": "user_id", "value": "u-17"}}
_FAR: Final = timedelta(days=36_500)


@extend_schema_view(
    post=extend_schema(
        operation_id="grant_entitlement",
        summary="Grant something",
        tags=["entitlements"],
        request=GrantBody,
        responses={201: EntitlementShape, 200: EntitlementShape},
        examples=[
            OpenApiExample("Free shipping, twice", {**_PERSON, "key": "free_shipping", "quantity": 2},
                           request_only=True)
        ],
    )
)  # fmt: skip
class Entitlements(Writing):
    """What a customer was granted by whomever; and granting. Name the call by an Idempotency-Key: the same key grants
    once, however late it comes again."""

    scopes = {"GET": _READ, "POST": _WRITE}

    @property
    def parameters(self) -> Any:  # type: ignore[override]  # a list and a call ask for different things
        method = getattr(self.request, "method", None) or "GET"
        return {} if method == "POST" else ENTITLEMENTS.parameters()

    @extend_schema(
        operation_id="list_entitlements",
        summary="A customer's entitlements",
        tags=["entitlements"],
        responses={200: EntitlementsShape},
    )
    def get(self, request: Request) -> HttpResponse:
        customer = known_customer(self.partner, self.given["customer"])
        rows = Entitlement.objects.visible_to(self.partner).filter(profile__customer_id=customer.pk)
        if "key" in self.given:
            rows = rows.filter(key=self.given["key"])
        if "state" in self.given:
            rows = rows.filter(_standing(self.given["state"], self.now))
        return ok(
            ENTITLEMENTS.page(
                rows, self.given, self.partner, lambda page: [show(one, self.partner, self.now) for one in page]
            )
        )

    def answer(self, **kwargs: str) -> Answer:
        asked = GrantBody.read(self.body())
        key, expires_at = _key(asked["key"]), _until(asked.get("expires_at"), self.now)
        known = person(self.partner, asked, self.now)
        one = Grant(
            self.partner.brand_id, known.profile_id, key, act_of(self.request, self.partner, "grant"),
            asked.get("quantity"), expires_at, asked.get("reason", ""),
        )  # fmt: skip
        try:
            with transaction.atomic(), raw_cursor() as cursor:
                id_, is_new = ledger.grant_one(cursor, one, self.now)
        except KeyTaken:
            raise _key_reused() from None
        found = Entitlement.objects.get(pk=id_)
        return answer_of(show(found, self.partner, self.now), 201 if is_new else 200)


class EntitlementBalances(PartnerView):
    """What a customer had at a moment, over all their profiles as they are known now."""

    scopes = {"GET": _READ}
    parameters = {"customer": _CUSTOMER, "at": a_moment("As of then. Left out: now.")}

    @extend_schema(
        operation_id="get_entitlement_balances",
        summary="What a customer has, or had",
        tags=["entitlements"],
        responses={200: BalancesShape},
    )
    def get(self, request: Request) -> HttpResponse:
        customer, at = known_customer(self.partner, self.given["customer"]), self.given.get("at", self.now)
        profiles = list(Profile.objects.filter(customer_id=customer.pk).values_list("id", flat=True))
        with raw_cursor() as cursor:
            found = balances(cursor, profiles, at)
        items = [
            {"key": key, "counted": one.counted, "is_free": one.is_free}
            for (brand, key), one in sorted(found.items(), key=lambda place: place[0][1])
            if brand == self.partner.brand_id
        ]
        return ok({"at": at, "items": items})


@extend_schema_view(
    post=extend_schema(
        operation_id="use_entitlement",
        summary="Use something",
        tags=["entitlements"],
        request=UseBody,
        responses={200: UsedShape},
        examples=[OpenApiExample("At the till", {**_PERSON, "key": "free_shipping"}, request_only=True)],
    )
)
class EntitlementUse(Writing):
    """Takes it from what the customer has, or answers 409 and takes nothing. Name the call by an Idempotency-Key: the
    same key takes once, however late it comes again."""

    scopes = {"POST": _WRITE}

    def answer(self, **kwargs: str) -> Answer:
        asked = UseBody.read(self.body())
        key, quantity = _key(asked["key"]), asked.get("quantity", 1)
        known = person(self.partner, asked, self.now)
        act = act_of(self.request, self.partner, "use")
        try:
            with transaction.atomic(), raw_cursor() as cursor:
                taken, _is_new = ledger.use(
                    cursor, known.customer_id, self.partner.brand_id, key, quantity, act, self.now
                )
        except NotEnough as error:
            text = f"The customer has {error.left} of this, which is less than asked for."
            raise Refused("not_enough", text, "Nothing was used. See their entitlements.", "/quantity") from None
        except KeyTaken:
            raise _key_reused() from None
        used = [{"entitlement": one.entitlement_id, "quantity": one.quantity, "remaining": one.remaining}
                for one in taken]  # fmt: skip
        return answer_of({"key": key, "quantity": quantity, "used": used})


@extend_schema_view(
    post=extend_schema(
        operation_id="revoke_entitlement",
        summary="Take back what is left",
        tags=["entitlements"],
        request=RevokeBody,
        responses={200: EntitlementShape},
        examples=[OpenApiExample("Why", {"reason": "the order was returned"}, request_only=True)],
    )
)
class EntitlementRevoke(Writing):
    scopes = {"POST": _WRITE}

    def answer(self, **kwargs: str) -> Answer:
        asked = RevokeBody.read(self.body())
        rows = Entitlement.objects.visible_to(self.partner)
        found = rows.filter(pk=one_uuid(kwargs["entitlement_id"])).first()
        if found is None:
            raise not_found()
        with transaction.atomic(), raw_cursor() as cursor:
            act = act_of(self.request, self.partner, "revoke")
            done = ledger.revoke(cursor, [found.pk], act, asked["reason"], self.now)
        if not done:
            raise Refused("entitlement_ended", "Nothing is left of it.", "See its state.")
        return answer_of(show(Entitlement.objects.get(pk=found.pk), self.partner, self.now))


def act_of(request: Request, partner: Partner, verb: str) -> Act:
    """Keys of calls mean something by token and route; one without a key is done once for each time it comes."""
    named = request.headers.get("Idempotency-Key")
    digest = sha256(named.encode()).hexdigest()[:40] if named else str(new_id())
    return Act(Origin.API, partner.prefix, f"api-{verb}-{partner.token_id}-{digest}")


def show(one: Entitlement, partner: Partner, now: datetime) -> dict[str, Any]:
    """One whose time is over is expired, whether that was entered already or not."""
    is_over = one.state == State.OPEN and one.expires_at is not None and one.expires_at <= now
    return {
        "id": one.pk,
        "key": one.key,
        "quantity": one.quantity,
        "remaining": 0 if is_over and one.quantity is not None else one.remaining,
        "state": State.EXPIRED.value if is_over else one.state,
        "granted_at": one.granted_at,
        "expires_at": one.expires_at,
        "ended_at": one.expires_at if is_over else one.ended_at,
        "origin": one.origin,
        "reason": one.reason if partner.reads_personal else mask(one.reason, TEXT),
    }


def _standing(state: str, now: datetime) -> Q:
    over = Q(state=State.OPEN, expires_at__lte=now)
    if state == State.OPEN:
        return Q(state=State.OPEN) & ~over
    return Q(state=state) | over if state == State.EXPIRED else Q(state=state)


def _key(text: str) -> str:
    if not KEY.fullmatch(text):
        hint = "Small letters, digits and _ . - alone, a letter first."
        raise Refused("invalid_key", "This cannot be the key of an entitlement.", hint, "/key")
    return text


def _until(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    until = read_timestamp(text, now + _FAR, "/expires_at", historical=True)
    if until <= now:
        raise Refused("out_of_range", "This time is over.", "Send one to come, or none.", "/expires_at")
    return until


def _key_reused() -> Refused:
    hint = "Give every request a key of its own, such as a UUID."
    return Refused("idempotency_key_reused", "This Idempotency-Key came with another request before.", hint)
