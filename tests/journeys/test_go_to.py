"""Going to another journey: it takes people by its own conditions, and the way here goes on either way."""

import json
from typing import Any

import pytest

from analytics.why import explain_run
from customers.models import Brand, Event
from journeys import halting
from journeys.code.cases import run_cases
from journeys.code.file import read
from journeys.compiling import awaited_names, version
from journeys.definition import InvalidDefinition
from journeys.engine import acting
from journeys.engine.advance import advance_due
from journeys.models import Cause, EntryRefusal, Run, RunContext, Transition
from journeys.simulation.events import stored
from journeys.simulation.past import Recorded
from journeys.simulation.run import simulate
from journeys.simulation.unknown import Unknown
from journeys.validate import check
from tests.journeys.stage import T0, Stage, welcome

NEVER = "nothing.at.all"


def go_to(journey: str = "care", id_: str = "go", **more: Any) -> dict[str, Any]:
    step = {"type": "go_to", "id": id_, "state": "not_activated", "journey": journey, "next": "done"}
    return step | {"refused": "lost"} | more


def sending(*data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Straight to the other journey: activated if it takes them, lost if not."""
    return welcome(steps=[go_to(data=list(data)), *welcome()["steps"][3:]], **more)


def care(**entry: Any) -> dict[str, Any]:
    """Takes people and holds them for a day."""
    return welcome(entry={"event": NEVER} | entry, steps=welcome()["steps"][1:])


def sent(stage: Stage, document: dict[str, Any] | None = None, target: dict[str, Any] | None = None) -> Stage:
    stage.publish(target or care(), "care")
    stage.publish(document or sending())
    stage.know()
    stage.happen("customer.signed_up", properties={"cart": "c1", "total": 40})
    return stage


def states(stage: Stage) -> dict[str, list[str]]:
    """By journey, where its runs are."""
    found: dict[str, list[str]] = {}
    for run in Run.objects.select_related("journey", "version").order_by("id"):
        found.setdefault(run.journey.key, []).append(run.version.definition["steps"][run.step]["id"])
    return found


def test_the_other_journey_takes_them_and_the_way_here_goes_on(stage: Stage) -> None:
    sent(stage)
    assert states(stage) == {"welcome": ["done"], "care": ["hold"]}
    here, there = stage.runs()
    assert (here.status, there.status) == (Run.Status.COMPLETED, Run.Status.ACTIVE)
    assert (here.profile_id, here.customer_id) == (there.profile_id, there.customer_id)
    causes = Transition.objects.filter(run=here).order_by("seq").values_list("cause", flat=True)
    assert list(causes) == [Cause.ENTERED, Cause.HANDED_OVER]


def test_data_goes_with_them_and_the_event_says_where_it_comes_from(stage: Stage) -> None:
    sent(stage, sending({"name": "why", "value": "new"}, {"name": "cart_id", "property": "cart"},
                        {"name": "none", "property": "missing"}))  # fmt: skip
    here, there = stage.runs()
    context = RunContext.objects.get(run=there)
    assert context.variables == {"why": "new", "cart_id": "c1"}
    event = Event.objects.select_related("source").get(pk=context.event_id or 0)
    assert (event.name, event.source.key, event.message_id) == ("journey.handed_over", "trilha", f"run-{here.pk}-1")
    assert Transition.objects.get(run=here, seq=2).event_id == event.pk


def test_a_journey_they_are_in_does_not_take_them_again(stage: Stage) -> None:
    sent(stage, sending(entry={"event": "customer.signed_up", "reentry": "always"}), care(reentry="always"))
    first = Run.objects.get(journey__key="care")
    stage.pass_time(hours=1)
    stage.happen("customer.signed_up")
    assert states(stage) == {"welcome": ["done", "lost"], "care": ["hold"]}
    refusal = EntryRefusal.objects.get()
    assert (refusal.reason, refusal.live_run_id, refusal.journey_id) == ("already_live", first.pk, first.journey_id)


def test_its_key_rule_re_entry_and_consent_decide_as_for_any_entry(stage: Stage) -> None:
    rich = {"leaf": "event_property", "name": "total", "op": "ge", "value": 50}
    sent(stage, sending({"name": "total", "property": "total"}), care(rule=rich))
    assert (states(stage), stage.refusals()) == ({"welcome": ["lost"]}, ["rule_not_met"])


def test_without_its_key_nobody_is_taken_and_with_it_they_are(stage: Stage) -> None:
    target = welcome(entry={"event": NEVER, "key": "cart_id"}, steps=[
        {"type": "delay", "id": "hold", "state": "not_activated", "after": "P1D", "next": "lost"},
        welcome()["steps"][4],
    ])  # fmt: skip
    sent(stage, target=target)
    assert (states(stage), stage.refusals()) == ({"welcome": ["lost"]}, ["key_missing"])
    stage.publish(sending({"name": "cart_id", "property": "cart"}))
    stage.know("bia")
    stage.happen("customer.signed_up", "bia", properties={"cart": "c7"})
    assert Run.objects.get(journey__key="care").entry_key == "c7"


def test_whoever_does_not_agree_is_not_taken(stage: Stage) -> None:
    stage.publish(care(), "care")
    free = {"event": "customer.signed_up", "guard": "none", "guard_reason": "it is asked there"}
    stage.publish(sending(entry=free))
    stage.know(granted=False)
    stage.happen("customer.signed_up")
    assert (states(stage), stage.refusals()) == ({"welcome": ["lost"]}, ["no_consent"])


def test_at_a_cap_of_one_journey_whoever_leaves_this_one_for_the_other_is_taken(stage: Stage) -> None:
    Brand.objects.filter(pk=stage.brand.pk).update(journeys_at_once=1)
    sent(stage)
    assert (states(stage), stage.refusals()) == ({"welcome": ["done"], "care": ["hold"]}, [])


def test_at_a_cap_of_one_journey_whoever_stays_in_this_one_is_not_taken(stage: Stage) -> None:
    Brand.objects.filter(pk=stage.brand.pk).update(journeys_at_once=1)
    stays = {"type": "delay", "id": "stay", "state": "not_activated", "after": "P1D", "next": "done"}
    sent(stage, welcome(steps=[go_to(next="stay"), stays, *welcome()["steps"][3:]]))
    assert (states(stage), stage.refusals()) == ({"welcome": ["lost"]}, ["concurrency_cap"])
    refusal = EntryRefusal.objects.get()
    assert (refusal.counted, refusal.most) == (1, 1)


def test_whether_it_stays_is_what_its_next_steps_decide_for_each(stage: Stage) -> None:
    Brand.objects.filter(pk=stage.brand.pk).update(journeys_at_once=1)
    stays = {"type": "delay", "id": "stay", "state": "not_activated", "after": "P1D", "next": "done"}
    gold = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "gold"}
    choice = {"type": "split", "id": "choice", "state": "not_activated",
              "branches": [{"rule": gold, "next": "stay"}], "otherwise": "done"}  # fmt: skip
    stage.publish(care(), "care")
    stage.publish(welcome(steps=[go_to(next="choice"), choice, stays, *welcome()["steps"][3:]]))
    stage.know("ana", plan="gold")
    stage.know("bia", plan="basic")
    for user in ("ana", "bia"):
        stage.happen("customer.signed_up", user)
    assert (states(stage), stage.refusals()) == ({"welcome": ["lost", "done"], "care": ["hold"]}, ["concurrency_cap"])


def test_a_run_that_two_others_leave_for_their_journeys_counts_for_neither(stage: Stage) -> None:
    Brand.objects.filter(pk=stage.brand.pk).update(journeys_at_once=2)
    stage.publish(care(), "care")
    stage.publish(care(), "more")
    wait = {"type": "delay", "id": "wait", "state": "not_activated", "after": "PT1H", "next": "go"}
    for key in ("care", "more"):
        document = welcome(steps=[wait, go_to(key), *welcome()["steps"][3:]])
        stage.publish(document, f"to_{key}")
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    assert stage.refusals() == []
    assert states(stage) == {"to_care": ["done"], "to_more": ["done"], "care": ["hold"], "more": ["hold"]}


def test_a_journey_that_is_not_live_takes_nobody(stage: Stage) -> None:
    stage.publish(care(), "care")
    halting.pause(stage.journeys["care"], by=None, now=stage.now)
    sent_on = sending()
    stage.publish(sent_on)
    stage.know()
    stage.happen("customer.signed_up")
    assert (states(stage), stage.refusals()) == ({"welcome": ["lost"]}, [])


def test_a_run_whose_customer_is_busy_comes_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(care(), "care")
    stage.publish(sending())
    stage.know()
    with monkeypatch.context() as patched:
        patched.setattr(acting, "_LOCK_CUSTOMERS", "SELECT id FROM customers_customer WHERE id = ANY(%b) AND false")
        stage.happen("customer.signed_up")
        assert states(stage) == {"welcome": ["go"]}
    advance_due(stage.now)
    assert states(stage) == {"welcome": ["done"], "care": ["hold"]}


def test_journeys_that_send_people_round_come_to_an_end(stage: Stage) -> None:
    """Each lets people in again and again, and sends them to the other once its own run has ended."""
    for key in ("ping", "pong"):
        stage.publish(care(event=f"{key}.begun"), key)
    for key, other in (("ping", "pong"), ("pong", "ping")):
        stage.publish(
            welcome(entry={"event": f"{key}.begun", "reentry": "always"}, steps=[
                {"type": "delay", "id": "rest", "state": "not_activated", "after": "PT1M", "next": "go"},
                go_to(other), *welcome()["steps"][3:],
            ]), key,
        )  # fmt: skip
    stage.know()
    stage.happen("ping.begun")
    for _minute in range(20):
        stage.pass_time(minutes=1)
    counts = {key: Run.objects.filter(journey__key=key).count() for key in ("ping", "pong")}
    assert counts == {"ping": 4, "pong": 4}
    assert Run.objects.filter(status=Run.Status.ACTIVE).count() == 0


def test_the_reason_names_the_other_journey(stage: Stage) -> None:
    sent(stage)
    _way, moves = explain_run(stage.runs()[0])
    assert moves[-1].text == "At “go” the journey “care” was asked to take them, and did."
    assert moves[-1].event is not None


def test_a_simulation_takes_them_to_have_been_taken_and_says_so(stage: Stage) -> None:
    sent(stage)
    made = version(Run.objects.get(journey__key="welcome").version_id)
    events = stored(stage.brand.pk, awaited_names(made.definition, made.steps), T0, T0)
    told = simulate(made, events, Recorded("UTC"), T0.replace(month=4))
    assert told.tally.as_json()["runs"] == [{"status": "completed", "state": "activated", "runs": 1}]
    assert told.unknown[0] == Unknown.OTHER_JOURNEYS


def test_a_case_says_which_journeys_take_nobody() -> None:
    case = {
        "name": "sent on",
        "when": [{"event": "customer.signed_up"}],
        "then": [{"after": "PT1H", "ended_in": "activated"}],
    }
    shut = case | {"name": "turned away", "given": {"closed": ["care"]}}
    file = read(json.dumps({"key": "welcome", "name": "Welcome", "definition": sending(), "cases": [case, shut]}))
    assert [(one.case, one.found) for one in run_cases(file)] == [("turned away", "lost")]


def test_an_unknown_journey_cannot_be_published(stage: Stage) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        stage.publish(sending())
    assert [(one.code, one.pointer) for one in refused.value.problems] == [("unknown_journey", "/steps/0/journey")]


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (go_to("not a key"), ("name_invalid", "/steps/0/journey")),
        (go_to(data=[{"name": "a"}]), ("value_unclear", "/steps/0/data/0/value")),
        (go_to(data=[{"name": "a", "value": 1, "property": "b"}]), ("value_unclear", "/steps/0/data/0/value")),
        (go_to(data=[{"name": "a", "value": {}}]), ("value_not_allowed", "/steps/0/data/0/value")),
        (go_to(data=[{"name": "", "value": 1}]), ("name_invalid", "/steps/0/data/0/name")),
        (go_to(data=[{"name": "a", "value": 1}] * 2), ("duplicate_name", "/steps/0/data/1/name")),
        (go_to(refused="nobody"), ("unknown_step", "/steps/0")),
        (go_to(refused="go"), ("loop", "/steps/0")),
    ],
)
def test_what_cannot_be_is_refused(step: dict[str, Any], problem: tuple[str, str]) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(welcome(steps=[step, *welcome()["steps"][3:]]))
    assert problem in [(one.code, one.pointer) for one in refused.value.problems]


def test_a_last_step_may_not_ask_another_journey() -> None:
    exits = [{"event": "order.completed", "state": "activated", "last_step": "go"}]
    document = welcome(exit_events=exits, steps=[*welcome()["steps"], go_to()])
    with pytest.raises(InvalidDefinition) as refused:
        check(document)
    assert ("last_step_waits", "/exit_events/0/last_step") in [
        (one.code, one.pointer) for one in refused.value.problems
    ]
