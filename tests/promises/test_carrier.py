"""The lab's own providers: an oracle that is wrong would find no fault."""

import json
from argparse import Namespace
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest

from tests.channels.web_server import other_system
from tests.promises.carrier import DROP, FAULT, MOOD, WELL, Carrier, code_of


class Caller:
    """Somebody who sends by a provider that takes keys, or asks another system, and what that noted."""

    def __init__(self, port: int, record: Path) -> None:
        self._port, self._record = port, record

    def send(self, key: str, path: str = "/messages") -> int | None:
        """The answer's status; None where there was none."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("POST", path, json.dumps({"to": f"to-{key}"}), {"idempotency-key": key})
            return connection.getresponse().status
        except RemoteDisconnected:
            return None
        finally:
            connection.close()

    def be(self, mood: str) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        connection.request("POST", MOOD, mood)
        assert connection.getresponse().status == 204
        connection.close()

    def noted(self) -> list[tuple[str, str, str]]:
        lines = map(json.loads, self._record.read_text().splitlines())
        return [(one["key"], one["to"], one["does"]) for one in lines]


@pytest.fixture
def caller(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Caller]:
    shares: dict[str, Any] = {"drop": 0.0, "hang": 0.0, "fault": 0.0} | getattr(request, "param", {})
    options = Namespace(kind="keyed", record=tmp_path / "record", seed="7", delay=0.0, **shares)
    with other_system() as system:
        Carrier(system, options)
        yield Caller(system.port, options.record)


def test_another_system_says_the_same_of_the_same_matter_and_notes_each_question(tmp_path: Path) -> None:
    options = Namespace(kind="asked", record=tmp_path / "record", seed="7", delay=0.0, drop=0.0, hang=0.0, fault=0.0)
    question = json.dumps({"matter": "score", "unit": "12"})
    with other_system() as system:
        Carrier(system, options)
        said = []
        for _time in range(2):
            connection = HTTPConnection("127.0.0.1", system.port, timeout=10)
            connection.request("POST", "/matters", question, {"idempotency-key": "a"})
            said.append(json.loads(connection.getresponse().read()))
            connection.close()
    assert said == [{"code": code_of("score", "12")}] * 2
    assert Caller(system.port, options.record).noted() == [("a", question, WELL)] * 2


def test_what_comes_in_is_noted_by_its_key_and_address(caller: Caller) -> None:
    assert [caller.send("a"), caller.send("b"), caller.send("a")] == [200, 200, 200]
    assert caller.noted() == [("a", "to-a", WELL), ("b", "to-b", WELL), ("a", "to-a", WELL)]


@pytest.mark.parametrize("caller", [{"drop": 1.0}], indirect=True)
def test_what_is_not_answered_is_noted_all_the_same_and_answered_the_next_time(caller: Caller) -> None:
    assert [caller.send("a"), caller.send("a")] == [None, 200]
    assert caller.noted() == [("a", "to-a", DROP), ("a", "to-a", WELL)]


@pytest.mark.parametrize("caller", [{"fault": 0.3, "drop": 0.2}], indirect=True)
def test_about_as_many_are_in_trouble_as_was_asked_for(caller: Caller) -> None:
    for number in range(200):
        caller.send(str(number))
    does = [one for _key, _to, one in caller.noted()]
    assert does.count(FAULT) in range(40, 81)
    assert does.count(DROP) in range(22, 61)


def test_in_a_mood_all_are_treated_alike_until_it_passes(caller: Caller) -> None:
    caller.be(FAULT)
    assert [caller.send("a"), caller.send("b")] == [500, 500]
    caller.be("")
    assert caller.send("a") == 200
