"""Two recipients found to be one person, before or after they were written to: one has it, and never nobody."""

import pytest

from channels.dispatch import dispatch_due
from channels.models import Message
from customers.models import Profile
from tests.channels.broadcasts.stage import MINUTE, bring_on, make_segment, messages, outcomes, put_in, started
from tests.channels.doubles import Recorder
from tests.channels.world import NOW, Person, World


def merge(one: Person, into: Person) -> None:
    Profile.objects.filter(pk=one.profile.pk).update(customer=into.customer)


def told(person: Person) -> tuple[str, str]:
    message = Message.objects.get(profile_id=person.profile.pk)
    return message.state, message.reason


def test_who_was_refused_as_another_does_not_keep_it_from_the_other(world: World) -> None:
    segment = make_segment(world)
    refused, other = world.person("a@example.com", granted=False), world.person("c@example.com")
    put_in(segment, [refused])
    put_in(segment, [other])
    broadcast = started(world, segment, per_minute=1)
    bring_on(broadcast)
    assert outcomes(broadcast) == {"no_consent": 1, "": 1}
    merge(refused, other)
    bring_on(broadcast, NOW + 5 * MINUTE)
    assert outcomes(broadcast) == {"no_consent": 1, "made": 1}
    assert messages(broadcast).total() == 1


@pytest.fixture
def recorded(world: World, recorder: type[Recorder]) -> World:
    world.connector.provider = recorder.key
    world.connector.save()
    return world


def test_merged_after_both_were_written_to_the_first_has_it(recorded: World) -> None:
    segment = make_segment(recorded)
    first, second = recorded.person("a@example.com"), recorded.person("c@example.com")
    put_in(segment, [first, second])
    bring_on(started(recorded, segment))
    merge(first, second)
    dispatch_due(recorded.connector.pk, NOW)
    assert [call.outgoing.to for call in Recorder.calls] == ["a@example.com"]
    assert (told(first), told(second)) == (("sent", ""), ("suppressed", "address_duplicate"))


@pytest.mark.parametrize("state", ["sent", "delivered", "opened", "clicked", "unknown"])
def test_merged_after_the_second_had_it_the_first_has_it_no_more(recorded: World, state: str) -> None:
    segment = make_segment(recorded)
    first, second = recorded.person("a@example.com"), recorded.person("c@example.com")
    put_in(segment, [first, second])
    bring_on(started(recorded, segment))
    Message.objects.filter(profile_id=second.profile.pk).update(state=state, settled_at=NOW)
    merge(first, second)
    dispatch_due(recorded.connector.pk, NOW)
    assert Recorder.calls == []
    assert told(first) == ("suppressed", "address_duplicate")


@pytest.mark.parametrize("state", ["held", "leased", "dispatching"])
def test_the_second_waits_for_what_becomes_of_the_first(recorded: World, state: str) -> None:
    segment = make_segment(recorded)
    first, second = recorded.person("a@example.com"), recorded.person("c@example.com")
    put_in(segment, [first, second])
    bring_on(started(recorded, segment))
    Message.objects.filter(profile_id=first.profile.pk).update(state=state, due_at=NOW + 10 * MINUTE)
    merge(first, second)
    dispatch_due(recorded.connector.pk, NOW)
    assert Recorder.calls == []
    assert told(second) == ("held", "address_duplicate")
    Message.objects.filter(profile_id=first.profile.pk).update(state="failed", reason="refused", settled_at=NOW)
    dispatch_due(recorded.connector.pk, NOW + 2 * MINUTE)
    assert [call.outgoing.to for call in Recorder.calls] == ["c@example.com"]


@pytest.mark.parametrize("state", ["failed", "suppressed", "cancelled", "expired"])
def test_merged_after_the_first_never_had_it_the_second_has_it(recorded: World, state: str) -> None:
    segment = make_segment(recorded)
    first, second = recorded.person("a@example.com"), recorded.person("c@example.com")
    put_in(segment, [first, second])
    bring_on(started(recorded, segment))
    Message.objects.filter(profile_id=first.profile.pk).update(state=state, reason="refused", settled_at=NOW)
    merge(first, second)
    dispatch_due(recorded.connector.pk, NOW)
    assert [call.outgoing.to for call in Recorder.calls] == ["c@example.com"]
