"""Recorded histories: new code decides about eight hundred recorded runs as the code did that recorded them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journeys import retry
from journeys.engine import arrivals, enroll, permitted, walk
from journeys.engine.calls import settle
from journeys.entry import schedule
from journeys.steps.base import Here
from journeys.steps.go_to import GoTo
from journeys.steps.hold import Hold
from journeys.steps.split import Split
from tests.journeys.histories import HERE, record, replay
from tests.journeys.history_journeys import JOURNEYS, version_of

# Whoever makes another type of step adds it to a recorded journey.
TYPES = {"delay", "exit", "go_to", "hold", "message", "random_split", "split", "webhook"}
NAMES = sorted(JOURNEYS)


def differing(name: str) -> list[str]:
    """Names of the recorded people about whom something is decided otherwise today."""
    with (HERE / f"{name}.jsonl").open(encoding="utf-8") as lines:
        version = version_of(name, json.loads(next(lines))["journey"])
        return [person for person, recorded, decided in replay(lines, version) if recorded != decided]


@pytest.mark.parametrize("name", NAMES)
def test_todays_code_decides_as_it_was_recorded(name: str) -> None:
    assert differing(name) == []


def test_eight_hundred_runs_are_recorded_through_all_types_of_steps() -> None:
    runs, types, causes = 0, set(), set()
    for file in HERE.glob("*.jsonl"):
        head, *people = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        types |= {step["type"] for step in head["journey"]["steps"]}
        for person in people:
            runs += len(person["decided"]["runs"])
            causes |= {move[3] for move in person["decided"]["moves"]}
    assert runs >= 800
    assert types >= TYPES
    told = {"ENTERED", "CONTINUED", "EVENT", "TIMER", "TIMED_OUT", "BRANCH", "OTHERWISE", "EXIT", "PAST", "ARM"}
    told |= {"RESET", "BEST", "REPLIED", "CAUGHT", "CALL_FAILED", "HANDED_OVER", "TURNED_AWAY"}
    assert causes >= told


def test_what_was_replied_tried_again_and_not_permitted_is_among_it() -> None:
    _head, *people = map(json.loads, (HERE / "calls.jsonl").read_text(encoding="utf-8").splitlines())
    decided = [person["decided"] for person in people]
    held = [variables for one in decided for variables in one["variables"]]
    assert {"gold", "tin"} <= {one.get("tier") for one in held}
    asked = [move for one in decided for move in one["moves"] if move[4] == "ask"]
    assert {move[3] for move in asked} >= {"REPLIED", "CAUGHT", "CALL_FAILED"}
    # By whom it was tried once, answered at a later attempt, or caught, one way and the other.
    assert {move[7] for move in asked if move[3] == "CAUGHT"} == {0, 1}
    came = {(n, move[1]): move[0] for n, one in enumerate(decided) for move in one["moves"] if move[5] == "ask"}
    took = {move[0] - came[n, move[1]] for n, one in enumerate(decided) for move in one["moves"] if move[4] == "ask"}
    assert {0.0, 4.0, 600.0, 1800.0} <= took


@pytest.mark.parametrize("name", NAMES)
def test_recording_again_makes_the_same_files(name: str) -> None:
    document, names = JOURNEYS[name]
    kept = (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    assert record(name, document, version_of(name, document), names) == kept


def later_timeout(patch: pytest.MonkeyPatch) -> None:
    within = arrivals.in_window
    patch.setattr(arrivals, "in_window", lambda run, began, one, meaning: within(run, began, one, meaning)
                  or (meaning.kind == "branch" and one.event_id != began.event_id))  # fmt: skip


def other_hold(patch: pytest.MonkeyPatch) -> None:
    resume = Hold.resume
    patch.setattr(Hold, "resume", lambda step, branch: resume(step, len(step.branches) - 1))


def other_split(patch: pytest.MonkeyPatch) -> None:
    enter = Split.enter
    patch.setattr(
        Split, "enter", lambda step, here: enter(step, Here(here.facts, here.now, _turned(here.rules), here.run))
    )


def _turned(rules: dict[int, Any]) -> dict[int, Any]:
    return dict(zip(rules, reversed(rules.values()), strict=True))


def other_lot(patch: pytest.MonkeyPatch) -> None:
    draw = Here.draw
    patch.setattr(Here, "draw", lambda here, salt, sides, *, is_fresh: draw(here, f"{salt}!", sides, is_fresh=is_fresh))


def other_zone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Here, "zone", property(lambda here: ZoneInfo("Pacific/Auckland")))


def no_exit_rule(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(walk, "exit_by_rule", lambda run, facts: None)


def always_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(enroll.Gate, "refusal", lambda *_arguments: None)


def no_second_attempt(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(settle, "next_delay", lambda *_arguments: None)


def other_catch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(retry, "catcher_of", lambda catchers, _error: len(catchers) - 1)


def deaf(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(settle, "read_reply", lambda *_arguments: {})


def who_withdrew_is_told_of(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(permitted, "objection", lambda *_arguments: None)


def everybody_is_taken(patch: pytest.MonkeyPatch) -> None:
    answered = GoTo.answered
    patch.setattr(GoTo, "answered", lambda step, *, is_taken: answered(step, is_taken=True))


def as_long_after_the_leap(patch: pytest.MonkeyPatch) -> None:
    """The recorded calendar comes by on the night in which the clocks of Berlin leap."""
    patch.setattr(schedule, "at", lambda day, clock, zone: datetime.combine(day, clock, zone).astimezone(UTC))


@pytest.mark.parametrize(
    ("sabotage", "name"),
    [
        (later_timeout, "welcome"),
        (other_hold, "best"),
        (other_split, "ways"),
        (other_lot, "ways"),
        (other_zone, "dates"),
        (no_exit_rule, "cart"),
        (always_again, "best"),
        (no_second_attempt, "calls"),
        (other_catch, "calls"),
        (deaf, "calls"),
        (who_withdrew_is_told_of, "calls"),
        (everybody_is_taken, "handing"),
        (as_long_after_the_leap, "calendar"),
    ],
)
def test_a_changed_decision_is_seen(
    sabotage: Callable[[pytest.MonkeyPatch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch)
    assert differing(name) != []
