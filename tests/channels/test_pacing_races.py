"""Caps while several workers write to the same people at once, and the same against a build that only counts."""

import secrets
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import Q

from channels.dispatch import dispatch_due
from channels.models import Message
from channels.pacing import reading
from tests.channels.doubles import Recorder
from tests.channels.pacing import at_most
from tests.channels.test_dispatch_races import together
from tests.channels.world import NOW, World, make_world

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE, ADDRESSES, MOST = 6, 5, 2
_UNDECIDED = Q(state="held", reason="busy") | Q(state="held", reason="capped", due_at__lt=NOW + timedelta(hours=1))


@pytest.fixture
def recorded(recorder: type[Recorder]) -> World:
    recorder.seconds = 0.02
    return make_world("recorder")


def write_to_everybody(world: World) -> dict[str, int]:
    """Each by several addresses, so that no lock on an address keeps one from the other; whose address is whose. A
    batch has one message for each person, so that workers come to the same person at the same time."""
    whose: dict[str, int] = {}
    firsts = [world.person(f"p{number}-0@example.com") for number in range(PEOPLE)]
    for n in range(ADDRESSES):
        for number, first in enumerate(firsts):
            one = first if n == 0 else world.person(f"p{number}-{n}@example.com")
            one.profile.customer = first.customer
            one.profile.save()
            world.queue(one, due_at=NOW - timedelta(seconds=ADDRESSES - n), expires_at=NOW + timedelta(days=3))
            whose[f"p{number}-{n}@example.com"] = number
    return whose


def most_that_one_got(world: World, whose: dict[str, int]) -> int:
    at = NOW
    for _turn in range(20):
        together(*[lambda at=at: dispatch_due(world.connector.pk, at, limit=PEOPLE)] * 4)
        at += timedelta(seconds=6)
        left = Message.objects.filter(Q(state__in=("queued", "leased", "dispatching")) | _UNDECIDED)
        if not left.exists():
            break
    got = Counter(whose[call.outgoing.to] for call in Recorder.calls)
    return max(got.values())


def test_nobody_gets_more_than_the_cap_from_four_workers_at_once(recorded: World) -> None:
    at_most(recorded.brand, MOST)
    whose = write_to_everybody(recorded)
    assert most_that_one_got(recorded, whose) == MOST
    assert Message.objects.filter(state="sent").count() == PEOPLE * MOST
    held = Message.objects.filter(state="held", reason="capped")
    assert held.count() == PEOPLE * (ADDRESSES - MOST)


def test_without_the_lock_somebody_does(recorded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = reading._HISTORY.replace("m.settled_at IS NULL", "m.settled_at IS NULL AND false")
    monkeypatch.setattr("channels.pacing.reading._HISTORY", alone)
    monkeypatch.setattr("channels.pacing.sending.lock_key", lambda customer_id: secrets.randbits(62))
    monkeypatch.setattr("channels.guards.ask", lambda ask: time.sleep(0.05))
    at_most(recorded.brand, MOST)
    assert most_that_one_got(recorded, write_to_everybody(recorded)) > MOST
