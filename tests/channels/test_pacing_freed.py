"""Who was held by a policy that holds no more goes as soon as it does."""

from datetime import timedelta
from uuid import UUID

import pytest

from channels import tasks
from channels.dispatch import dispatch_due
from channels.models import Message, PacingPolicy
from channels.pacing import freeing, policies
from tests.channels.pacing import at_most, quiet_hours
from tests.channels.world import NOW, World, state

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
MOMENT = timedelta(seconds=1)


def held_for_the_night(world: World, count: int = 1) -> tuple[PacingPolicy, list[UUID]]:
    night = quiet_hours(world.brand, "11:00", "20:00")
    ids = [world.queue(world.person(f"p{n}@example.com"), created_at=NOW + n * MOMENT) for n in range(count)]
    dispatch_due(world.connector.pk, NOW)
    assert {state(one) for one in ids} == {("held", "quiet_hours")}
    return night, ids


def test_who_was_held_by_a_policy_that_was_ended_goes_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In slices, each in the order in which they were written."""
    monkeypatch.setattr(freeing, "_SLICE", 2)
    night, ids = held_for_the_night(world, 5)
    assert policies.end(night.policy_id, NOW + HOUR)
    due = list(Message.objects.order_by("due_at").values_list("pk", "due_at"))
    assert {one for one, _at in due} == set(ids)
    assert all(at <= NOW + HOUR for _one, at in due)
    dispatch_due(world.connector.pk, NOW + HOUR)
    assert {state(one) for one in ids} == {("sent", "")}


def test_who_was_held_by_a_version_that_was_eased_is_asked_about_again(world: World) -> None:
    ana = world.person()
    cap = at_most(world.brand, 1)
    first, second = world.queue(ana), world.queue(ana, expires_at=NOW + timedelta(days=3))
    dispatch_due(world.connector.pk, NOW)
    assert sorted([state(first), state(second)]) == [("held", "capped"), ("sent", "")]
    cap.most = 2
    policies.change(cap, None, NOW + HOUR)
    dispatch_due(world.connector.pk, NOW + HOUR)
    assert {state(first), state(second)} == {("sent", "")}


def test_what_another_policy_holds_stays_held(world: World) -> None:
    _night, [message] = held_for_the_night(world)
    other = at_most(world.brand, 5)
    policies.end(other.policy_id, NOW + HOUR)
    assert Message.objects.get(pk=message).due_at > NOW + HOUR


def test_what_was_not_freed_at_once_is_by_the_sweep(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    night, [message] = held_for_the_night(world)
    with monkeypatch.context() as patch:
        patch.setattr(policies, "free", lambda versions, now: 0)
        policies.end(night.policy_id, NOW + HOUR)
    assert Message.objects.get(pk=message).due_at > NOW + HOUR
    monkeypatch.setattr(tasks, "utcnow", lambda: NOW + HOUR + MOMENT)
    tasks.sweep()
    assert Message.objects.get(pk=message).due_at <= NOW + HOUR + MOMENT
    assert freeing.free_lately_ended(NOW + 2 * HOUR, 1.0) == 0
