"""Leases: what a worker has in hand comes back when it dies, and is lost to it when it sleeps too long."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from pytest_django import Settings

from channels.care.mind import Mind
from channels.dispatch import dispatch_due, sweep
from channels.dispatch.claim import Claimed, claim, give_back
from channels.dispatch.compose import Texts, compose
from channels.dispatch.due import ticking
from channels.dispatch.send import Sender, announce
from channels.dispatch.sweep import Swept
from channels.models import Connector, Message
from tests.channels.doubles import Recorder, RecorderSession
from tests.channels.world import NOW, World, make_world, state

AFTER = NOW + timedelta(seconds=61)


@pytest.fixture
def recorded(db: None, recorder: type[Recorder]) -> World:
    return make_world("recorder")


def lease(world: World, now: datetime = NOW) -> Claimed:
    [message] = claim(world.connector.pk, now, 10).messages
    return message


def send(message: Claimed, now: datetime = NOW) -> None:
    assert message.address_id is not None
    outgoing = compose(message, Texts.load([message.template_version_id]), message.address_id, now)
    mind = Mind(Connector.objects.get(pk=message.connector_id), ticking(now))
    Sender(RecorderSession(), repeatable=False, clock=ticking(now), mind=mind).send(message, outgoing)


def crashes(message: UUID) -> int:
    return Message.objects.get(pk=message).crashes


def test_a_claim_fences_off_the_others(recorded: World) -> None:
    id_ = recorded.queue(recorded.person())
    message = lease(recorded)
    row = Message.objects.get(pk=id_)
    assert (row.state, row.lease_token) == ("leased", message.token)
    assert row.leased_until == NOW + timedelta(seconds=60)
    assert claim(recorded.connector.pk, NOW, 10).looked_at == 0


def test_a_dead_workers_message_comes_back_and_goes_out(recorded: World) -> None:
    id_ = recorded.queue(recorded.person())
    lease(recorded)
    assert sweep(NOW + timedelta(seconds=59)) == Swept(0, 0, 0)
    assert sweep(AFTER) == Swept(1, 0, 0)
    assert (state(id_), crashes(id_)) == (("queued", ""), 1)
    dispatch_due(recorded.connector.pk, AFTER)
    assert state(id_) == ("sent", "")
    assert len(Recorder.calls) == 1


def test_a_worker_whose_lease_was_taken_sends_nothing(recorded: World) -> None:
    id_ = recorded.queue(recorded.person())
    sleeper = lease(recorded)
    sweep(AFTER)
    dispatch_due(recorded.connector.pk, AFTER)
    send(sleeper)
    assert state(id_) == ("sent", "")
    assert len(Recorder.calls) == 1


def test_a_worker_that_slept_after_announcing_gives_up(recorded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = recorded.queue(recorded.person())

    def announce_and_sleep(message: Claimed, now: datetime, links: Sequence[str]) -> bool:
        begun = announce(message, now, links)
        assert state(id_) == ("dispatching", "")
        assert sweep(AFTER) == Swept(0, 1, 0)
        return begun

    monkeypatch.setattr("channels.dispatch.send.announce", announce_and_sleep)
    send(lease(recorded))
    assert state(id_) == ("unknown", "interrupted")
    assert Recorder.calls == []


def test_a_message_that_kills_its_workers_is_given_up_after_five(recorded: World) -> None:
    id_ = recorded.queue(recorded.person())
    now = NOW
    for crash in range(5):
        assert claim(recorded.connector.pk, now, 1, suspects=crash > 0).looked_at == 1
        now += timedelta(minutes=2)
        sweep(now)
    assert (state(id_), crashes(id_)) == (("failed", "crashed"), 5)
    assert Recorder.calls == []


def test_a_suspect_is_claimed_alone(recorded: World) -> None:
    suspect = recorded.queue(recorded.person("a@example.com"))
    lease(recorded)
    sweep(AFTER)
    others = {recorded.queue(recorded.person(f"{n}@example.com")) for n in range(3)}
    assert {message.id for message in claim(recorded.connector.pk, AFTER, 10).messages} == others
    assert [one.id for one in claim(recorded.connector.pk, AFTER, 1, suspects=True).messages] == [suspect]


def test_our_own_failure_before_the_call_is_tried_again(recorded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = recorded.queue(recorded.person())
    with monkeypatch.context() as broken:
        broken.setattr("channels.dispatch.send.permissions", lambda asks, now: 1 / 0)
        dispatch_due(recorded.connector.pk, NOW)
    row = Message.objects.get(pk=id_)
    assert (row.state, row.crashes, row.attempts, row.detail) == ("queued", 1, 0, "ZeroDivisionError")
    assert timedelta(seconds=2) <= row.due_at - NOW < timedelta(seconds=4)
    assert Recorder.calls == []


def test_our_own_failure_after_the_call_is_left_to_the_sweep(recorded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = recorded.queue(recorded.person())
    with monkeypatch.context() as broken:
        broken.setattr("channels.dispatch.send.settle", lambda *args: 1 / 0)
        dispatch_due(recorded.connector.pk, NOW)
    assert state(id_) == ("dispatching", "")
    assert sweep(AFTER) == Swept(0, 1, 0)
    assert state(id_) == ("unknown", "interrupted")
    assert len(Recorder.calls) == 1


def test_an_interrupted_call_is_repeated_where_the_key_is_known(
    db: None, recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world("repeatable-recorder")
    id_ = world.queue(world.person())
    with monkeypatch.context() as broken:
        broken.setattr("channels.dispatch.send.settle", lambda *args: 1 / 0)
        dispatch_due(world.connector.pk, NOW)
    assert sweep(AFTER) == Swept(1, 0, 0)
    dispatch_due(world.connector.pk, AFTER)
    assert state(id_) == ("sent", "")
    assert len({call.outgoing.key for call in recorder.calls}) == 1


def test_what_cannot_be_begun_in_half_a_lease_goes_back(recorded: World, settings: Settings) -> None:
    settings.LEASE_SECONDS = 0.2
    Recorder.seconds = 0.06
    ids = [recorded.queue(recorded.person(f"p{n}@example.com")) for n in range(6)]
    dispatch_due(recorded.connector.pk, NOW)
    states = [state(id_) for id_ in ids]
    assert 1 <= states.count(("sent", "")) <= 3
    assert states.count(("sent", "")) + states.count(("queued", "")) == 6
    assert not Message.objects.filter(crashes__gt=0).exists()


def test_time_that_is_up_ends_the_batch(recorded: World) -> None:
    Recorder.seconds = 0.1
    ids = [recorded.queue(recorded.person(f"p{n}@example.com")) for n in range(4)]
    began = time.monotonic()
    dispatch_due(recorded.connector.pk, NOW, seconds=0.05)
    assert time.monotonic() - began < 2
    assert [state(id_)[0] for id_ in ids].count("queued") >= 2


def test_only_its_own_lease_is_given_back(recorded: World) -> None:
    id_ = recorded.queue(recorded.person())
    old = lease(recorded)
    sweep(AFTER)
    [new] = claim(recorded.connector.pk, AFTER, 1, suspects=True).messages
    give_back([old], AFTER)
    assert state(id_) == ("leased", "")
    give_back([new], AFTER)
    assert state(id_) == ("queued", "")
