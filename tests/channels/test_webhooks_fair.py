"""Outgoing webhooks beside each other: who hangs, is slow or kills its workers takes nothing from the others."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError

from channels.models import WebhookDelivery, WebhookEndpoint
from channels.webhooks import claim, deliver, line
from channels.webhooks.body import body_of
from channels.webhooks.claim import Due
from channels.webhooks.deliver import deliver_due
from channels.webhooks.pace import PACES
from customers.clock import utcnow
from tests.channels import web_server
from tests.channels.listener import Stage, listening, make_endpoint
from tests.channels.web_server import OtherSystem, other_system

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(db: None, settings: Any) -> Iterator[Stage]:
    settings.WEBHOOK_DEADLINE_SECONDS = 1
    PACES.forget()
    with listening(settings) as one:
        yield one


@pytest.fixture
def other(settings: Any, stage: Stage) -> Iterator[OtherSystem]:
    with other_system() as system:
        settings.TRILHA_CALL_HOSTS.append(f"127.0.0.1:{system.port}")
        yield system


def comes_later(stage: Stage, endpoint: WebhookEndpoint, seconds: float) -> None:
    """What waits for it is due so much later."""
    WebhookDelivery.objects.filter(endpoint=endpoint).update(due_at=utcnow() + timedelta(seconds=seconds))


def test_while_one_hangs_beyond_the_round_others_are_told(stage: Stage, other: OtherSystem) -> None:
    stage.system.answers.append(web_server.hangs)
    other.answer(200)
    quick, _secret = make_endpoint(stage.brand, other.url, stage.clock.now)
    stage.accept(1)
    comes_later(stage, quick, 0.4)
    assert deliver_due(utcnow, seconds=0.2) is False
    assert WebhookDelivery.objects.get(endpoint=quick).state == "delivered"
    assert WebhookDelivery.objects.get(endpoint=stage.endpoint).state == "waiting"


def test_when_only_calls_in_hand_are_left_another_thread_may_begin(stage: Stage, other: OtherSystem) -> None:
    stage.system.answers.append(web_server.hangs)
    held: dict[str, bool] = {}

    def looks(handler: Any) -> None:
        held["first"] = deliver._one_at_a_time.locked()
        time.sleep(0.7)
        held["later"] = deliver._one_at_a_time.locked()
        handler.close_connection = True

    other.answers.append(looks)
    late, _secret = make_endpoint(stage.brand, other.url, stage.clock.now)
    stage.accept(1)
    comes_later(stage, late, 0.7)
    deliver_due(utcnow, seconds=0.1)
    assert held == {"first": True, "later": False}
    assert not deliver._one_at_a_time.locked()


def widths(stage: Stage, due: list[Due], monkeypatch: pytest.MonkeyPatch) -> dict[UUID, int]:
    """How many threads each gets, if all of them ask at once."""
    work, got = deliver._Round(utcnow, None, time.monotonic() + 5), {}  # type: ignore[arg-type]  # nothing is called

    def opens(_self: Any, one: Due, most: int) -> None:
        got[one.id] = min(most, one.at_once)
        taken = list(range(got[one.id]))
        work.lines[one.id] = line.Line(one, None, (), None, utcnow, 0, taken)  # type: ignore[arg-type]

    monkeypatch.setattr(deliver._Round, "_open", opens)
    monkeypatch.setattr(deliver, "due_endpoints", lambda _now: due)
    work.look()
    return got


def test_no_partner_takes_more_than_half_of_the_threads(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    greedy, modest = uuid4(), uuid4()
    due = [Due(uuid4(), 8, False, stage.brand.pk, greedy) for _n in range(20)]
    own = [Due(uuid4(), 8, False, stage.brand.pk, modest) for _n in range(4)]
    got = widths(stage, due + own, monkeypatch)
    assert sum(got.get(one.id, 0) for one in due) == 32
    assert sum(got.get(one.id, 0) for one in own) == 32


def test_who_is_slow_shares_a_quarter_with_who_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = [Due(uuid4(), 8, False, stage.brand.pk, uuid4()) for _n in range(10)]
    quick = [Due(uuid4(), 8, False, stage.brand.pk, uuid4()) for _n in range(2)]
    for one in slow:
        for _call in range(4):
            PACES.note(one.id, 2_500)
    for one in quick:
        for took in (20, 9_000, 30, 40):
            PACES.note(one.id, took)
    got = widths(stage, slow + quick, monkeypatch)
    assert sum(got.get(one.id, 0) for one in slow) == 16
    assert [got[one.id] for one in quick] == [8, 8]


def test_deaths_of_workers_fail_only_what_kills_them(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    stage.system.answer(200)
    stage.accept(*range(12))
    guilty = stage.deliveries()[5].event_id

    def kills(telling: Any) -> bytes:
        if telling.id == guilty:
            raise Killed
        return body_of(telling)

    monkeypatch.setattr(line, "body_of", kills)
    # A worker that is dead gives nothing back and settles nothing.
    monkeypatch.setattr(deliver._Round, "end", lambda _self: None)
    for _death in range(60):
        try:
            stage.deliver()
        except Killed:
            stage.clock.on(seconds=80)
    assert {one.state for one in stage.deliveries() if one.event_id != guilty} == {"delivered"}
    failed = WebhookDelivery.objects.get(event_id=guilty)
    assert (failed.state, failed.reason, failed.crashes) == ("failed", "crashed", 6)


def test_deaths_during_calls_count_against_nothing(stage: Stage) -> None:
    stage.system.answer(200)
    stage.accept(1)
    for _death in range(20):
        token, [id_], _all = claim.claim(stage.endpoint.pk, stage.clock.now, 10)
        [claimed] = claim.load([id_], token)
        claim.begun(claimed)
        stage.clock.on(seconds=80)
    stage.deliver()
    assert stage.state()[0] == "delivered"


def test_what_a_dead_worker_held_is_claimed_one_by_one(stage: Stage) -> None:
    stage.accept(1, 2, 3)
    claim.claim(stage.endpoint.pk, stage.clock.now, 2)
    stage.clock.on(seconds=80)
    sizes = []
    is_all = False
    while not is_all:
        _token, ids, is_all = claim.claim(stage.endpoint.pk, stage.clock.now, 10)
        sizes.append(len(ids))
    assert sorted(sizes) == [0, 1, 1, 1] or sorted(sizes) == [1, 1, 1]


def test_when_the_database_cannot_be_read_nothing_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.system.answer(200)
    stage.accept(1, 2)

    def fails(_telling: Any) -> bytes:
        raise OperationalError("the server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(line, "body_of", fails)
        stage.deliver()
    assert {(one.state, one.tries, one.lease_token) for one in stage.deliveries()} == {("waiting", 0, None)}
    stage.clock.on(seconds=6)
    stage.deliver()
    assert {one.state for one in stage.deliveries()} == {"delivered"}


def test_an_event_that_cannot_be_read_is_given_up_after_tries(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.system.answer(200)
    stage.accept(1)

    def fails(_telling: Any) -> bytes:
        raise KeyError("shape")

    with monkeypatch.context() as patch:
        patch.setattr(line, "body_of", fails)
        stage.deliver()
        assert stage.state() == ("waiting", "unreadable", 1, 0)
        for _try in range(9):
            stage.clock.on(hours=27)
            stage.deliver()
        assert stage.state() == ("failed", "unreadable", 10, 0)
    assert stage.system.received == []
