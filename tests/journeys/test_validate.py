"""What cannot be published, each with the place of its mistake."""

from typing import Any

import pytest

from customers.models import AwaitedName
from journeys.definition import InvalidDefinition
from journeys.models import Journey, JourneyVersion
from journeys.steps.base import step_types
from journeys.validate import check
from tests.journeys.stage import Stage, message, welcome

LOST = {"type": "exit", "id": "lost", "state": "lost"}


def split(id_: str, *nexts: str) -> dict[str, Any]:
    rule = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}
    branches = [{"rule": rule, "next": target} for target in nexts[:-1]]
    return {
        "type": "split",
        "id": id_,
        "state": "not_activated",
        "branches": branches,
        "otherwise": nexts[-1],
    }


def hold(**changes: Any) -> dict[str, Any]:
    step: dict[str, Any] = welcome()["steps"][1]
    return step | {"timeout": {"after": "P1D", "next": "lost"}} | changes


def codes(document: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDefinition) as refused:
        check(document)
    return [(problem.code, problem.pointer) for problem in refused.value.problems]


def test_the_step_types_are_the_files_of_the_package() -> None:
    types = ["delay", "entitlement", "exit", "go_to", "hold", "message", "random_split", "split", "update", "webhook"]
    assert sorted(step_types()) == types


def test_a_good_definition_passes() -> None:
    definition, steps = check(welcome())
    assert (definition.entry.reentry, [step.id for step in steps]) == (
        "never",
        ["welcome", "hold", "remind", "done", "lost"],
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"steps": [{"type": "jump", "id": "a", "state": "x"}]}, ("invalid_definition", "/steps/0/type")),
        ({"stepz": []}, ("invalid_definition", "")),
        ({"entry": {}}, ("missing_field", "/entry/event")),
        ({"steps": []}, ("step_count", "/steps")),
        ({"steps": [message("a", next="nowhere"), LOST]}, ("unknown_step", "/steps/0")),
        ({"steps": [message("a", next="lost", state="odd"), LOST]}, ("unknown_state", "/steps/0/state")),
        ({"steps": [message("a", next="lost"), LOST, LOST]}, ("duplicate_step", "/steps/2/id")),
        (
            {"steps": [message("a", next="lost", channel="fax"), LOST]},
            ("unknown_channel", "/steps/0/channel"),
        ),
        ({"steps": [message("a", next="lost", state="lost"), LOST]}, ("initial_state", "/steps/0/state")),
        (
            {"states": [{"name": "not_activated"}, {"name": "lost", "kind": "failure"}]},
            ("initial_state", "/states"),
        ),
        ({"transitions": []}, ("illegal_transition", "/steps/1")),
        ({"entry": {"event": "e", "guard": "none"}}, ("guard_reason", "/entry/guard_reason")),
        ({"entry": {"event": "e", "rule": {"leaf": "x"}}}, ("unknown_leaf", "/entry/rule/leaf")),
        ({"entry": {"event": "e", "key": "cart"}}, ("key_missing", "/steps/1/branches/0/key")),
        ({"exit_events": [{"event": "e", "state": "gone"}]}, ("unknown_state", "/exit_events/0/state")),
        (
            {"exit_events": [{"event": "e", "state": "lost", "key": "k"}]},
            ("key_unused", "/exit_events/0/key"),
        ),
        ({"steps": [hold(branches=[]), LOST]}, ("no_branch", "/steps/0/branches")),
        (
            {"steps": [hold(timeout={"after": "PT0S", "next": "lost"}), LOST]},
            ("duration", "/steps/0/timeout"),
        ),
        (
            {"steps": [message("a", next="lost"), LOST, message("b", next="lost")]},
            ("unreachable", "/steps/2"),
        ),
        ({"steps": [message("a", next="b"), message("b", next="a")]}, ("loop", "/steps/0")),
        ({"steps": [split("a", "lost", "b"), split("b", "lost", "a"), LOST]}, ("loop", "/steps/0")),
    ],
)
def test_a_mistake_is_refused_at_its_place(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in codes(welcome(**changes))


def test_a_loop_with_a_wait_in_it_is_fine() -> None:
    again = hold(timeout={"after": "P1D", "next": "remind"}, branches=[{"event": "login.succeeded", "next": "lost"}])
    check(welcome(steps=[again, message("remind", next="hold"), LOST]))


def test_a_hold_without_time_out_is_refused() -> None:
    endless = hold()
    del endless["timeout"]
    assert codes(welcome(steps=[endless, LOST])) == [("invalid_definition", "/steps/0")]


def test_ten_thousand_steps_are_refused_quickly() -> None:
    steps = [message(f"s{n}", next=f"s{n + 1}") for n in range(10_000)]
    assert codes(welcome(steps=steps)) == [("step_count", "/steps")]


def test_publishing_commits_the_awaited_names_before_the_version_lives(stage: Stage) -> None:
    version = stage.publish(welcome(exit_events=[{"event": "account.closed", "state": "lost"}]))
    names = set(AwaitedName.objects.filter(waiter=f"journey_version:{version.pk}").values_list("name", flat=True))
    assert names == {"customer.signed_up", "login.succeeded", "account.closed"}
    journey = Journey.objects.get()
    assert (journey.status, journey.live_version_id, version.number) == ("live", version.pk, 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"connector": "pigeon"}, ("unknown_connector", "/steps/0/connector")),
        ({"template": "none"}, ("unknown_template", "/steps/0/template")),
        ({"purpose": "fun"}, ("unknown_purpose", "/steps/0/purpose")),
    ],
)
def test_keys_that_name_nothing_in_the_brand_are_refused(
    stage: Stage, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        stage.publish(welcome(steps=[message("a", next="lost", **changes), LOST]))
    assert [(problem.code, problem.pointer) for problem in refused.value.problems] == [expected]
    assert (JourneyVersion.objects.count(), AwaitedName.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "entry",
    [{"reentry": "after"}, {"reentry": "after", "reentry_after": "PT0S"}, {"reentry_after": "P1D"}],
    ids=["no time", "no time at all", "a time too many"],
)
def test_a_time_until_people_may_come_in_again_is_given_where_it_is_asked_and_only_there(
    entry: dict[str, Any],
) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(welcome(entry={"event": "customer.signed_up"} | entry))
    assert [one.pointer for one in refused.value.problems] == ["/entry/reentry_after"]
