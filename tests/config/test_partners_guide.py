"""The partners' guide is true: its commands, run as they stand against a server, get the answers it prints."""

import json
import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consent.models import Purpose
from customers.clock import utcnow
from tests.customers.partner_api import issue
from tests.journeys.stage import make_stage, welcome

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "partners.md").read_text()
# A command, the answer printed for it, and the words after it.
EXAMPLES = re.findall(r"```sh\n(curl.*?)```\n\n```json\n(.*?)```\n(.*?)(?=```|\Z)", GUIDE, re.DOTALL)
NAMED = re.compile(r"`\$(\w+)` is the `([\w.]+)`")


def test_the_guide_has_an_example_of_everything() -> None:
    assert len(EXAMPLES) == len(re.findall(r"^curl", GUIDE, re.MULTILINE)) == 24


@pytest.mark.django_db(transaction=True)
def test_every_example_gets_the_answer_it_prints(live_server: Any) -> None:
    stage = make_stage()
    Purpose.objects.create(brand=stage.brand, key="tips", name="Tips", kind=Purpose.Kind.SERVICE)
    stage.publish(welcome(entry={"event": "customer.signed_up", "api": True}))
    now = utcnow()
    token = issue(stage.source, now=now, expires_at=now + timedelta(hours=1))[1]
    variables = {"TRILHA": live_server.url, "TOKEN": token, "PATH": os.environ["PATH"]}
    for command, printed, words in EXAMPLES:
        answer = run(command, variables)
        assert_like(json.loads(printed), answer, command)
        for name, path in NAMED.findall(words):
            variables[name] = str(at(answer, path))
        # What the workers do meanwhile.
        stage.now = utcnow()
        stage.run()
    assert {"CUSTOMER", "JOURNEY", "RUN"} <= variables.keys()


def run(command: str, variables: dict[str, str]) -> Any:
    done = subprocess.run(["bash", "-c", command], env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def at(answer: Any, path: str) -> Any:
    for step in path.split("."):
        answer = answer[int(step)] if isinstance(answer, list) else answer[step]
    return answer


def assert_like(printed: Any, answer: Any, where: str) -> None:
    """The same, where `…` stands for anything but nothing."""
    if printed == "…":
        assert answer not in (None, ""), where
    elif isinstance(printed, dict):
        assert isinstance(answer, dict), where
        assert printed.keys() == answer.keys(), where
        for key, value in printed.items():
            assert_like(value, answer[key], f"{where} {key}")
    elif isinstance(printed, list):
        assert len(printed) == len(answer), where
        for number, (one, other) in enumerate(zip(printed, answer, strict=True)):
            assert_like(one, other, f"{where} {number}")
    else:
        assert printed == answer, where
