"""Profile updates: what a journey says of people goes the way of whatever else is said of them, once for each visit."""

import json
from typing import Any

import pytest

from analytics.why import explain_run
from customers.internal import MOST_HOPS
from customers.models import Customer, DeadLetter, Event, EventPayload, InboxItem, Source, Trait, TraitDefinition
from customers.resolve import resolve_inbox
from journeys.code.cases import run_cases
from journeys.code.file import read
from journeys.compiling import awaited_names, version
from journeys.definition import InvalidDefinition
from journeys.engine import write as writing
from journeys.engine.match import match_events
from journeys.models import Cause, Run, Transition
from journeys.simulation.events import stored
from journeys.simulation.past import Recorded
from journeys.simulation.run import simulate
from journeys.validate import check
from tests.journeys.stage import T0, Stage, message, welcome


def update(*changes: dict[str, Any], id_: str = "say", next_: str = "hold") -> dict[str, Any]:
    return {"type": "update", "id": id_, "state": "not_activated", "changes": list(changes), "next": next_}


def saying(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Something is said on entry; then the welcome's hold."""
    return welcome(steps=[update(*changes), *welcome()["steps"][1:]], **more)


def traits(stage: Stage) -> dict[str, Any]:
    held: dict[str, Any] = Customer.objects.get(profiles__identifier__value="ana").traits
    return {name: value for name, value in held.items() if name != "email"}


def entered(stage: Stage, document: dict[str, Any], **properties: Any) -> Stage:
    stage.publish(document)
    stage.know(plan="free", visits=2)
    stage.happen("customer.signed_up", properties=properties or None)
    return stage


def test_values_and_the_entry_events_are_set_added_and_cleared(stage: Stage) -> None:
    entered(
        stage,
        saying(
            {"trait": "stage", "value": "welcomed"},
            {"trait": "city", "property": "city"},
            {"trait": "visits", "do": "add", "value": 3},
            {"trait": "points", "do": "add", "property": "points"},
            {"trait": "plan", "do": "clear"},
        ),
        city="Recife",
        points=1.5,
    )
    assert traits(stage) == {"stage": "welcomed", "city": "Recife", "visits": 5, "points": 1.5, "plan": None}
    assert stage.steps_of(stage.the_run()) == ["say", "hold"]
    assert list(Transition.objects.order_by("seq").values_list("cause", flat=True)) == [Cause.ENTERED, Cause.UPDATED]


def test_what_is_said_has_a_source_a_time_and_the_step_it_comes_from(stage: Stage) -> None:
    entered(stage, saying({"trait": "stage", "value": "welcomed"}))
    trait = Trait.objects.get(name="stage")
    event = Event.objects.select_related("source").get(pk=trait.event_id)
    assert (event.source.key, event.kind, event.occurred_at) == (Source.RESERVED_KEY, "identify", T0)
    assert (trait.source_id, trait.valid_from) == (event.source_id, T0)
    run = stage.the_run()
    assert event.message_id == f"run-{run.pk}-1"
    payload = EventPayload.objects.get(event_id=event.pk).payload
    assert payload["context"] == {"journey": str(run.journey_id), "run": run.pk, "step": "say"}
    assert trait.profile_id == run.profile_id


def test_where_the_event_says_nothing_nothing_is_said(stage: Stage) -> None:
    entered(
        stage,
        saying(
            {"trait": "city", "property": "city"},
            {"trait": "visits", "do": "add", "property": "points"},
            {"trait": "plan", "do": "add", "value": 1},
        ),
        points="many",
    )
    assert traits(stage) == {"plan": "free", "visits": 2}


def test_a_value_of_another_type_is_kept_and_never_wins(stage: Stage) -> None:
    TraitDefinition.objects.create(name="visits", type="number")
    entered(stage, saying({"trait": "visits", "value": "many"}))
    assert (traits(stage)["visits"], Trait.objects.filter(name="visits").count()) == (2, 2)


def test_rules_further_on_see_it_at_once(stage: Stage) -> None:
    pro = {"leaf": "attribute", "name": "visits", "op": "eq", "value": 3}
    split = {
        "type": "split", "id": "which", "state": "not_activated", "otherwise": "lost",
        "branches": [{"rule": pro, "next": "done"}],
    }  # fmt: skip
    document = welcome(
        steps=[update({"trait": "visits", "do": "add", "value": 1}, next_="which"), split, *welcome()["steps"][3:]]
    )
    assert stage.steps_of(entered(stage, document).the_run()) == ["say", "which", "done"]


def test_two_runs_add_one_after_the_other(stage: Stage) -> None:
    keyed = {"event": "customer.signed_up", "key": "cart", "reentry": "always"}
    steps = [update({"trait": "visits", "do": "add", "value": 1}, next_="done"), *welcome()["steps"][3:4]]
    stage.publish(welcome(steps=steps, entry=keyed))
    stage.know(visits=2)
    for cart in ("a", "b", "c"):
        stage.accept("customer.signed_up", properties={"cart": cart})
    stage.run()
    assert (len(stage.runs()), traits(stage)["visits"]) == (3, 5)


def test_it_is_said_once_though_the_worker_dies_in_the_middle(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(saying({"trait": "visits", "do": "add", "value": 1}))
    stage.know(visits=2)
    stage.accept("customer.signed_up")
    resolve_inbox(stage.now)

    def die(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(writing, "keep_exposures", die)
        with pytest.raises(KeyboardInterrupt):
            match_events(stage.now)
    assert (Run.objects.count(), InboxItem.objects.count()) == (0, 0)
    stage.pass_time(seconds=30)
    assert (Run.objects.count(), traits(stage)["visits"]) == (1, 3)


def test_a_circle_of_journeys_and_traits_comes_to_an_end(stage: Stage) -> None:
    entry = {"event": "trait.changed", "reentry": "always"}
    steps = [update({"trait": "visits", "do": "add", "value": 1}, next_="done"), *welcome()["steps"][3:4]]
    stage.publish(welcome(steps=steps) | {"entry": entry})
    stage.know()
    stage.happen("identify", traits={"visits": 1})
    assert DeadLetter.objects.filter(queue="internal").exists()
    assert traits(stage)["visits"] <= 1 + 3 * MOST_HOPS


def test_the_last_step_of_an_end_may_say_something(stage: Stage) -> None:
    exits = [{"event": "order.completed", "state": "activated", "goal": True, "last_step": "say"}]
    steps = [*welcome()["steps"], update({"trait": "stage", "value": "buyer"}, next_="done")]
    stage.publish(welcome(exit_events=exits, steps=steps))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("order.completed")
    assert (traits(stage), stage.the_run().status) == ({"stage": "buyer"}, Run.Status.EXITED)


def test_the_reason_says_what_was_said(stage: Stage) -> None:
    entered(stage, saying({"trait": "visits", "do": "add", "value": 3}))
    _way, moves = explain_run(stage.the_run())
    assert moves[-1].text == ("At “say” something was said of the person: visits, a number is added to it, 3.")


def test_a_simulation_says_it_to_later_rules_and_writes_nothing(stage: Stage) -> None:
    rule = {"leaf": "attribute", "name": "stage", "op": "eq", "value": "welcomed"}
    document = saying({"trait": "stage", "value": "welcomed"})
    document["steps"][2] |= {"next": "which"}
    document["steps"].append(
        {"type": "split", "id": "which", "state": "not_activated", "otherwise": "lost",
         "branches": [{"rule": rule, "next": "done"}]}
    )  # fmt: skip
    made = version(stage.publish(document).pk)
    stage.know()
    stage.accept("customer.signed_up")
    resolve_inbox(stage.now)
    before = Trait.objects.count()
    events = stored(stage.brand.pk, awaited_names(made.definition, made.steps), T0, T0)
    told = simulate(made, events, Recorded("UTC"), T0.replace(month=4)).tally.as_json()
    assert told["runs"] == [{"status": "completed", "state": "activated", "runs": 1}]
    assert (Trait.objects.count(), InboxItem.objects.count()) == (before, 0)


def test_a_case_says_what_is_known_afterwards() -> None:
    document = saying({"trait": "visits", "do": "add", "value": 3}, {"trait": "plan", "do": "clear"})
    case = {
        "name": "said",
        "given": {"traits": {"visits": 2, "plan": "pro", "city": "Recife"}},
        "when": [{"event": "customer.signed_up"}],
        "then": [{"after": "PT1H", "traits": {"visits": 5, "plan": None}}, {"after": "PT1H", "traits": {"city": "x"}}],
    }
    file = read(json.dumps({"key": "welcome", "name": "Welcome", "definition": document, "cases": [case]}))
    assert [(one.what, one.expected, one.found) for one in run_cases(file)] == [
        ("traits", {"city": "x"}, {"city": "Recife"})
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"trait": "stage"}, ("value_unclear", "/value")),
        ({"trait": "stage", "value": 1, "property": "a"}, ("value_unclear", "/value")),
        ({"trait": "stage", "do": "clear", "value": 1}, ("value_not_allowed", "/value")),
        ({"trait": "stage", "do": "add", "value": "1"}, ("value_not_allowed", "/value")),
        ({"trait": "stage", "do": "add", "value": True}, ("value_not_allowed", "/value")),
        ({"trait": "stage", "value": [1]}, ("value_not_allowed", "/value")),
        ({"trait": "stage", "value": None}, ("value_not_allowed", "/value")),
        ({"trait": "stage", "value": "x" * 1001}, ("value_not_allowed", "/value")),
        ({"trait": "", "value": 1}, ("name_invalid", "/trait")),
        ({"trait": "email", "value": "a@example.com"}, ("trait_not_ours", "/trait")),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(change: dict[str, Any], problem: tuple[str, str]) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(saying({"trait": "fine", "value": 1}, change))
    code, pointer = problem
    assert [(one.code, one.pointer) for one in refused.value.problems] == [(code, f"/steps/0/changes/1{pointer}")]


def test_no_change_too_many_and_one_twice_are_refused() -> None:
    twice: list[dict[str, Any]] = [{"trait": "a", "value": 1}, {"trait": "a", "do": "clear"}]
    refusals: list[tuple[list[dict[str, Any]], tuple[str, str]]] = [
        ([], ("change_count", "/steps/0/changes")),
        (twice, ("duplicate_trait", "/steps/0/changes/1/trait")),
    ]
    for changes, expected in refusals:
        with pytest.raises(InvalidDefinition) as refused:
            check(saying(*changes))
        assert [(one.code, one.pointer) for one in refused.value.problems] == [expected]


def test_journeys_without_one_put_nothing_on_the_way(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.accept("customer.signed_up")
    resolve_inbox(stage.now)
    match_events(stage.now)
    assert (Run.objects.count(), InboxItem.objects.count(), len(stage.messages())) == (1, 0, 1)


def test_a_message_after_it_still_goes(stage: Stage) -> None:
    steps = [update({"trait": "stage", "value": "new"}, next_="welcome"), message("welcome", next="hold")]
    stage.publish(welcome(steps=[*steps, *welcome()["steps"][1:]]))
    stage.know()
    stage.happen("customer.signed_up")
    assert stage.messages() == [("queued", "")]
