"""A broadcast from its draft to its end: everybody in the segment is written to once, and the numbers add up."""

from datetime import timedelta

import pytest

from channels.broadcasts import halt, start
from channels.broadcasts.make import copy_key
from channels.broadcasts.states import By, NotPossible
from channels.broadcasts.tally import messages_by_state, numbers
from channels.dispatch import dispatch_due
from channels.models import BroadcastMove, BroadcastRecipient, Message, Reason, TemplateVersion
from consent.models import PrivacyRequest, Restriction, Suppression
from customers.models import AddressProfile, Profile
from customers.segments import define
from tests.channels.broadcasts.stage import (
    DAY,
    HOUR,
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
    take_out,
)
from tests.channels.doubles import Recorder
from tests.channels.world import NOW, World
from tests.consent import people as cast


def test_everybody_in_the_segment_is_written_to_once(world: World) -> None:
    segment = make_segment(world)
    people = crowd(world, 5)
    put_in(segment, people)
    broadcast = started(world, segment)
    assert bring_on(broadcast) == "sending"
    assert outcomes(broadcast) == {"made": 5}
    assert messages(broadcast) == {"queued": 5}
    dispatch_due(world.connector.pk, NOW)
    assert bring_on(broadcast, NOW + MINUTE) == "done"
    assert messages(broadcast) == {"sent": 5}
    sent = Message.objects.filter(scope_id=broadcast.pk)
    assert set(sent.values_list("address_id", flat=True)) == {one.address.pk for one in people}


def test_an_address_that_two_people_have_gets_it_once_though_the_rest_goes_weeks_after_the_pilot(
    world: World, recorder: type[Recorder]
) -> None:
    world.connector.provider = recorder.key
    world.connector.save()
    segment, [ana, bia] = make_segment(world), crowd(world, 2)
    put_in(segment, [ana, bia])
    broadcast = started(world, segment, not_later_than=20 * DAY)
    bring_on(broadcast)
    first, second = Message.objects.filter(scope_id=broadcast.pk).order_by("id")
    late = NOW + 15 * DAY
    Message.objects.filter(pk=second.pk).update(address_id=first.address_id, profile_id=first.profile_id, due_at=late)
    dispatch_due(world.connector.pk, NOW)
    dispatch_due(world.connector.pk, late)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, second.reason) == ("sent", "suppressed", "address_duplicate")
    assert second.decision == {"other_message": str(first.pk)}
    assert [call.outgoing.message_id for call in Recorder.calls] == [first.pk]


def test_a_message_says_what_it_was_made_of(world: World) -> None:
    segment = make_segment(world)
    [person] = crowd(world, 1)
    put_in(segment, [person])
    broadcast = started(world, segment, priority=70, not_later_than=timedelta(hours=3))
    bring_on(broadcast)
    message, recipient = Message.objects.get(scope_id=broadcast.pk), BroadcastRecipient.objects.get()
    assert (message.origin_kind, message.origin_id, message.visit) == ("broadcast", str(recipient.pk), 0)
    assert (message.copy_key, message.priority) == (copy_key(broadcast.pk), 70)
    assert (message.due_at, message.expires_at) == (NOW, NOW + timedelta(hours=3))
    assert (message.template_version_id, message.purpose_id) == (world.version.pk, world.purpose.pk)
    assert message.entry_consent_id == recipient.consent_entry_id is not None
    assert message.addresses_known == 1


def test_it_keeps_the_words_it_was_started_with(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 1))
    broadcast = started(world, segment)
    TemplateVersion.objects.create(template=world.version.template, number=2)
    bring_on(broadcast)
    assert Message.objects.get(scope_id=broadcast.pk).template_version_id == world.version.pk


def test_who_may_not_be_written_to_is_a_recipient_with_the_reason(world: World) -> None:
    segment = make_segment(world)
    yes = world.person("yes@example.com")
    no = world.person("no@example.com", granted=False)
    gone = world.person("gone@example.com")
    world.tell(gone, "withdrawn", NOW - HOUR)
    barred = world.person("barred@example.com")
    Suppression.objects.create(address=barred.address, reason="bounce", created_at=NOW - HOUR)
    nowhere = world.person("nowhere@example.com")
    AddressProfile.objects.filter(profile=nowhere.profile).delete()
    put_in(segment, [yes, no, gone, barred, nowhere])
    broadcast = started(world, segment)
    bring_on(broadcast)
    assert outcomes(broadcast) == {"made": 1, "no_consent": 1, "withdrawn": 1, "suppressed": 1, "no_address": 1}
    assert messages(broadcast) == {"queued": 1}
    refused = BroadcastRecipient.objects.get(outcome="withdrawn")
    assert (refused.profile_id, refused.settled_at) == (gone.profile.pk, NOW)
    assert refused.consent_entry_id is not None


def test_who_had_processing_restricted_is_left_alone(world: World) -> None:
    segment = make_segment(world)
    person = world.person()
    request = PrivacyRequest.objects.create(
        brand=world.brand, kind="restrict", law="gdpr", channel="email", opened_at=NOW - DAY, due_on=NOW.date()
    )
    Restriction.objects.create(request=request, profile_id=person.profile.pk, since=NOW - DAY)
    put_in(segment, [person])
    broadcast = started(world, segment)
    bring_on(broadcast)
    assert outcomes(broadcast) == {"restricted": 1}
    assert messages(broadcast) == {}


def test_numbers_add_up(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, [*crowd(world, 3), world.person("no@example.com", granted=False)])
    broadcast = started(world, segment)
    bring_on(broadcast)
    found = numbers(broadcast.pk)
    assert (found.recipients, found.waiting, found.made, found.refused) == (4, 0, 3, {"no_consent": 1})
    assert found.recipients == found.waiting + found.made + sum(found.refused.values())
    assert found.settled == dict(outcomes(broadcast))
    assert messages_by_state(broadcast.pk) == {"queued": 3}


def test_one_customer_with_two_memberships_gets_one(world: World) -> None:
    segment = make_segment(world)
    ana, bia = world.person("ana@example.com"), world.person("bia@example.com")
    put_in(segment, [ana, bia])
    broadcast = started(world, segment)
    Profile.objects.filter(pk=bia.profile.pk).update(customer=ana.customer)
    bring_on(broadcast)
    assert outcomes(broadcast) == {"made": 1, "twice": 1}
    assert messages(broadcast) == {"queued": 1}


def test_whoever_was_written_to_before_a_merge_is_not_written_to_as_the_other(world: World) -> None:
    segment = make_segment(world)
    ana, bia = world.person("ana@example.com"), world.person("bia@example.com")
    put_in(segment, [ana, bia])
    broadcast = started(world, segment, per_minute=1)
    bring_on(broadcast)
    made = BroadcastRecipient.objects.get(outcome="made")
    first, other = (ana, bia) if made.profile_id == ana.profile.pk else (bia, ana)
    Profile.objects.filter(pk=other.profile.pk).update(customer=first.customer)
    bring_on(broadcast, NOW + MINUTE)
    assert outcomes(broadcast) == {"made": 1, "twice": 1}


def test_two_people_of_one_mailbox_get_one_copy(world: World) -> None:
    segment = make_segment(world)
    ana, bia = world.person("home@example.com"), world.person("bia@example.com")
    AddressProfile.objects.filter(profile=bia.profile).delete()
    cast.seen(bia.profile, ana.address)
    cast.tell(ana.address, bia.profile, world.purpose, "given", NOW - DAY)
    put_in(segment, [ana, bia])
    broadcast = started(world, segment)
    bring_on(broadcast)
    assert messages(broadcast) == {"queued": 2}
    dispatch_due(world.connector.pk, NOW)
    reasons = sorted(Message.objects.filter(scope_id=broadcast.pk).values_list("state", "reason"))
    assert reasons == [("sent", ""), ("suppressed", "address_duplicate")]


def test_somebody_erased_meanwhile_is_a_recipient_and_no_more(world: World) -> None:
    segment = make_segment(world)
    person = world.person()
    put_in(segment, [person])
    broadcast = started(world, segment, per_minute=1)
    bring_on(broadcast, NOW, times=2)
    Profile.objects.filter(pk=person.profile.pk).delete()
    bring_on(broadcast)
    assert outcomes(broadcast) == {"erased": 1}
    assert messages(broadcast) == {}


def test_who_left_the_segment_gets_it_unless_it_is_for_members_alone(world: World) -> None:
    segment = make_segment(world)
    [stays, leaves] = crowd(world, 2)
    put_in(segment, [stays, leaves])
    everybody = started(world, segment, key="everybody", per_minute=1)
    members = started(world, segment, key="members", only_members=True, per_minute=1)
    for one in (everybody, members):
        bring_on(one, NOW, times=2)
    take_out(segment, leaves, NOW + MINUTE)
    for minute in (2, 3, 4):
        for one in (everybody, members):
            bring_on(one, NOW + minute * MINUTE)
    assert outcomes(everybody) == {"made": 2}
    assert outcomes(members) == {"made": 1, "left_segment": 1}


def test_who_leaves_the_segment_before_it_goes_does_not_get_what_is_for_members(world: World) -> None:
    segment = make_segment(world)
    person = world.person()
    put_in(segment, [person])
    broadcast = started(world, segment, only_members=True)
    bring_on(broadcast)
    take_out(segment, person, NOW)
    dispatch_due(world.connector.pk, NOW)
    message = Message.objects.get(scope_id=broadcast.pk)
    assert (message.state, message.reason) == ("cancelled", Reason.LEFT_SEGMENT)
    assert (message.decision or {})["segment"] == str(segment.pk)


def test_what_could_not_go_in_time_is_told_as_late(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 3))
    broadcast = started(world, segment, per_minute=1, not_later_than=90 * timedelta(seconds=1))
    bring_on(broadcast)
    bring_on(broadcast, NOW + MINUTE)
    bring_on(broadcast, NOW + 2 * MINUTE)
    assert outcomes(broadcast) == {"made": 2, "late": 1}
    assert numbers(broadcast.pk).settled == {"made": 2, "late": 1}


def test_a_moment_is_waited_for(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 1))
    broadcast = started(world, segment, when="at", starts_at=NOW + HOUR)
    assert bring_on(broadcast, NOW + HOUR - timedelta(seconds=1)) == "scheduled"
    assert bring_on(broadcast, NOW + HOUR) == "sending"
    assert outcomes(broadcast) == {"made": 1}


def test_a_segment_that_is_built_is_waited_for_and_one_that_is_gone_ends_it(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 1))
    broadcast = started(world, segment)
    segment.state = "building"
    segment.save()
    assert bring_on(broadcast) == "scheduled"
    segment.state = "archived"
    segment.save()
    assert bring_on(broadcast) == "stopped"
    last = BroadcastMove.objects.filter(broadcast=broadcast).last()
    assert last is not None
    assert (last.state_from, last.state_to, last.reason, last.by_id) == ("scheduled", "stopped", "segment_gone", None)


def test_what_was_started_is_not_started_again_and_what_has_begun_not_taken_back(world: World) -> None:
    segment = make_segment(world)
    broadcast = started(world, segment, when="at", starts_at=NOW + HOUR)
    with pytest.raises(NotPossible):
        start.start(broadcast, By(), NOW)
    start.take_back(broadcast, By(), NOW)
    again = fresh(broadcast)
    assert (again.state, again.template_version_id, again.begins_at) == ("draft", None, None)
    start.start(broadcast, By(), NOW)
    bring_on(broadcast, NOW + HOUR)
    with pytest.raises(NotPossible):
        start.take_back(broadcast, By(), NOW + HOUR)


def test_an_empty_segment_is_done_at_once(world: World) -> None:
    broadcast = started(world, make_segment(world))
    assert bring_on(broadcast) == "done"
    assert numbers(broadcast.pk).recipients == 0


def test_a_stop_takes_back_what_was_not_handed_over(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 6))
    broadcast = started(world, segment, per_minute=3)
    bring_on(broadcast)
    bring_on(broadcast, NOW + timedelta(seconds=20))
    assert 0 < messages(broadcast)["queued"] < 6
    made = messages(broadcast)["queued"]
    halt.stop(broadcast, By(), NOW + MINUTE)
    assert bring_on(broadcast, NOW + MINUTE) == "stopped"
    assert messages(broadcast) == {"cancelled": made}
    assert outcomes(broadcast) == {"made": made, "stopped": 6 - made}
    assert numbers(broadcast.pk).waiting == 0
    assert fresh(broadcast).is_cleared


@pytest.mark.parametrize("only_members", [False, True])
def test_a_segment_is_not_archived_under_a_broadcast_that_looks_at_it(world: World, only_members: bool) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 2))
    broadcast = started(world, segment, per_minute=1, only_members=only_members)
    with pytest.raises(define.InUse, match="Spring"):
        define.archive(segment)
    bring_on(broadcast)
    if only_members:
        with pytest.raises(define.InUse, match="Spring"):
            define.archive(segment)
    else:
        define.archive(segment)
        bring_on(broadcast, NOW + MINUTE)
        assert outcomes(broadcast) == {"made": 2}


def test_a_draft_has_no_numbers(world: World) -> None:
    broadcast = draft(world, make_segment(world))
    assert numbers(broadcast.pk).recipients == 0
