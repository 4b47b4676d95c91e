"""Recorded histories: new code decides about five hundred recorded runs as the code did that recorded them."""

import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journeys.engine import arrivals, enroll, walk
from journeys.steps.base import Here
from journeys.steps.hold import Hold
from journeys.steps.split import Split
from tests.journeys.histories import HERE, record, replay
from tests.journeys.history_journeys import JOURNEYS, version_of

# Whoever makes another type of step adds it to a recorded journey.
TYPES = {"delay", "exit", "hold", "message", "random_split", "split"}
NAMES = sorted(JOURNEYS)


def differing(name: str) -> list[str]:
    """Names of the recorded people about whom something is decided otherwise today."""
    with (HERE / f"{name}.jsonl").open(encoding="utf-8") as lines:
        version = version_of(name, json.loads(next(lines))["journey"])
        return [person for person, recorded, decided in replay(lines, version) if recorded != decided]


@pytest.mark.parametrize("name", NAMES)
def test_todays_code_decides_as_it_was_recorded(name: str) -> None:
    assert differing(name) == []


def test_five_hundred_runs_are_recorded_through_all_types_of_steps() -> None:
    runs, types, causes = 0, set(), set()
    for file in HERE.glob("*.jsonl"):
        head, *people = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        types |= {step["type"] for step in head["journey"]["steps"]}
        for person in people:
            runs += len(person["decided"]["runs"])
            causes |= {move[3] for move in person["decided"]["moves"]}
    assert runs >= 500
    assert types >= TYPES
    told = {"ENTERED", "CONTINUED", "EVENT", "TIMER", "TIMED_OUT", "BRANCH", "OTHERWISE", "EXIT", "PAST", "ARM"}
    assert causes >= told | {"RESET", "BEST"}


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
    ],
)
def test_a_changed_decision_is_seen(
    sabotage: Callable[[pytest.MonkeyPatch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch)
    assert differing(name) != []
