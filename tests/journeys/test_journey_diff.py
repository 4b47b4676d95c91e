"""What changed between two documents, in words; and two people's changes put together."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from journeys.authoring.merge import merge
from journeys.authoring.text import Unreadable, read, write
from journeys.authoring.tidy import tidy
from journeys.diff import compare
from tests.journeys.documents import documents
from tests.journeys.stage import welcome


def document(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(welcome(**changes)))
    return made


def words(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(change.kind, change.pointer, change.text) for change in compare(before, after)]


def test_every_kind_of_change_is_told_where_it_is() -> None:
    after = document(purpose="offers", transitions=[["not_activated", "activated"]])
    after["entry"]["rule"] = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}
    after["steps"][0]["template"] = "hello"
    after["steps"][1]["timeout"]["after"] = "PT36H"
    after["steps"][2] = {"type": "delay", "id": "rest", "state": "not_activated", "after": "PT1H", "next": "lost"}
    after["exit_events"] = [{"event": "account.closed", "state": "lost"}]
    assert words(document(), after) == [
        ("changed", "/purpose", "purpose was “news” and is now “offers”."),
        ("removed", "/transitions", "not_activated → lost is no longer allowed."),
        ("changed", "/entry/rule", "only if is now “plan is pro”."),
        ("removed", "/steps/2", "“remind” is gone (Message: not_activated, email, mail, note, lost)."),
        ("changed", "/steps/0/template", "“welcome”: template was “note” and is now “hello”."),
        (
            "changed",
            "/steps/1/timeout",
            "“hold”: or time runs out was “1 day, remind” and is now “36 hours, remind”.",
        ),
        ("added", "/steps/2", "“rest” is new (Delay: not_activated, 1 hour, lost)."),
        ("added", "/exit_events/0", "exits by event: “account.closed, lost” is new."),
    ]


def test_another_type_and_another_first_step_are_told() -> None:
    after = document()
    after["steps"][0], after["steps"][1] = after["steps"][1], after["steps"][0]
    after["steps"][3] = {"type": "delay", "id": "done", "state": "activated"}
    assert words(document(), after) == [
        ("changed", "/steps/3/type", "“done” was “Exit” and is now “Delay”."),
        ("moved", "/steps/0", "The journey now begins with “hold”, before with “welcome”."),
    ]


def test_another_spelling_is_no_change() -> None:
    after = document(exit_events=[], exit_rules=[])
    after["steps"][1]["timeout"]["after"] = "PT24H"
    after["steps"][0]["not_later_than"] = "PT1440M"
    after["entry"]["reentry"] = "never"
    assert words(document(), after) == []


@settings(max_examples=40)
@given(documents(), documents())
def test_no_change_is_told_of_the_same_and_some_of_different_ones(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert compare(one, one) == []
    if not compare(one, other):
        # The order of states, steps after the first, and rows of a list says nothing.
        assert sorted(map(str, tidy(one)["states"])) == sorted(map(str, tidy(other)["states"]))


def test_changes_in_different_places_are_put_together() -> None:
    mine, theirs = document(), document()
    mine["steps"][0]["template"] = "mine"
    mine["states"].append({"name": "asleep"})
    theirs["steps"][0]["connector"] = "theirs"
    theirs["steps"].insert(1, {"type": "delay", "id": "rest"})
    theirs["transitions"].append(["activated", "lost"])
    merged = merge(document(), mine, theirs)
    assert merged.conflicts == []
    first = merged.document["steps"][0]
    assert (first["template"], first["connector"]) == ("mine", "theirs")
    assert [step["id"] for step in merged.document["steps"]][:3] == ["welcome", "rest", "hold"]
    assert [state["name"] for state in merged.document["states"]][-1] == "asleep"
    assert merged.document["transitions"][-1] == ["activated", "lost"]


def test_what_both_changed_stays_mine_and_is_named() -> None:
    mine, theirs = document(purpose="mine"), document(purpose="theirs")
    mine["steps"][2]["template"] = "mine"
    del theirs["steps"][2]
    merged = merge(document(), mine, theirs)
    assert merged.conflicts == ["/purpose", "/steps/remind"]
    assert merged.document == mine


def test_what_one_removed_and_the_other_left_alone_is_gone() -> None:
    mine, theirs = document(), document()
    del mine["steps"][2]
    theirs["purpose"] = "theirs"
    merged = merge(document(), mine, theirs)
    assert [step["id"] for step in merged.document["steps"]] == ["welcome", "hold", "done", "lost"]
    assert (merged.document["purpose"], merged.conflicts) == ("theirs", [])


@settings(max_examples=30)
@given(documents(), documents())
def test_merging_with_somebody_who_changed_nothing_is_mine(base: dict[str, Any], mine: dict[str, Any]) -> None:
    assert merge(base, mine, base).document == mine
    assert merge(base, base, mine).document == mine


@settings(max_examples=30)
@given(documents())
def test_text_is_read_back_as_it_was_written(made: dict[str, Any]) -> None:
    for format_ in ("json", "yaml"):
        assert read(write(made, format_)) == made


@pytest.mark.parametrize("text", ["a: on", "a: 1:30", "a: 2026-03-02", "a: 0o7", "a: yes", "a: 1_000", "a: .inf"])
def test_yaml_has_the_kinds_of_json_and_no_others(text: str) -> None:
    assert read(text) == {"a": text.removeprefix("a: ")}


@pytest.mark.parametrize(
    "text", ["0E0", "1e5", "-0", "1.5E-3", "12", "1:30", "on", "0o7", "~", "null", "true", "", "=", "<<"]
)
def test_a_text_that_looks_like_another_kind_is_written_in_quotes(text: str) -> None:
    assert read(write({text: text}, "yaml")) == {text: text}


@pytest.mark.parametrize("format_", ["json", "yaml"])
@pytest.mark.parametrize("number", [0.0, 1e17, -2.5e-300, 3, 10**30])
def test_a_number_is_read_back_as_that_number(number: float, format_: str) -> None:
    found = read(write({"a": number}, format_))["a"]
    assert (found, type(found)) == (number, type(number))


@pytest.mark.parametrize("text", ["a: 1e400", '{"a": 1e400}'])
def test_a_number_past_all_bounds_is_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="no number that can be kept"):
        read(text)
