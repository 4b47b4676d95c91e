"""Consent: what stands for a person and what proves it; a grant or a withdrawal, recorded at once."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from consent.api.shapes import ConsentBody, GrantBody, RecordedShape, StandingsShape
from consent.current import Standing, standings
from consent.decision import Verdict
from consent.models import ConsentEntry
from consent.record import Recorded, Telling, Unreadable, record
from consent.requests import GRANTED, REQUESTED, WITHDRAWN, Problem
from customers.accept.refusal import Refusal
from customers.accept.timestamps import read_timestamp
from customers.api.base import PartnerView, Writing, answer_of, ok
from customers.api.parameters import an_id
from customers.api.people import known_customer, person
from customers.api.sources import SOURCE, source_of
from customers.api.strict import RefusedFields
from customers.ids import new_id
from customers.kept_answers import Answer
from customers.models import Identifier, Scope
from customers.models.address import Channel
from customers.partner import Partner
from customers.personal import IDENTIFIER, mask

_PERSON = {"identifier": {"kind": "email", "value": "ana@example.com"}}
_RECORDED = OpenApiExample(
    "Recorded",
    {"entry": 42, "channel": "email", "permission": {"allowed": True, "reason": None}, "left_out": []},
    response_only=True,
    status_codes=["201"],
)


class Consents(PartnerView):
    """What stands in the ledger now, for the purposes of the token's brand."""

    scopes = {"GET": Scope.CONSENT_READ.value}
    parameters = {"customer": an_id("Whose.", required=True)}

    @extend_schema(
        operation_id="list_consents", summary="A customer's consents", tags=["consent"], responses={200: StandingsShape}
    )
    def get(self, request: Request) -> HttpResponse:
        customer = known_customer(self.partner, self.given["customer"])
        found = standings(customer.pk, self.partner.brand_id, self.now)
        named = _addresses_named(self.partner, customer.pk) if found else frozenset()
        return ok({"items": [_show(one, self.partner, named) for one in found]})


class _Answer(Writing):
    scopes = {"POST": Scope.CONSENT_WRITE.value}
    parameters = SOURCE
    name: ClassVar[str]
    reads: ClassVar[type[ConsentBody]]

    def answer(self, **kwargs: str) -> Answer:
        source = source_of(self.partner, self.given)
        said = self.reads.read(self.body())
        known = person(self.partner, said, self.now)
        told_at = said.pop("occurred_at", None)
        telling = Telling(
            name=self.name,
            said={name: value for name, value in said.items() if name not in ("customer", "identifier")},
            customer_id=known.customer_id,
            profile_id=known.profile_id,
            email=known.email,
            brand_id=self.partner.brand_id,
            source_id=source.source_id,
            message_id=f"api-{new_id()}",
            token=self.partner.prefix,
            occurred_at=read_timestamp(told_at, self.now, "/occurred_at") if told_at else self.now,
        )
        try:
            return answer_of(_tell(record(telling, self.now)), 201)
        except Unreadable as error:
            raise RefusedFields([_refusal(problem) for problem in error.problems]) from None


@extend_schema_view(
    post=extend_schema(
        operation_id="grant_consent",
        summary="Record a grant",
        tags=["consent"],
        request=GrantBody,
        responses={201: RecordedShape},
        examples=[
            OpenApiExample(
                "With its proof",
                {
                    **_PERSON,
                    "purpose": "news",
                    "method": "double_opt_in",
                    "notice": "sign-up",
                    "notice_version": 1,
                    "language": "pt-BR",
                    "legal_basis": "lgpd:7:I",
                    "url": "https://shop.example/sign-up",
                },
                request_only=True,
            ),
            _RECORDED,
        ],
    )
)
class Grant(_Answer):
    """A grant that cannot be read to its end proves nothing and is refused."""

    name = GRANTED
    reads = GrantBody


@extend_schema_view(
    post=extend_schema(
        operation_id="withdraw_consent",
        summary="Record a withdrawal",
        tags=["consent"],
        request=ConsentBody,
        responses={201: RecordedShape},
        examples=[
            OpenApiExample("Of one purpose", {**_PERSON, "purpose": "news"}, request_only=True),
            OpenApiExample(
                "Recorded",
                {
                    "entry": 43,
                    "channel": "email",
                    "permission": {"allowed": False, "reason": "withdrawn"},
                    "left_out": [],
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
)
class Withdraw(_Answer):
    """Nothing is sent for the purpose once this is answered. Details that cannot be read are left out and named."""

    name = WITHDRAWN
    reads = ConsentBody


@extend_schema_view(
    post=extend_schema(
        operation_id="request_consent",
        summary="Ask for a consent by mail",
        tags=["consent"],
        request=ConsentBody,
        responses={201: RecordedShape},
        examples=[
            OpenApiExample("Of one purpose", {**_PERSON, "purpose": "news", "language": "pt-BR"}, request_only=True),
            OpenApiExample(
                "Asked",
                {
                    "entry": 44,
                    "channel": "email",
                    "permission": {"allowed": False, "reason": "no_consent"},
                    "left_out": [],
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
)
class Ask(_Answer):
    """A mail goes to the address; what it asks for is granted once its reader confirms it (double opt-in)."""

    name = REQUESTED
    reads = ConsentBody


def _tell(recorded: Recorded) -> dict[str, Any]:
    return {
        "entry": recorded.entry_id,
        "channel": recorded.channel,
        "permission": _permission(recorded.verdict),
        "left_out": [{"code": one.code, "pointer": _place(one), "message": one.detail} for one in recorded.left_out],
    }


def _refusal(problem: Problem) -> Refusal:
    return Refusal(problem.code, problem.detail, "Mend it and send it again; nothing was recorded.", _place(problem))


def _place(problem: Problem) -> str:
    """In a body what an event has under its properties stands at the top."""
    return problem.pointer.removeprefix("/properties")


def _permission(verdict: Verdict) -> dict[str, Any]:
    return {"allowed": verdict.allowed, "reason": verdict.reason or None}


def _addresses_named(partner: Partner, customer_id: UUID) -> frozenset[str]:
    """The e-mail addresses that the partner itself knows them by."""
    rows = Identifier.objects.visible_to(partner).filter(profile__customer_id=customer_id, kind_id="email")
    return frozenset(rows.values_list("value", flat=True))


def _show(standing: Standing, partner: Partner, named: frozenset[str]) -> dict[str, Any]:
    head, address = standing.head, standing.address
    return {
        "purpose": standing.entry.purpose.key,
        "channel": address.channel,
        "address": _address(address.channel, address.value, partner, named),
        "state": head.state,
        "effective_at": head.effective_at,
        "valid_until": head.valid_until,
        "permission": _permission(standing.verdict),
        "proof": _proof(standing.entry, partner),
    }


def _address(channel: str, value: str, partner: Partner, named: frozenset[str]) -> str | None:
    if channel == Channel.PERSON:
        return None
    in_full = partner.reads_personal and value in named
    return value if in_full else str(mask(value, IDENTIFIER))


def _collector(entry: ConsentEntry, partner: Partner) -> str | None:
    """Words of whoever told the consent: evidence, which may be gone."""
    evidence = getattr(entry, "evidence", None)
    return None if evidence is None or not partner.reads_personal else evidence.fields.get("collector")


def _proof(entry: ConsentEntry, partner: Partner) -> dict[str, Any]:
    version = entry.notice_version
    return {
        "entry": entry.pk,
        "method": entry.method,
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.recorded_at,
        "source": entry.source.key if entry.source and entry.source_id in partner.source_ids else None,
        "notice": version.notice.key if version else None,
        "notice_version": version.number if version else None,
        "language": entry.language or None,
        "legal_basis": entry.legal_basis or None,
        "jurisdiction": entry.jurisdiction or None,
        "collector": entry.collector or _collector(entry, partner),
        "position": entry.position,
        "digest": bytes(entry.digest).hex(),
    }
