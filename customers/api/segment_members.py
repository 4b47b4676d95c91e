"""Who is in a segment, of those the partner has named; and people put on a list or taken off it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from customers import kinds, lookup
from customers.accept.refusal import Refusal, Refused
from customers.api.base import Writing, answer_of, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import CURSOR, LIMIT
from customers.api.partner import require_scope
from customers.api.segment_shapes import MOST_ROWS, ListChangedShape, MembersShape, PeopleBody
from customers.api.segments import known_segment
from customers.identifiers import IdentifierError
from customers.kept_answers import Answer
from customers.models import Scope, SegmentMembership
from customers.segments import lists
from customers.segments.count import count

# In the order of the index by which a segment's members are found.
MEMBERS = Listing("members", Order("profile_id", read=uuid_key), {})
_ASKED = {"add": [{"kind": "user_id", "value": "u-17"}], "remove": [{"kind": "email", "value": "bia@example.com"}]}

Rows = Sequence[Mapping[str, str]]


@extend_schema_view(
    post=extend_schema(
        operation_id="change_list",
        summary="Put people on a list, take people off",
        tags=["segments"],
        request=PeopleBody,
        responses={200: ListChangedShape},
        examples=[
            OpenApiExample("One of each", _ASKED, request_only=True),
            OpenApiExample(
                "Done",
                {"added": 1, "removed": 1, "unchanged": 0, "rejected": []},
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
)
class SegmentMembers(Writing):
    """Each row is taken or refused by itself: look at `rejected`."""

    scopes = {"GET": Scope.SEGMENTS_READ.value, "POST": Scope.SEGMENTS_WRITE.value}
    at_most: ClassVar = dict.fromkeys(("add", "remove"), (MOST_ROWS, "people"))

    @property
    def parameters(self) -> Any:  # type: ignore[override]  # a list and a call ask for different things
        method = getattr(self.request, "method", None) or "GET"
        return {} if method == "POST" else {"limit": LIMIT, "cursor": CURSOR}

    @extend_schema(
        operation_id="list_members", summary="A segment's members", tags=["segments"], responses={200: MembersShape}
    )
    def get(self, request: Request, segment_id: str) -> HttpResponse:
        segment = known_segment(self.partner, segment_id)
        if segment.is_personal:
            require_scope(self.partner, Scope.CUSTOMERS_PERSONAL.value)
        inside = SegmentMembership.objects.visible_to(self.partner).filter(segment=segment, left_at=None)
        # Two people who turned out to be one may be in it twice, and are told once.
        twice = SegmentMembership.objects.filter(
            segment=segment, left_at=None, customer_id=OuterRef("customer_id"), pk__lt=OuterRef("pk")
        )
        # A cursor is good for its own segment alone.
        page = Listing(f"{MEMBERS.name} {segment.pk}", MEMBERS.order, {})
        return ok(page.page(inside.exclude(Exists(twice)), self.given, self.partner, _show))

    def answer(self, **kwargs: str) -> Answer:
        segment = known_segment(self.partner, kwargs["segment_id"])
        asked = PeopleBody.read(self.body())
        rejected: list[dict[str, Any]] = []
        on, off = (self._people(asked.get(name, ()), name, rejected) for name in ("add", "remove"))
        try:
            with transaction.atomic():
                added = lists.put(segment, on - off, self.now, inside=True)
                removed = lists.put(segment, off, self.now, inside=False)
        except lists.NotAList:
            hint = "Send the id of a list that is not archived."
            raise Refused("not_a_list", "People are put on lists only.", hint) from None
        count(segment, self.now)
        unchanged = added.unchanged + removed.unchanged
        return answer_of(
            {"added": added.changed, "removed": removed.changed, "unchanged": unchanged, "rejected": rejected}
        )

    def _people(self, rows: Rows, name: str, rejected: list[dict[str, Any]]) -> set[UUID]:
        """The customers the rows name; into `rejected` those which name nobody."""
        known = kinds.current(self.now)
        read: dict[str, dict[int, str]] = defaultdict(dict)
        for index, row in enumerate(rows):
            kind = known.get(row["kind"])
            if kind is None:
                hint = f"Known: {', '.join(known)}."
                fault = Refusal("unknown_identifier_kind", "There is no such kind of identifier.", hint, "/kind")
                rejected.append(fault.under(f"/{name}/{index}").as_error())
                continue
            try:
                read[kind.key][index] = kind.read(row["value"])[0]
            except IdentifierError as error:
                fault = Refusal(error.code, error.message, error.hint, f"/{name}/{index}/value")
                rejected.append(fault.as_error())
        return {customer for kind, values in read.items() for customer in self._of(kind, values, name, rejected)}

    def _of(self, kind: str, values: Mapping[int, str], name: str, rejected: list[dict[str, Any]]) -> list[UUID]:
        found = lookup.by_values(self.partner, kind, set(values.values()), self.now)
        hint = "Send an event of this person first; it takes a moment until they are known."
        rejected += [
            Refusal(
                "unknown_customer", "None of your sources has named such a person.", hint, f"/{name}/{n}"
            ).as_error()
            for n, value in values.items()
            if value not in found
        ]
        return list(found.values())


def _show(rows: list[SegmentMembership]) -> list[dict[str, Any]]:
    return [{"customer": row.customer_id, "since": row.entered_at, "historical": row.historical} for row in rows]
