"""Live traffic: messages the door can take, told when they are due."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from config.demo.brands import BRANDS
from config.demo.company import found
from config.demo.replay import Replay
from config.demo.traffic import Sender, Street, run
from customers import keys
from customers.accept import schemas
from customers.models import InboxItem, QuarantinedEvent

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SOURCES = [f"{plan.key}/{source}" for plan in BRANDS for source in ("shop", "app", "stores", "crm")]


def make_street() -> Street:
    return Street(people=50, seed=1, mark="abc", random=Random(1))


class Enough(Exception):
    """The test has seen what it came for."""


def test_the_door_takes_all_of_it(transactional_db: None) -> None:
    replay = Replay(found(NOW).source_ids)
    street = make_street()
    for _person in range(60):
        for told in street.next(NOW):
            replay.take(told.brand, told.source, [told.message | {"timestamp": NOW.isoformat()}], NOW)
    keys.forget()
    schemas.forget()
    assert list(QuarantinedEvent.objects.values_list("code", "pointer")) == []
    assert replay.accepted == InboxItem.objects.count() > 100


def test_people_act_now_and_later_as_they_will() -> None:
    street = make_street()
    told = [one for _person in range(200) for one in street.next(NOW)]
    assert any(one.at == NOW for one in told)
    assert any(one.at > NOW for one in told)
    assert all(one.at >= NOW for one in told)


def test_what_is_not_due_yet_is_kept_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[datetime, str]] = []
    clock = iter(NOW + timedelta(minutes=minute) for minute in range(0, 400, 2))

    def post(self: Sender, sender: str, body: dict[str, object]) -> None:
        json.dumps(body)
        assert sender in SOURCES
        batch = body["batch"]
        assert isinstance(batch, list)
        sent.extend((datetime.fromisoformat(message["timestamp"]), message["messageId"]) for message in batch)

    def rest(seconds: float) -> None:
        assert 0 < seconds < 10
        if len(sent) > 300:
            raise Enough

    monkeypatch.setattr(Sender, "_post", post)
    with pytest.raises(Enough):
        run(make_street(), Sender("http://127.0.0.1:9", {}), lambda: next(clock), rest)
    assert [at for at, _id in sent] == sorted(at for at, _id in sent)
    assert len({id_ for _at, id_ in sent}) == len(sent)


def test_a_server_that_is_away_stops_nobody() -> None:
    rested = []

    def rest(seconds: float) -> None:
        rested.append(seconds)
        if len(rested) == 3:
            raise Enough

    keys_of_all = dict.fromkeys(SOURCES, "live_x")
    with pytest.raises(Enough):
        run(make_street(), Sender("http://127.0.0.1:9", keys_of_all), lambda: NOW, rest)
