"""Fairness between those who send by one connector: nobody waits behind all that another has written before."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from channels.dispatch.claim import claim
from channels.models import Message
from customers.ids import new_id
from tests.channels.world import NOW, World

pytestmark = pytest.mark.django_db


def _many(world: World, scope_id: UUID, count: int, minutes_ago: int) -> None:
    person = world.person(f"{scope_id}@example.com")
    for _number in range(count):
        world.queue(person, scope_id=scope_id, due_at=NOW - timedelta(minutes=minutes_ago))


def _claimed(world: World, limit: int) -> Counter[UUID]:
    return Counter(message.scope_id for message in claim(world.connector.pk, NOW, limit).messages)


def test_each_journey_has_an_equal_share_of_a_batch(world: World) -> None:
    loud, quiet = new_id(), new_id()
    _many(world, loud, 30, minutes_ago=60)
    _many(world, quiet, 4, minutes_ago=1)
    assert _claimed(world, 10) == {loud: 6, quiet: 4}


def test_what_one_leaves_goes_to_what_has_waited_longest(world: World) -> None:
    first, second, third = new_id(), new_id(), new_id()
    _many(world, first, 20, minutes_ago=60)
    _many(world, second, 20, minutes_ago=30)
    _many(world, third, 1, minutes_ago=1)
    assert _claimed(world, 12) == {first: 7, second: 4, third: 1}


def test_whoever_has_nothing_due_takes_no_share(world: World) -> None:
    due, later = new_id(), new_id()
    _many(world, due, 10, minutes_ago=1)
    _many(world, later, 10, minutes_ago=-1)
    assert _claimed(world, 8) == {due: 8}
    assert Message.objects.filter(scope_id=later, state="queued").count() == 10


def test_of_more_journeys_than_a_batch_holds_none_is_left_out_for_long(world: World) -> None:
    scopes = [new_id() for _number in range(6)]
    for scope in scopes:
        _many(world, scope, 2, minutes_ago=1)
    seen: Counter[UUID] = Counter()
    for batch in range(4):
        claimed = _claimed(world, 3)
        # Later, fewer may be left than a batch holds.
        assert batch > 1 or max(claimed.values()) == 1
        seen += claimed
    assert seen == dict.fromkeys(scopes, 2)


def test_whose_worker_died_is_claimed_apart_whatever_waits_beside(world: World) -> None:
    others, suspects = new_id(), new_id()
    _many(world, others, 5, minutes_ago=60)
    _many(world, suspects, 2, minutes_ago=1)
    Message.objects.filter(scope_id=suspects).update(crashes=1)
    apart = claim(world.connector.pk, NOW, 1, suspects=True).messages
    assert [one.scope_id for one in apart] == [suspects]
    assert _claimed(world, 10) == {others: 5}
    assert Message.objects.filter(scope_id=suspects, state="queued").count() == 1
