"""Pause and stop hold at once, against a provider that answers in 20 ms; what rested goes on where it was."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections

from channels import stops
from channels.broadcasts import halt, make, turn
from channels.broadcasts.states import By, NotPossible
from channels.dispatch import dispatch_due
from channels.models import Broadcast, BroadcastMove, Campaign, CampaignMember, Message, RecentSend, SendStop
from customers.clock import utcnow
from tests.channels.broadcasts.stage import (
    MINUTE,
    bring_on,
    crowd,
    draft,
    fresh,
    make_segment,
    messages,
    outcomes,
    put_in,
    started,
)
from tests.channels.doubles import Recorder
from tests.channels.world import NOW, World, state

_ANSWER_SECONDS = 0.02
_HELD_WITHIN_SECONDS = 0.1


@pytest.fixture
def recorded(world: World, recorder: type[Recorder]) -> World:
    world.connector.provider = recorder.key
    world.connector.save()
    return world


@contextmanager
def at_work(world: World, workers: int = 2) -> Iterator[list["Future[None]"]]:
    """Workers that send and write for as long as the block lasts."""
    over = list[bool]()

    def work() -> None:
        try:
            while not over:
                turn.work(utcnow, 0.2)
                dispatch_due(world.connector.pk, utcnow(), limit=10)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work) for _worker in range(workers)]
        try:
            yield futures
        finally:
            over.append(True)
    for future in futures:
        future.result()


def under_way(world: World, people: int = 60) -> Broadcast:
    segment = make_segment(world)
    put_in(segment, crowd(world, people), at=NOW)
    return started(world, segment, utcnow())


def _await_calls(number: int) -> None:
    until = time.monotonic() + 20
    while len(Recorder.calls) < number:
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", [halt.pause, halt.stop])
def test_no_call_begins_once_it_was_answered(recorded: World, verb: object) -> None:
    Recorder.seconds = _ANSWER_SECONDS
    broadcast = under_way(recorded)
    with at_work(recorded):
        _await_calls(8)
        began = time.monotonic()
        verb(broadcast, By(), utcnow())  # type: ignore[operator]  # one of the two
        answered = time.monotonic()
        time.sleep(0.4)
    assert [one for one in Recorder.calls if one.began > answered] == []
    assert 8 <= len(Recorder.calls) < 60
    assert answered - began < 5 * _HELD_WITHIN_SECONDS


@pytest.mark.django_db(transaction=True)
def test_after_pause_and_resume_everybody_has_one(recorded: World) -> None:
    Recorder.seconds = 0.005
    broadcast = under_way(recorded, 40)
    with at_work(recorded):
        _await_calls(5)
        halt.pause(broadcast, By(), utcnow())
        time.sleep(0.2)
        halt.resume(broadcast, By(), utcnow())
        until = time.monotonic() + 30
        while fresh(broadcast).state != "done" and time.monotonic() < until:
            time.sleep(0.05)
    assert fresh(broadcast).state == "done"
    to = sorted(call.outgoing.to for call in Recorder.calls)
    assert to == sorted(f"person-{n}@example.com" for n in range(40))


def test_a_paused_one_writes_to_nobody_and_goes_on_where_it_was(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 4))
    broadcast = started(world, segment, per_minute=60)
    bring_on(broadcast)
    made = messages(broadcast).total()
    halt.pause(broadcast, By(), NOW)
    bring_on(broadcast, NOW + MINUTE)
    assert make.make(fresh(broadcast), NOW + MINUTE, is_pilot=False) == 0
    assert messages(broadcast).total() == made
    assert dispatch_due(world.connector.pk, NOW + MINUTE) == made
    assert messages(broadcast) == {"held": made}
    halt.resume(broadcast, By(), NOW + 2 * MINUTE)
    due = list(Message.objects.filter(scope_id=broadcast.pk).order_by("id").values_list("due_at", flat=True))
    # As far apart as the throttle has it.
    assert due == [NOW + 2 * MINUTE + timedelta(seconds=n) for n in range(made)]
    for second in range(4):
        bring_on(broadcast, NOW + 3 * MINUTE + timedelta(seconds=second))
    assert outcomes(broadcast) == {"made": 4}
    assert not SendStop.objects.filter(released_at=None).exists()


def test_who_paused_resumed_and_stopped_it_is_kept(world: World) -> None:
    broadcast = started(world, make_segment(world), when="now")
    put_in(broadcast.segment, crowd(world, 1))
    bring_on(broadcast)
    rita = By(user=User.objects.create(username="rita"))
    halt.pause(broadcast, rita, NOW, "a wrong price")
    halt.resume(broadcast, rita, NOW + MINUTE)
    halt.stop(broadcast, rita, NOW + 2 * MINUTE, "the price again")
    kept = BroadcastMove.objects.filter(by_id=rita.user_id).values_list("state_from", "state_to", "reason")
    assert list(kept) == [
        ("sending", "paused", "a wrong price"),
        ("paused", "sending", ""),
        ("sending", "stopped", "the price again"),
    ]
    standing = SendStop.objects.get(released_at=None)
    assert (standing.scope_id, standing.stopped_by_id) == (broadcast.pk, rita.user_id)


def test_the_stop_of_a_paused_one_stands_for_good(world: World) -> None:
    broadcast = started(world, make_segment(world))
    put_in(broadcast.segment, crowd(world, 2))
    bring_on(broadcast)
    halt.pause(broadcast, By(), NOW)
    halt.stop(broadcast, By(), NOW)
    assert SendStop.objects.get(released_at=None).reason == "stopped"
    with pytest.raises(NotPossible):
        halt.resume(broadcast, By(), NOW)
    assert bring_on(broadcast) == "stopped"
    assert messages(broadcast) == {"cancelled": 2}
    assert fresh(broadcast).is_cleared


@pytest.mark.parametrize("verb", [halt.pause, halt.resume, halt.stop])
def test_a_draft_is_neither_paused_nor_resumed_nor_stopped(world: World, verb: object) -> None:
    broadcast = draft(world, make_segment(world))
    with pytest.raises(NotPossible):
        verb(broadcast, By(), NOW)  # type: ignore[operator]  # one of the three
    assert fresh(broadcast).state == "draft"
    assert not SendStop.objects.exists()


def test_a_stop_by_somebody_else_is_not_lifted_by_resuming(world: World) -> None:
    broadcast = started(world, make_segment(world))
    put_in(broadcast.segment, crowd(world, 1))
    bring_on(broadcast)
    stops.stop(broadcast.pk, None, "the desk says no", NOW)
    halt.pause(broadcast, By(), NOW)
    halt.resume(broadcast, By(), NOW)
    assert SendStop.objects.get(released_at=None).reason == "the desk says no"
    assert make.make(fresh(broadcast), NOW, is_pilot=False) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("calls", [1, 5, 15])
def test_what_workers_were_still_writing_as_it_was_stopped_is_taken_back(recorded: World, calls: int) -> None:
    Recorder.seconds = _ANSWER_SECONDS
    broadcast = under_way(recorded)
    with at_work(recorded):
        _await_calls(calls)
        halt.stop(broadcast, By(), utcnow())
        until = time.monotonic() + 20
        while not fresh(broadcast).is_cleared and time.monotonic() < until:
            time.sleep(0.05)
    assert fresh(broadcast).is_cleared
    assert messages(broadcast).keys() <= {"sent", "cancelled"}
    assert messages(broadcast)["sent"] == len(Recorder.calls)
    assert outcomes(broadcast).total() == 60
    assert outcomes(broadcast)[""] == 0


@pytest.mark.parametrize(
    ("provider", "told"), [("file", ("unknown", "interrupted")), ("recorder-certain", ("cancelled", "stopped"))]
)
def test_what_the_provider_may_have_is_not_told_as_taken_back(
    world: World, provider: str, told: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halt, "is_certain", lambda key: key == "recorder-certain")
    segment = make_segment(world)
    put_in(segment, crowd(world, 2))
    broadcast = started(world, segment)
    bring_on(broadcast)
    tried, fresh_one = Message.objects.filter(scope_id=broadcast.pk).order_by("id")
    RecentSend.objects.create(
        address_id=str(tried.address_id), copy_key=tried.copy_key, sent_at=NOW, message_id=tried.pk
    )
    type(world.connector).objects.filter(pk=world.connector.pk).update(provider=provider)
    halt.stop(broadcast, By(), NOW)
    assert bring_on(broadcast) == "stopped"
    assert state(tried.pk) == told
    assert state(fresh_one.pk) == ("cancelled", "stopped")
    assert fresh(broadcast).is_cleared


@pytest.mark.parametrize("whose", ["broadcast", "connector", "brand", "campaign"])
def test_under_whichever_stop_nothing_more_is_written(world: World, whose: str) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 4))
    broadcast = started(world, segment)
    campaign = Campaign.objects.create(brand=world.brand, key="spring", name="Spring")
    CampaignMember.objects.create(scope_id=broadcast.pk, campaign=campaign, added_at=NOW)
    scopes = {"broadcast": broadcast.pk, "connector": world.connector.pk, "brand": world.brand.pk}
    scope = (scopes | {"campaign": campaign.pk})[whose]
    stops.stop(scope, None, "x", NOW)
    assert bring_on(broadcast) == "sending"
    assert (messages(broadcast).total(), outcomes(broadcast)) == (0, {"": 4})
    stops.release(scope, NOW + MINUTE)
    assert bring_on(broadcast, NOW + MINUTE) == "sending"
    assert messages(broadcast) == {"queued": 4}


@pytest.mark.parametrize(
    ("held", "reason", "more"), [("held", "connector_off", 0), ("queued", "", 0), ("held", "quiet_hours", 5)]
)
def test_what_rests_in_the_outbox_leaves_no_room_but_for_hours_of_their_own(
    world: World, held: str, reason: str, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make, "STOCK", 5)
    segment = make_segment(world)
    put_in(segment, crowd(world, 12))
    broadcast = started(world, segment)
    bring_on(broadcast)
    assert messages(broadcast).total() == 5
    Message.objects.filter(scope_id=broadcast.pk).update(state=held, reason=reason, due_at=NOW + 10 * MINUTE)
    bring_on(broadcast)
    assert messages(broadcast).total() == 5 + more
