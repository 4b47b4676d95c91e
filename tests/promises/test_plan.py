"""Which promises are put to the test, and when a control must be."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.promises.plan import (
    MOST_MINUTES,
    Promise,
    UnknownPart,
    UnknownPromise,
    chosen,
    minutes_of,
    needs_controls,
    part_of,
    parts,
)
from tests.promises.points import AFTER_WORK, Marks
from tests.promises.promises import PROMISES as ALL
from tests.promises.sabotage import CONTROLS


def promise(key: str, minutes: int = 1) -> Promise:
    return Promise(key, key, lambda _stage: [], ("a control",), ("customers/accept/",), minutes)


PROMISES = [promise(key) for key in ("P1", "P2", "P3", "P26")]


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ("", ["P1", "P2", "P3", "P26"]),
        ("P2", ["P2"]),
        ("p26,P1", ["P1", "P26"]),
        ("P2-P9", ["P2", "P3"]),
        ("P1-P2,P26", ["P1", "P2", "P26"]),
    ],
)
def test_promises_are_named_one_by_one_or_as_a_range(asked: str, keys: list[str]) -> None:
    assert [one.key for one in chosen(PROMISES, asked)] == keys


@pytest.mark.parametrize("asked", ["P99", "everything", "P1-everything"])
def test_what_names_no_promise_is_refused(asked: str) -> None:
    with pytest.raises(UnknownPromise):
        chosen(PROMISES, asked)


@pytest.mark.parametrize(
    ("changed", "needed"),
    [
        (["customers/accept/store.py"], True),
        (["tests/promises/proxy.py"], True),
        (["journeys/publish.py", "README.md"], False),
        ([], False),
        (None, True),
    ],
)
def test_controls_are_run_when_what_the_promise_rests_on_has_changed(changed: list[str] | None, needed: bool) -> None:
    assert needs_controls(PROMISES[0], changed) is needed


_ALL_CONTROLS = """
import django
django.setup()
from tests.promises.sabotage import CONTROLS, FAULTS
for name, control in {**FAULTS, **CONTROLS}.items():
    try:
        control()
    except Exception as error:
        print(f"{name}: {error!r}")
"""


def test_every_control_fits_the_product() -> None:
    """A process of its own, as it is spoiled by them: hours of the lab are not lost over a name that has changed."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", _ALL_CONTROLS], env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_every_promise_has_a_control_and_each_is_known() -> None:
    assert [one.key for one in ALL if not one.controls] == []
    assert [control for one in ALL for control in one.controls if control not in CONTROLS] == []


def test_whoever_comes_by_a_mark_dies_there_and_nobody_after_him(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks")
    marks.lay(AFTER_WORK)
    environment = os.environ | marks.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}

    def passing_by() -> int:
        return subprocess.run([sys.executable, "-c", _PASSING_BY], env=environment, timeout=60).returncode

    assert (passing_by(), marks.lies(AFTER_WORK)) == (-signal.SIGKILL, False)
    assert passing_by() == 0


_PASSING_BY = """
import django
django.setup()
from datetime import UTC, datetime
from tests.promises import points
from customers import work
work._attempt = lambda queue, choose, now: queue.work(choose(), now)
points.die_where_marked()
queue = work.Queue("marked", "nowhere", "", lambda ids, now: len(ids))
work._attempt(queue, lambda: [1, 2], datetime.now(UTC))
"""


LONG = [promise("P1", 30), promise("P2", 5), promise("P3", 60), promise("P26", 40)]


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ("", ["P1", "P2", "P3", "P26"]),
        ("1/2", ["P2", "P3"]),
        ("2/2", ["P1", "P26"]),
        ("4/4", ["P2"]),
        ("5/5", []),
    ],
)
def test_a_part_is_dealt_its_promises_by_how_long_they_take(asked: str, keys: list[str]) -> None:
    assert [one.key for one in part_of(LONG, asked)] == keys


@pytest.mark.parametrize("asked", ["2", "0/2", "3/2", "a/b", "1/", "-1/2", "1/1"])
def test_what_is_no_part_or_too_long_a_one_is_refused(asked: str) -> None:
    with pytest.raises(UnknownPart):
        part_of(LONG, asked)


def test_every_promise_is_in_one_part_and_none_takes_too_long() -> None:
    dealt = parts(ALL, 9)
    assert sorted(one.key for part in dealt for one in part) == sorted(one.key for one in ALL)
    assert max(map(minutes_of, dealt)) <= MOST_MINUTES
