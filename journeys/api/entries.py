"""People let into a journey by a partner, many at a time; or, for a try, what would become of each."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from customers import kinds, lookup
from customers.accept.refusal import Refusal, Refused
from customers.api.base import Writing, answer_of, not_found
from customers.api.parameters import one_uuid
from customers.api.people import unknown_customer
from customers.api.sources import SOURCE, source_of
from customers.identifiers import IdentifierError
from customers.ids import new_id
from customers.kept_answers import Answer
from customers.lookup import Known
from customers.models import Scope
from journeys.api.entry_shapes import MOST_PEOPLE, STATUSES, EntriesBody, EntriesShape
from journeys.api.journeys import published
from journeys.engine.start import Caller, NotStartable, startable
from journeys.engine.start_many import BUSY, Asked, start_all, try_out
from journeys.engine.start_many import Answer as Started

MAX_BYTES: Final = 1024 * 1024
_EXAMPLE = {
    "people": [
        {"identifier": {"kind": "user_id", "value": "u-17"}, "properties": {"cart_id": "c-1"}},
        {"identifier": {"kind": "email", "value": "bia@example.com"}},
    ],
    "dry_run": True,
}


@dataclass(frozen=True, slots=True)
class _Row:
    """One of the people: known, or why not."""

    known: Known | None
    fault: Refusal | None = None


@extend_schema_view(
    post=extend_schema(
        operation_id="enter_people",
        summary="Let people into a journey",
        tags=["journeys"],
        request=EntriesBody,
        responses={200: EntriesShape},
        examples=[OpenApiExample("A try with two", _EXAMPLE, request_only=True)],
    )
)
class Entries(Writing):
    """Each is let in or refused by themselves, at once, with the same checks as for the journey's entry event."""

    scopes = {"POST": Scope.RUNS_WRITE.value}
    parameters = SOURCE
    max_bytes = MAX_BYTES
    at_most: ClassVar = {"people": (MOST_PEOPLE, "people")}

    def answer(self, **kwargs: str) -> Answer:
        source = source_of(self.partner, self.given)
        journey = published(self.partner).filter(pk=one_uuid(kwargs["journey_id"])).first()
        if journey is None:
            raise not_found()
        asked = EntriesBody.read(self.body())
        people, is_try = asked["people"], asked.get("dry_run", False)
        rows = self._rows(people)
        known = {n: row.known for n, row in enumerate(rows) if row.known is not None}
        wanted = [
            Asked(
                Caller(self.partner.brand_id, source.source_id, one.profile_id, f"api-{new_id()}", self.partner.prefix),
                people[n].get("properties", {}),
            )
            for n, one in known.items()
        ]
        try:
            answers = dict(zip(known, (try_out if is_try else start_all)(journey.pk, wanted, self.now), strict=True))
            if not wanted:
                # Whether it could be started is to be known even if nobody is named who is known.
                startable(journey.pk, self.partner.brand_id)
        except NotStartable:
            text = "The journey is not live, or is started by events alone."
            raise Refused("journey_not_live", text, "See `startable`.") from None
        shown = [_show(n, row, answers.get(n), known.get(n)) for n, row in enumerate(rows)]
        return answer_of({"journey": journey.pk, "dry_run": is_try, **_counts(shown), "people": shown})

    def _rows(self, people: Sequence[Mapping[str, Any]]) -> list[_Row]:
        """Whom each means; raises Refused for one that means nobody in particular."""
        rows: dict[int, _Row] = {}
        by_kind: dict[str, dict[int, str]] = defaultdict(dict)
        by_id: dict[int, UUID] = {}
        for n, one in enumerate(people):
            if ("customer" in one) == ("identifier" in one):
                text = "Neither customer nor identifier, or both."
                raise Refused("missing_identifier", text, "Send one of them.", f"/people/{n}")
            if "customer" in one:
                by_id[n] = one["customer"]
                continue
            try:
                kind, value = self._read(one["identifier"])
                by_kind[kind][n] = value
            except IdentifierError as error:
                place = "kind" if error.code == "unknown_identifier_kind" else "value"
                fault = Refusal(error.code, error.message, error.hint, f"/people/{n}/identifier/{place}")
                rows[n] = _Row(None, fault)
        for kind, values in by_kind.items():
            found = lookup.known_by_values(self.partner, kind, set(values.values()), self.now)
            rows |= {n: self._row(n, found.get(value), "identifier") for n, value in values.items()}
        customers = lookup.known_customers(self.partner, set(by_id.values()))
        rows |= {n: self._row(n, customers.get(id_), "customer") for n, id_ in by_id.items()}
        return [rows[n] for n in range(len(people))]

    def _read(self, identifier: Mapping[str, str]) -> tuple[str, str]:
        known = kinds.current(self.now).get(identifier["kind"])
        if known is None:
            raise IdentifierError("unknown_identifier_kind", "There is no such kind of identifier.", "See the guide.")
        return known.key, known.read(identifier["value"])[0]

    def _row(self, n: int, known: Known | None, place: str) -> _Row:
        return _Row(known) if known else _Row(None, unknown_customer(f"/people/{n}/{place}").refusal)


def _show(n: int, row: _Row, started: Started | None, known: Known | None) -> dict[str, Any]:
    if started is None:
        assert row.fault is not None
        status = "unknown" if row.fault.code == "unknown_customer" else "rejected"
        return _person(status, row.fault.code, problem=row.fault.as_error())
    customer = known.customer_id if known else None
    if started.reason == BUSY:
        text = "What came earlier of this person is still being worked on."
        fault = Refusal(BUSY, text, "Send this one again in a second.", f"/people/{n}")
        return _person("busy", BUSY, customer, problem=fault.as_error())
    if started.reason:
        return _person("refused", started.reason, customer)
    return _person("let_in", None, customer, run=started.run_id)


def _person(
    status: str, reason: str | None, customer: UUID | None = None, run: int | None = None, problem: Any = None
) -> dict[str, Any]:
    return {"status": status, "reason": reason, "customer": customer, "run": run, "problem": problem}


def _counts(shown: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    by_status = Counter(one["status"] for one in shown)
    reasons = Counter(one["reason"] for one in shown if one["reason"])
    return {
        "counts": {status: by_status[status] for status in STATUSES},
        "reasons": dict(sorted(reasons.items())),
    }
