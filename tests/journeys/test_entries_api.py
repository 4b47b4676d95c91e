"""People let into a journey by API, many at a time: each with an answer, all in a few statements, or only for a try."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import Message
from consent.models import ConsentItem
from customers.ids import NIL
from customers.models import Event, EventPayload, PartnerToken
from journeys.models import EntryRefusal, Journey, Run
from tests.config.partners import Partners, make_partners
from tests.customers.partner_api import code_of, pointer_of
from tests.journeys.stage import welcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    return made


def user(name: str, **properties: Any) -> dict[str, Any]:
    named: dict[str, Any] = {"identifier": {"kind": "user_id", "value": name}}
    return named | ({"properties": properties} if properties else {})


def enter(partners: Partners, journey: Journey, *people: Any, **more: Any) -> Any:
    headers = more.pop("headers", {})
    return partners.shop.post(f"journeys/{journey.pk}/entries", {"people": list(people), **more}, **headers)


def told(answer: Any) -> list[tuple[str, str | None]]:
    assert answer.status_code == 200, answer.content
    return [(one["status"], one["reason"]) for one in answer.json()["people"]]


def test_each_is_let_in_or_refused_with_their_reason(partners: Partners) -> None:
    journey = partners.journey()
    ana = partners.know(partners.shop)
    partners.know(partners.shop, "ivo", granted=False)
    partners.know(partners.shop, "eva")
    answer = enter(
        partners, journey, user("ana", plan="gold"), user("ivo"), user("nobody"), user("ana"),
        {"identifier": {"kind": "email", "value": "Eva@Example.com"}},
        {"identifier": {"kind": "email", "value": "eva"}},
    )  # fmt: skip
    assert told(answer) == [
        ("let_in", None), ("refused", "no_consent"), ("unknown", "unknown_customer"), ("refused", "already_live"),
        ("let_in", None), ("rejected", "invalid_email"),
    ]  # fmt: skip
    body = answer.json()
    assert body["counts"] == {"let_in": 2, "refused": 2, "unknown": 1, "rejected": 1, "busy": 0}
    assert body["reasons"] == {"already_live": 1, "invalid_email": 1, "no_consent": 1, "unknown_customer": 1}
    assert (body["journey"], body["dry_run"]) == (str(journey.pk), False)
    first, _ivo, nobody, again, _eva, wrong = body["people"]
    run = Run.objects.get(pk=first["run"])
    assert (first["customer"], str(run.customer_id), run.context.variables) == (ana, ana, {"plan": "gold"})
    assert (nobody["problem"]["pointer"], nobody["customer"]) == ("/people/2/identifier", None)
    assert wrong["problem"]["pointer"] == "/people/5/identifier/value"
    assert (again["run"], again["problem"]) == (None, None)
    assert EntryRefusal.objects.filter(live_run_id=run.pk).count() == 1
    payload = EventPayload.objects.get(event_id=run.context.event_id or 0).payload
    assert payload == {"properties": {"plan": "gold"}, "context": {"token": partners.tokens["shop"].prefix}}
    assert partners.stage.messages() == [("queued", ""), ("queued", "")]


def test_a_try_tells_the_same_and_does_nothing(partners: Partners) -> None:
    journey = partners.journey()
    for name, granted in (("ana", True), ("ivo", False)):
        partners.know(partners.shop, name, granted=granted)
    people = [user("ana"), user("ivo"), user("ana"), user("nobody")]
    before = Event.objects.count()
    answer = enter(partners, journey, *people, dry_run=True)
    assert answer.json()["dry_run"] is True
    assert [one["run"] for one in answer.json()["people"]] == [None] * 4
    assert (Run.objects.count(), EntryRefusal.objects.count(), Message.objects.count()) == (0, 0, 0)
    assert Event.objects.count() == before
    assert told(answer) == told(enter(partners, journey, *people))


def test_the_key_tells_runs_of_one_person_apart(partners: Partners) -> None:
    document = welcome(entry={"event": "cart.left", "api": True, "key": "cart_id"})
    document["steps"][1]["branches"][0]["key"] = "any"
    journey = partners.stage.publish(document).journey
    partners.know(partners.shop)
    answer = enter(partners, journey, user("ana", cart_id="c1"), user("ana", cart_id="c2"), user("ana"))
    assert told(answer) == [("let_in", None), ("let_in", None), ("refused", "key_missing")]
    assert sorted(Run.objects.values_list("entry_key", flat=True)) == ["c1", "c2"]


def test_the_entry_rule_and_limits_hold_for_each(partners: Partners) -> None:
    rule = {"leaf": "event_property", "name": "plan", "op": "eq", "value": "gold"}
    journey = partners.journey(rule=rule, ramp={"percent": 1, "compare_on": "2026-12-31"})
    names = ("ana", "eva", "bia", "rui")
    for name in names:
        partners.know(partners.shop, name)
    first, *others = told(enter(partners, journey, user("ana", plan="tin"), *(user(one, plan="gold") for one in names)))
    assert first == ("refused", "rule_not_met")
    # By their lots one in a hundred is let in; that all four are, nobody lives to see.
    assert ("refused", "outside_ramp") in others
    assert set(others) <= {("refused", "outside_ramp"), ("let_in", None)}


def test_a_person_is_named_by_the_customers_id_as_well(partners: Partners) -> None:
    journey = partners.journey()
    ana = partners.know(partners.shop)
    theirs = partners.know(partners.till, "bia")
    answer = enter(partners, journey, {"customer": ana}, {"customer": theirs})
    # Of whom another partner alone has told, this one knows nothing.
    assert told(answer) == [("let_in", None), ("unknown", "unknown_customer")]
    assert answer.json()["people"][1]["problem"]["pointer"] == "/people/1/customer"


def test_who_is_busy_is_told_so_and_the_others_are_let_in(partners: Partners) -> None:
    journey = partners.journey()
    for name in ("ana", "eva"):
        partners.know(partners.shop, name)
    partners.shop.post("events", {"name": "page.seen", "identifiers": {"user_id": "ana"}})
    answer = enter(partners, journey, user("ana"), user("eva"))
    assert told(answer) == [("busy", "customer_busy"), ("let_in", None)]
    assert answer.json()["people"][0]["problem"]["pointer"] == "/people/0"
    assert not ConsentItem.objects.exists()
    partners.stage.run()
    assert told(enter(partners, journey, user("ana"))) == [("let_in", None)]


def test_the_same_call_under_its_key_does_nothing_twice(partners: Partners) -> None:
    journey = partners.journey(reentry="always")
    partners.know(partners.shop)
    answers = [enter(partners, journey, user("ana"), headers={"Idempotency-Key": "k"}) for _time in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert (Run.objects.count(), EntryRefusal.objects.count()) == (1, 0)
    other = enter(partners, journey, user("eva"), headers={"Idempotency-Key": "k"})
    assert code_of(other, 422) == "idempotency_key_reused"


def test_however_many_they_are_the_statements_are_the_same(partners: Partners) -> None:
    journey = partners.journey()
    names = [f"user{n}" for n in range(12)]
    for name in names:
        partners.know(partners.shop, name)
    counts = []
    for some in (names[:2], names[2:]):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert set(told(enter(partners, journey, *map(user, some)))) == {("let_in", None)}
        counts.append(len(queries))
    assert counts[1] <= counts[0]


# --- what cannot be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "missing_field", "/people"),
        ({"people": []}, "too_short", "/people"),
        ({"people": "ana"}, "wrong_type", "/people"),
        ({"people": ["ana"]}, "wrong_type", "/people/0"),
        ({"people": [user("ana"), {}]}, "missing_identifier", "/people/1"),
        ({"people": [user("ana") | {"customer": str(NIL)}]}, "missing_identifier", "/people/0"),
        ({"people": [{"customer": "ana"}]}, "wrong_type", "/people/0/customer"),
        ({"people": [{"identifier": {"kind": "user_id"}}]}, "missing_field", "/people/0/identifier/value"),
        ({"people": [user("ana") | {"properties": [1]}]}, "wrong_type", "/people/0/properties"),
        ({"people": [user("ana") | {"vip": True}]}, "unknown_field", "/people/0/vip"),
        ({"people": [user("ana")], "dry_run": "yes"}, "wrong_type", "/dry_run"),
        ({"people": [user("ana")], "dry_run": 1}, "wrong_type", "/dry_run"),
        ({"people": [user("ana")], "now": True}, "unknown_field", "/now"),
    ],
)  # fmt: skip
def test_a_body_that_is_none_is_refused_at_its_place(partners: Partners, body: Any, code: str, pointer: str) -> None:
    journey = partners.journey()
    partners.know(partners.shop)
    answer = partners.shop.post(f"journeys/{journey.pk}/entries", body)
    assert (code_of(answer, 422), pointer_of(answer)) == (code, pointer)
    assert not Run.objects.exists()


def test_more_than_a_thousand_are_refused_as_a_whole(partners: Partners) -> None:
    journey = partners.journey()
    partners.know(partners.shop)
    answer = enter(partners, journey, *[user("ana")] * 1001)
    assert (code_of(answer, 413), pointer_of(answer)) == ("batch_too_large", "/people")
    assert answer.json()["detail"] == "More than 1,000 people."
    assert not Run.objects.exists()


def test_an_unknown_kind_of_identifier_is_told_of_the_person(partners: Partners) -> None:
    journey = partners.journey()
    answer = enter(partners, journey, {"identifier": {"kind": "shoe_size", "value": "42"}})
    assert told(answer) == [("rejected", "unknown_identifier_kind")]
    assert answer.json()["people"][0]["problem"]["pointer"] == "/people/0/identifier/kind"


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_journey_that_takes_nobody_by_call_takes_none_of_them(partners: Partners, dry_run: bool) -> None:
    journey = partners.stage.publish(welcome()).journey
    partners.know(partners.shop)
    for people in ([user("ana")], [user("nobody")]):
        answer = enter(partners, journey, *people, dry_run=dry_run)
        assert code_of(answer, 409) == "journey_not_live"
    assert not Event.objects.filter(name="run.start_requested").exists()


def test_a_journey_of_another_brand_or_of_nobody_is_not_found(partners: Partners) -> None:
    journey = partners.journey()
    asked = {"people": [user("ana")]}
    assert code_of(partners.rival.post(f"journeys/{journey.pk}/entries", asked), 404) == "not_found"
    assert code_of(partners.shop.post("journeys/nothing/entries", asked), 404) == "not_found"


def test_it_needs_the_scope_and_a_body_of_a_megabyte_at_most(partners: Partners) -> None:
    journey = partners.journey()
    large = user("ana", text="x" * 1_100_000)
    assert code_of(enter(partners, journey, large), 413) == "payload_too_large"
    PartnerToken.objects.filter(pk=partners.tokens["shop"].pk).update(scopes=["runs:read"])
    assert code_of(enter(partners, journey, user("ana")), 403) == "insufficient_scope"
