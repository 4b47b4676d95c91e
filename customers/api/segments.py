"""Segments: those of the token's brand, made and given rules, and the segments a customer is in."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils.translation import override
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from customers.accept.apart import undoable
from customers.accept.refusal import Refusal, Refused
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import a_text, one_uuid
from customers.api.people import known_customer
from customers.api.segment_shapes import MembershipsShape, RuleBody, SegmentBody, SegmentShape, SegmentsShape
from customers.api.strict import RefusedFields
from customers.authoring.words import rule_words
from customers.kept_answers import Answer
from customers.models import Scope, Segment, SegmentMembership
from customers.partner import Partner
from customers.rules import RuleError
from customers.segments import define
from customers.segments.telling import coarse

SEGMENTS = Listing("segments", Order("created_at", key=uuid_key), {"key": a_text("Only the one of this key.")})
MEMBERSHIPS = Listing("memberships", Order("entered_at"), {})
_HINT = "Look at how rules of other segments are written."
_SHOWN: dict[str, Any] = {
    "id": "0195577f-7400-7000-8000-000000000000",
    "key": "gold",
    "name": "Gold customers",
    "description": "",
    "is_list": False,
    "is_personal": True,
    "state": "live",
    "size": 1204,
    "counted_at": "2026-03-02T12:00:00Z",
    "rule": {"leaf": "attribute", "name": "plan", "op": "eq", "value": "gold"},
    "words": "plan is gold",
    "version": 1,
    "built_at": "2026-03-02T12:00:00Z",
    "created_at": "2026-03-02T12:00:00Z",
}


@extend_schema_view(
    post=extend_schema(
        operation_id="create_segment",
        summary="Make a segment or a list",
        tags=["segments"],
        request=SegmentBody,
        responses={201: SegmentShape},
        examples=[OpenApiExample("A list", {"key": "invited", "name": "Invited to the opening"}, request_only=True)],
    )
)
class Segments(Writing):
    """The segments of the token's brand. With a rule it is built at once, as a job; without one it is a list."""

    scopes = {"GET": Scope.SEGMENTS_READ.value, "POST": Scope.SEGMENTS_WRITE.value}

    @property
    def parameters(self) -> Any:  # type: ignore[override]  # a list and a call ask for different things
        method = getattr(self.request, "method", None) or "GET"
        return {} if method == "POST" else SEGMENTS.parameters()

    @extend_schema(
        operation_id="list_segments",
        summary="Segments",
        tags=["segments"],
        responses={200: SegmentsShape},
        examples=[OpenApiExample("One", {"items": [_SHOWN], "next": None}, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request) -> HttpResponse:
        wanted = {"key": self.given["key"]} if "key" in self.given else {}
        rows = Segment.objects.visible_to(self.partner).filter(**wanted)
        return ok(SEGMENTS.page(rows, self.given, self.partner, lambda page: [show(one, self.partner) for one in page]))

    def answer(self, **kwargs: str) -> Answer:
        asked = SegmentBody.read(self.body())
        rule = asked.pop("rule", None)
        segment = Segment(brand_id=self.partner.brand_id, is_static=rule is None, created_at=self.now, **asked)
        with transaction.atomic():
            _insert(segment)
            if rule is None:
                define.open_list(segment, self.now)
            else:
                with _refusing():
                    define.set_rule(segment, rule, self.now)
        segment.refresh_from_db()
        return answer_of(show(segment, self.partner), 201, f"/api/v1/segments/{segment.pk}")


class SegmentDetail(PartnerView):
    scopes = {"GET": Scope.SEGMENTS_READ.value}

    @extend_schema(
        operation_id="get_segment",
        summary="A segment",
        tags=["segments"],
        responses={200: SegmentShape},
        examples=[OpenApiExample("A segment", _SHOWN, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request, segment_id: str) -> HttpResponse:
        return ok(show(known_segment(self.partner, segment_id), self.partner))


@extend_schema_view(
    post=extend_schema(
        operation_id="set_segment_rule",
        summary="Set a segment's rule",
        tags=["segments"],
        request=RuleBody,
        responses={200: SegmentShape},
        examples=[OpenApiExample("A rule", {"rule": _SHOWN["rule"], "version": 1}, request_only=True)],
    )
)
class SegmentRule(Writing):
    """It is built anew, as a job, which starts nothing; whoever is in it meanwhile is so by the rule before."""

    scopes = {"POST": Scope.SEGMENTS_WRITE.value}

    def answer(self, **kwargs: str) -> Answer:
        segment = known_segment(self.partner, kwargs["segment_id"])
        asked = RuleBody.read(self.body())
        if segment.is_static:
            raise Refused("is_a_list", "No rule chooses the people of a list.", "Make a segment with a rule.")
        with _refusing():
            define.set_rule(segment, asked["rule"], self.now, instead_of=asked["version"])
        segment.refresh_from_db()
        return answer_of(show(segment, self.partner))


class CustomerSegments(PartnerView):
    """The segments a customer is in now; those whose rules ask personal data with the scope customers:personal only."""

    scopes = {"GET": Scope.SEGMENTS_READ.value}
    parameters = MEMBERSHIPS.parameters()

    @extend_schema(
        operation_id="list_customer_segments",
        summary="A customer's segments",
        tags=["segments"],
        responses={200: MembershipsShape},
    )
    def get(self, request: Request, customer_id: str) -> HttpResponse:
        customer = known_customer(self.partner, customer_id)
        there = Segment.objects.visible_to(self.partner)
        rows = SegmentMembership.objects.visible_to(self.partner).filter(
            customer_id=customer.pk, left_at=None, segment__in=there
        )
        page = MEMBERSHIPS.page(rows.select_related("segment"), self.given, self.partner, _show_memberships)
        return ok(page)


def known_segment(partner: Partner, segment_id: str) -> Segment:
    """The segment of this id, if it is of the partner's brand."""
    found = Segment.objects.visible_to(partner).filter(pk=one_uuid(segment_id)).first()
    if found is None:
        raise not_found()
    return found


def _insert(segment: Segment) -> None:
    try:
        segment.full_clean(exclude=["brand"], validate_unique=False, validate_constraints=False)
        with undoable():
            segment.save(force_insert=True)
    except ValidationError as error:
        field = next(iter(error.message_dict))
        hint = "A key is small letters, digits, underscores and dots, a letter first."
        raise Refused("invalid_name", f"Not a {field} that a segment can have.", hint, f"/{field}") from None
    except IntegrityError:
        raise Refused("key_taken", "A segment of the brand has this key.", "Choose another.", "/key") from None


@contextmanager
def _refusing() -> Iterator[None]:
    """What is wrong with a rule, with its places in the body; and what else stands in its way."""
    try:
        yield
    except RuleError as error:
        with override("en"):
            faults = [
                Refusal(
                    one.code, str(one.message), str(one.hint) or "See the rules of segments.", f"/rule{one.pointer}"
                )
                for one in error.problems
            ]
        raise RefusedFields(faults) from None
    except define.Stale:
        hint = "Read it again, and send the version that you saw."
        raise Refused("stale_version", "Another rule was set since.", hint, "/version") from None
    except define.Archived:
        raise Refused("segment_archived", "It follows nothing any more.", "Make another segment.") from None


def show(segment: Segment, partner: Partner) -> dict[str, Any]:
    return {
        "id": segment.pk,
        "key": segment.key,
        "name": segment.name,
        "description": segment.description,
        "is_list": segment.is_static,
        "is_personal": segment.is_personal,
        "state": segment.state,
        "size": segment.size if partner.reads_personal or not segment.is_personal else coarse(segment.size),
        "counted_at": segment.counted_at,
        "rule": segment.rule,
        "words": _words(segment.rule),
        "version": segment.rule_version,
        "built_at": segment.built_at,
        "created_at": segment.created_at,
    }


def _words(rule: Mapping[str, Any] | None) -> str | None:
    if rule is None:
        return None
    with override("en"):
        return rule_words(rule)


def _show_memberships(rows: list[SegmentMembership]) -> list[dict[str, Any]]:
    return [
        {
            "segment": row.segment_id,
            "key": row.segment.key,
            "name": row.segment.name,
            "since": row.entered_at,
            "historical": row.historical,
        }
        for row in rows
    ]
