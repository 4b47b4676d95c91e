"""Runs by API: started with the checks of an entry event, ended with their cause, and refused with their reason."""

from typing import Any

import pytest

from channels.models import Message
from customers.models import Event, EventPayload, MatchItem
from journeys.models import EntryRefusal, Journey, RecheckItem, Run
from tests.config.partners import Partners, make_partners
from tests.customers.partner_api import code_of, pointer_of
from tests.journeys.stage import welcome

pytestmark = pytest.mark.django_db

ANA = {"identifier": {"kind": "user_id", "value": "ana"}}


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    return made


def start(partners: Partners, journey: Any, **said: Any) -> Any:
    return partners.shop.post("runs", {**ANA, "journey": str(journey.pk), **said})


def refusal(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["started"], told["run"]) == (False, None)
    kept = EntryRefusal.objects.get(pk=told["refused"]["id"])
    assert kept.reason == told["refused"]["reason"]
    return str(kept.reason)


def test_a_run_starts_at_once_and_says_what_it_began_with(partners: Partners) -> None:
    journey = partners.journey()
    partners.know(partners.shop)
    answer = start(partners, journey, properties={"plan": "gold"})
    assert answer.status_code == 201
    told = answer.json()["run"]
    assert answer.headers["Location"] == f"/api/v1/runs/{told['id']}"
    assert (told["journey_key"], told["version"], told["status"]) == ("welcome", 1, "active")
    assert (told["state"], told["step"], told["entry_key"]) == ("not_activated", "hold", None)
    run = Run.objects.get()
    event = Event.objects.get(pk=run.context.event_id or 0)
    assert (event.name, event.source, event.profile_id) == (
        "run.start_requested", partners.stage.source, run.profile_id,
    )  # fmt: skip
    told_by = {"token": partners.tokens["shop"].prefix}
    assert EventPayload.objects.get(event_id=event.pk).payload == {"properties": {"plan": "gold"}, "context": told_by}
    assert run.context.variables == {"plan": "gold"}
    assert partners.stage.messages() == [("queued", "")]
    assert RecheckItem.objects.get().run_id == run.pk
    path = partners.shop.get(f"runs/{run.pk}").json()["path"]
    assert [(move["cause"], move["step_to"], move["event"]) for move in path] == [
        ("entered", "welcome", event.pk), ("continued", "hold", None),
    ]  # fmt: skip


def test_it_goes_on_like_any_other(partners: Partners) -> None:
    journey = partners.journey()
    partners.know(partners.shop)
    start(partners, journey)
    partners.stage.run()
    partners.stage.pass_time(minutes=1)
    partners.shop.post("events", {"name": "login.succeeded", "identifiers": {"user_id": "ana"}})
    partners.stage.run()
    run = partners.stage.the_run()
    assert (run.status, partners.stage.steps_of(run)) == (Run.Status.COMPLETED, ["welcome", "hold", "done"])


def test_the_event_that_a_start_is_moves_nobody_twice(partners: Partners) -> None:
    """A journey that awaits the very name of the call gets it by match, and the run that it began is left alone."""
    document = welcome(entry={"event": "run.start_requested", "api": True, "reentry": "always"})
    journey = partners.stage.publish(document).journey
    partners.know(partners.shop)
    assert start(partners, journey).status_code == 201
    assert MatchItem.objects.count() == 1
    partners.stage.run()
    assert Run.objects.count() == 1
    assert partners.stage.refusals() == ["already_live"]


def test_a_live_run_of_the_key_refuses_another(partners: Partners) -> None:
    journey = partners.journey(reentry="always")
    partners.know(partners.shop)
    start(partners, journey)
    partners.stage.run()
    assert refusal(start(partners, journey)) == "already_live"
    assert Run.objects.count() == 1


def test_who_entered_before_does_not_enter_again(partners: Partners) -> None:
    journey = partners.journey()
    partners.know(partners.shop)
    run = start(partners, journey).json()["run"]["id"]
    partners.shop.post(f"runs/{run}/exit", {})
    partners.stage.run()
    assert refusal(start(partners, journey)) == "not_again"


def test_without_consent_nobody_enters(partners: Partners) -> None:
    journey = partners.journey()
    partners.know(partners.shop, granted=False)
    assert refusal(start(partners, journey)) == "no_consent"
    assert not Message.objects.exists()


def test_without_an_address_nobody_enters(partners: Partners) -> None:
    journey = partners.journey()
    partners.know(partners.shop, email=False)
    assert refusal(start(partners, journey)) == "no_address"


def test_a_keyed_journey_wants_its_key(partners: Partners) -> None:
    document = welcome(entry={"event": "cart.left", "api": True, "key": "cart_id"})
    document["steps"][1]["branches"][0]["key"] = "any"
    journey = partners.stage.publish(document).journey
    partners.know(partners.shop)
    assert refusal(start(partners, journey)) == "key_missing"
    answers = [start(partners, journey, properties={"cart_id": cart}) for cart in ("c-1", "c-2", "c-1")]
    assert [answer.status_code for answer in answers] == [201, 201, 200]
    assert [answer.json()["run"]["entry_key"] for answer in answers[:2]] == ["c-1", "c-2"]
    assert refusal(answers[2]) == "already_live"


def test_the_entry_rule_is_asked(partners: Partners) -> None:
    journey = partners.journey(rule={"leaf": "event_property", "name": "plan", "op": "eq", "value": "gold"})
    partners.know(partners.shop)
    assert refusal(start(partners, journey, properties={"plan": "tin"})) == "rule_not_met"
    assert start(partners, journey, properties={"plan": "gold"}).status_code == 201


def test_an_exit_rule_that_holds_already_lets_nobody_in(partners: Partners) -> None:
    document = welcome(entry={"event": "customer.signed_up", "api": True})
    gone = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "gone"}
    document["exit_rules"] = [{"rule": gone, "state": "lost"}]
    journey = partners.stage.publish(document).journey
    partners.know(partners.shop, plan="gone")
    assert refusal(start(partners, journey)) == "exit_already_true"


def test_refused_entries_can_be_read(partners: Partners) -> None:
    journey = partners.journey()
    customer = partners.know(partners.shop, granted=False)
    start(partners, journey)
    items = partners.shop.get("refused-entries", customer=customer, journey=str(journey.pk)).json()["items"]
    assert [(one["reason"], one["journey"]) for one in items] == [("no_consent", str(journey.pk))]


def test_a_start_does_not_overtake_what_came_before(partners: Partners) -> None:
    """The grant is accepted but not resolved: deciding now would refuse somebody who agreed."""
    journey = partners.journey()
    partners.know(partners.shop, granted=False)
    granted = {"name": "consent.granted", "identifiers": {"user_id": "ana"}, "properties": {"purpose": "news"}}
    partners.shop.post("events", granted)
    answer = start(partners, journey)
    assert (code_of(answer, 409), answer.headers["Retry-After"]) == ("customer_busy", "1")
    assert not EntryRefusal.objects.exists()
    assert not Run.objects.exists()
    partners.stage.run()
    assert start(partners, journey).status_code == 201


def test_being_busy_is_no_answer_to_keep(partners: Partners) -> None:
    journey = partners.journey()
    partners.know(partners.shop)
    partners.shop.post("events", {"name": "page.seen", "identifiers": {"user_id": "ana"}})
    body = {**ANA, "journey": str(journey.pk)}
    assert code_of(partners.shop.post("runs", body, **{"Idempotency-Key": "k"}), 409) == "customer_busy"
    partners.stage.run()
    answers = [partners.shop.post("runs", body, **{"Idempotency-Key": "k"}) for _time in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Location"] == answers[0].headers["Location"]
    assert Run.objects.count() == 1


def test_a_journey_that_is_not_for_calls_is_not_started(partners: Partners) -> None:
    journey = partners.stage.publish(welcome()).journey
    partners.know(partners.shop)
    answer = start(partners, journey)
    assert (code_of(answer, 409), pointer_of(answer)) == ("journey_not_live", "/journey")
    assert not Event.objects.filter(name="run.start_requested").exists()


def test_a_paused_journey_is_not_started(partners: Partners) -> None:
    journey = partners.journey()
    partners.know(partners.shop)
    Journey.objects.filter(pk=journey.pk).update(status=Journey.Status.PAUSED)
    assert code_of(start(partners, journey), 409) == "journey_not_live"


def test_a_journey_of_another_brand_is_unknown(partners: Partners) -> None:
    journey = partners.journey()
    answer = partners.rival.post("runs", {**ANA, "journey": str(journey.pk)})
    assert (code_of(answer, 422), pointer_of(answer)) == ("unknown_journey", "/journey")


def test_a_run_ends_where_it_stands_and_says_by_what(partners: Partners) -> None:
    journey = partners.journey()
    partners.know(partners.shop)
    run = start(partners, journey).json()["run"]["id"]
    answer = partners.shop.post(f"runs/{run}/exit", {"state": "lost", "reason": "sold in the shop"})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["state"], answer.json()["due_at"]) == ("exited", "lost", None)
    last = partners.shop.get(f"runs/{run}").json()["path"][-1]
    event = Event.objects.get(name="run.exit_requested")
    assert (last["cause"], last["step_to"], last["state"], last["event"]) == ("exit", None, "lost", event.pk)
    said = EventPayload.objects.get(event_id=event.pk).payload
    assert said["properties"] == {"run": run, "reason": "sold in the shop"}


def test_an_ended_run_does_not_end_again(partners: Partners) -> None:
    journey = partners.journey()
    partners.know(partners.shop)
    run = start(partners, journey).json()["run"]["id"]
    assert partners.shop.post(f"runs/{run}/exit", {}).json()["state"] == "not_activated"
    events = Event.objects.count()
    assert code_of(partners.shop.post(f"runs/{run}/exit", {}), 409) == "run_ended"
    assert Event.objects.count() == events


@pytest.mark.parametrize("state", ["not_activated", "nowhere"])
def test_a_run_ends_in_an_end_state_only(partners: Partners, state: str) -> None:
    journey = partners.journey()
    partners.know(partners.shop)
    run = start(partners, journey).json()["run"]["id"]
    answer = partners.shop.post(f"runs/{run}/exit", {"state": state})
    assert (code_of(answer, 422), pointer_of(answer)) == ("unknown_value", "/state")
    assert Run.objects.get().status == Run.Status.ACTIVE


def test_the_messages_of_an_ended_run_stay_unsent(partners: Partners) -> None:
    from channels.dispatch import dispatch_all

    journey = partners.journey()
    partners.know(partners.shop)
    run = start(partners, journey).json()["run"]["id"]
    partners.shop.post(f"runs/{run}/exit", {})
    dispatch_all(partners.stage.now)
    assert partners.stage.messages() == [("cancelled", "ended")]


def test_lists_go_on_where_the_page_before_ended(partners: Partners) -> None:
    document = welcome(entry={"event": "cart.left", "api": True, "key": "cart_id"})
    document["steps"][1]["branches"][0]["key"] = "any"
    journey = partners.stage.publish(document).journey
    customer = partners.know(partners.shop)
    for n in range(5):
        start(partners, journey, properties={"cart_id": f"c-{n}"})
    for ordering, wanted in (("-entered_at", [4, 3, 2, 1, 0]), ("entered_at", [0, 1, 2, 3, 4])):
        found: list[str] = []
        cursor: dict[str, Any] = {}
        for _page in range(3):
            page = partners.shop.get("runs", customer=customer, limit=2, ordering=ordering, **cursor).json()
            found += [one["entry_key"] for one in page["items"]]
            cursor = {"cursor": page["next"]}
        assert found == [f"c-{n}" for n in wanted]
        assert cursor == {"cursor": None}


def test_a_cursor_is_good_for_its_own_list_and_caller_only(partners: Partners) -> None:
    document = welcome(entry={"event": "cart.left", "api": True, "key": "cart_id"})
    document["steps"][1]["branches"][0]["key"] = "any"
    journey = partners.stage.publish(document).journey
    customer = partners.know(partners.shop)
    partners.till.post("events", {"name": "seen", "identifiers": {"user_id": "ana"}})
    partners.stage.run()
    for n in range(3):
        start(partners, journey, properties={"cart_id": f"c-{n}"})
    cursor = partners.shop.get("runs", customer=customer, limit=1).json()["next"]
    wrong = [
        partners.shop.get("runs", customer=customer, limit=1, cursor=cursor[:-1] + "x"),
        partners.shop.get("runs", customer=customer, limit=1, cursor=cursor, status="active"),
        partners.shop.get("runs", customer=customer, limit=1, cursor=cursor, ordering="entered_at"),
        partners.shop.get("messages", customer=customer, limit=1, cursor=cursor),
        partners.till.get("runs", customer=customer, limit=1, cursor=cursor),
    ]
    assert {code_of(answer, 400) for answer in wrong} == {"invalid_cursor"}
    assert partners.shop.get("runs", customer=customer, limit=1, cursor=cursor).status_code == 200
