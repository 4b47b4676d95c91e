"""Whatever a template asks of a worker, it gets half a second and 100 MB at most, and the worker goes on."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.channels.hostile import HOSTILE, PLAIN_WORDS

_RUN = "import django, runpy; django.setup(); runpy.run_module('tests.channels.hostile', run_name='__main__')"
_SECONDS = 0.5
_BYTES = 100 * 1024 * 1024
# These stay within their bounds all the same, and say what they have to.
_HARMLESS = {
    "comments that never end",
    "encoded again and again",
    "conditions without end",
    "much searched",
    "tags that never end",
}


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What one process tells of all of them, the harmless words last."""
    names = [*HOSTILE, PLAIN_WORDS]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", _RUN],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=True,
    )
    return {told["name"]: told for told in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_takes_half_a_second_and_100_mb_at_most(told: dict[str, Any], name: str) -> None:
    took = told[name]
    # By the process's own clock: what else the machine does is not the template's.
    assert took["seconds"] <= _SECONDS
    assert took["grown"] <= _BYTES
    assert (took["outcome"] == "rendered") == (name in _HARMLESS), took["outcome"]


def test_the_worker_is_there_for_the_next_message(told: dict[str, Any]) -> None:
    assert list(told)[-1] == PLAIN_WORDS
    assert told[PLAIN_WORDS]["outcome"] == "rendered"


def test_the_suite_is_large() -> None:
    assert len(HOSTILE) >= 50
