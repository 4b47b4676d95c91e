"""What the buttons of the author's form do to a document, and that each removal can be taken back."""

import json
from typing import Any

import pytest

from customers.authoring.edits import CannotEdit
from customers.authoring.posted import TooLarge, tree
from journeys.authoring import edits
from journeys.authoring.outline import outline
from journeys.authoring.read import read
from tests.journeys.stage import message, welcome


def document(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(welcome(**changes)))
    return made


def ids(of: dict[str, Any]) -> list[str]:
    return [step["id"] for step in of["steps"]]


def test_a_step_added_after_another_takes_over_its_way() -> None:
    made = document()
    edited = edits.apply(made, "step:delay:0")
    assert (edited.focus, ids(made)[:3]) == ("/steps/1", ["welcome", "delay", "hold"])
    assert made["steps"][0]["next"] == "delay"
    assert made["steps"][1] == {"type": "delay", "id": "delay", "state": "not_activated", "next": "hold"}


def test_a_step_added_at_the_end_bears_a_name_of_its_own() -> None:
    made = document()
    edits.apply(made, "step:hold:")
    assert made["steps"][-1] == {"type": "hold", "id": "hold-2", "state": "not_activated", "branches": [{}]}
    edits.apply(made, "step:exit:")
    # A step that leads nowhere stands in an end state.
    assert made["steps"][-1] == {"type": "exit", "id": "exit", "state": "activated"}


def test_a_reference_that_asks_for_a_new_step_gets_one_nested_under_the_step_that_asked() -> None:
    made = document()
    made["steps"][1]["branches"][0]["next"] = "+message"
    assert edits.grow(made) == "/steps/3"
    assert made["steps"][1]["branches"][0]["next"] == "message"
    # Behind what was nested there already; what the branch led to before has no way to it now.
    assert ids(made) == ["welcome", "hold", "remind", "message", "done", "lost"]


def test_what_led_to_a_removed_step_leads_on_and_back_again() -> None:
    made = document()
    before = json.dumps(made)
    edited = edits.apply(made, "remove:/steps/2")
    assert ids(made) == ["welcome", "hold", "done", "lost"]
    assert made["steps"][1]["timeout"]["next"] == "lost"
    assert edited.removal is not None
    kept = json.loads(json.dumps(edited.removal.as_json()))
    assert edits.put_back(made, kept).focus == "/steps/2"
    assert json.dumps(made) == before


def test_a_removed_branch_comes_back_to_its_step_wherever_that_has_gone() -> None:
    made = document()
    removal = edits.apply(made, "remove:/steps/1/branches/0").removal
    assert removal is not None
    edits.apply(made, "down:/steps/1")
    assert edits.put_back(made, removal.as_json()).focus == "/steps/2/branches/0"
    assert made["steps"][2]["branches"] == [{"event": "login.succeeded", "next": "done"}]


def test_a_removed_state_takes_its_transitions_along_and_brings_them_back() -> None:
    made = document()
    removal = edits.apply(made, "remove:/states/2").removal
    assert made["transitions"] == [["not_activated", "activated"]]
    assert removal is not None
    edits.put_back(made, removal.as_json())
    assert made["transitions"] == [["not_activated", "activated"], ["not_activated", "lost"]]
    assert [state["name"] for state in made["states"]] == ["not_activated", "activated", "lost"]


def test_moving_stops_at_the_ends() -> None:
    made = document()
    assert edits.apply(made, "up:/steps/0").focus == "/steps/0"
    edits.apply(made, "down:/steps/0")
    assert ids(made)[:2] == ["hold", "welcome"]


def test_a_copy_stands_beside_its_original_under_another_name() -> None:
    made = document()
    edits.apply(made, "copy:/steps/0")
    assert ids(made)[:2] == ["welcome", "welcome-2"]
    assert made["steps"][1] == made["steps"][0] | {"id": "welcome-2"}
    made["steps"][1]["template"] = "other"
    assert made["steps"][0]["template"] == "note"


def test_rows_and_conditions_are_added_where_they_belong() -> None:
    made = document()
    assert edits.apply(made, "row:/exit_events").focus == "/exit_events/0"
    made["entry"]["rule"] = {"all": [{"leaf": "attribute"}]}
    assert edits.apply(made, "part:/entry/rule/all").focus == "/entry/rule/all/1"
    assert made["entry"]["rule"] == {"all": [{"leaf": "attribute"}, None]}


def test_the_transitions_that_the_steps_need_are_allowed_at_once() -> None:
    made = document(transitions=[], exit_events=[{"event": "closed", "state": "lost"}])
    edits.apply(made, "allow:")
    assert sorted(made["transitions"]) == [["not_activated", "activated"], ["not_activated", "lost"]]


@pytest.mark.parametrize(
    "order",
    [
        "explode:/steps/0",
        "remove:/steps/99",
        "remove:/purpose",
        "remove:/steps/0/id",
        "remove:/steps/²",
        "up:/nowhere/0",
        "row:/steps/0/id",
        "row:/steps/99/branches",
        "part:/entry/rule",
        "step:jump:0",
        "copy:",
        "",
    ],
)
def test_an_order_for_what_is_not_there_changes_nothing(order: str) -> None:
    made = document()
    with pytest.raises(CannotEdit):
        edits.apply(made, order)
    assert made == document()


@pytest.mark.parametrize(
    "removal",
    [
        {},
        {"holder": "/steps", "index": "x", "item": {}},
        {"holder": "/purpose", "index": 0, "item": {}},
        {"holder": "/steps", "index": -1, "item": {}},
        {"holder": "/gone", "index": 0, "item": {}},
        {"holder": "/steps", "index": 0, "item": {}, "led": [1]},
    ],
)
def test_a_removal_that_was_tampered_with_puts_nothing_back(removal: dict[str, Any]) -> None:
    made = document()
    with pytest.raises(CannotEdit):
        edits.put_back(made, removal)
    assert made == document()


def test_branches_are_nested_under_their_step() -> None:
    places = outline(document()["steps"])
    assert [place.depth for place in places] == [0, 0, 1, 1, 1]
    assert places[2].ways == [("hold", "1 day")]
    assert places[3].ways == [("hold", "login.succeeded")]
    assert places[1].ways == [("welcome", "")]


def test_a_renamed_step_and_state_are_followed_by_what_names_them() -> None:
    values = {
        "states/0/name": ["begun"],
        "states/0/~was": ["new"],
        "states/1/name": ["over"],
        "states/1/~was": ["over"],
        "transitions": ['["new", "over"]'],
        "steps/0/type": ["delay"],
        "steps/0/id": ["rest"],
        "steps/0/~was": ["rest"],
        "steps/0/state": ["new"],
        "steps/0/next": ["end"],
        "steps/1/type": ["exit"],
        "steps/1/id": ["finish"],
        "steps/1/~was": ["end"],
        "steps/1/state": ["over"],
    }
    made = read(tree(values)).document
    assert made["transitions"] == [["begun", "over"]]
    assert made["steps"][0] == {"type": "delay", "id": "rest", "state": "begun", "next": "finish"}


def test_a_name_that_moved_to_another_step_is_not_followed() -> None:
    values = {"steps/0/type": ["exit"], "steps/0/id": ["b"], "steps/0/~was": ["a"]}
    values |= {"steps/1/type": ["delay"], "steps/1/id": ["a"], "steps/1/~was": ["b"], "steps/1/next": ["a"]}
    assert read(tree(values)).document["steps"][1]["next"] == "a"


def test_what_cannot_be_read_is_kept_as_typed_and_told_at_its_place() -> None:
    values = {
        "steps/0/type": ["delay"],
        "steps/0/after/~n": ["soon"],
        "steps/0/after/~unit": ["hours"],
        "entry/rule/~node": ["attribute"],
        "entry/rule/name": ["age"],
        "entry/rule/op": ["gt"],
        "entry/rule/value/~kind": ["number"],
        "entry/rule/value/~text": ["old"],
    }
    reading = read(tree(values))
    assert [(one.code, one.pointer) for one in reading.problems] == [
        ("unreadable", "/entry/rule/value"),
        ("not_a_duration", "/steps/0/after"),
    ]
    assert reading.document["steps"][0]["after"] == "soon"
    assert reading.document["entry"]["rule"]["value"] == "old"


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("attribute", "all", {"all": [{"leaf": "attribute", "name": "plan"}]}),
        ("attribute", "not", {"not": {"leaf": "attribute", "name": "plan"}}),
        ("attribute", "event_property", {"leaf": "event_property", "name": "plan"}),
        ("attribute", "", None),
    ],
)
def test_a_condition_of_another_kind_keeps_what_it_can(was: str, now: str, expected: object) -> None:
    values = {"entry/rule/~node": [now], "entry/rule/~was": [was], "entry/rule/name": ["plan"]}
    assert read(tree(values)).document["entry"].get("rule") == expected


def test_ten_thousand_steps_are_refused_before_they_are_read() -> None:
    values = {f"steps/{n}/type": ["exit"] for n in range(10_000)}
    with pytest.raises(TooLarge):
        read(tree(values))


def test_an_unknown_step_type_stays_unknown() -> None:
    values = {"steps/0/type": ["jump"], "steps/0/id": ["x"], "steps/0/next": ["y"]}
    assert read(tree(values)).document["steps"] == [{"type": "jump", "id": "x"}]


def test_a_form_of_names_as_deep_as_one_likes_is_read_without_harm() -> None:
    deep = "/".join(["entry/rule", *["+/0"] * 500])
    assert read(tree({f"{deep}/~node": ["all"], "a/" * 9000: ["x"], "": ["y"]})).document["entry"] == {}


def test_a_first_step_without_ways_is_not_lost() -> None:
    steps = [message("a", next="b"), message("b", next="c")]
    assert [place.is_reached for place in outline(json.loads(json.dumps(steps)))] == [True, True]
