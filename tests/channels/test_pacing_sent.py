"""Pacing as dispatch heeds it: what is counted, what is held until when, and what is kept to explain it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from channels.dispatch import dispatch_due
from channels.models import Message, PacingPolicy, RecentSend, TemplateText
from channels.providers.base import DeliveryError
from consent.models import Purpose
from customers.models import Brand
from tests.channels.doubles import Recorder
from tests.channels.pacing import at_most, policy, quiet_hours
from tests.channels.world import NOW, Person, World, state
from tests.consent import people

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LATER = {"expires_at": NOW + 3 * DAY}


def send(world: World, at: datetime = NOW) -> None:
    dispatch_due(world.connector.pk, at)


def due(message_id: UUID) -> datetime:
    return Message.objects.get(pk=message_id).due_at.replace(microsecond=0)


def in_zone(person: Person, zone: str) -> None:
    person.customer.zone = zone
    person.customer.save()


def sent_before(world: World, person: Person, at: datetime, state: str = "sent", **fields: object) -> None:
    message = world.queue(person, **fields)
    Message.objects.filter(pk=message).update(state=state, settled_at=at)


def test_two_of_one_batch_are_counted_right(world: World) -> None:
    ana = world.person()
    at_most(world.brand, 1)
    first, second = world.queue(ana, **LATER), world.queue(ana, **LATER)
    send(world)
    assert sorted([state(first), state(second)]) == [("held", "capped"), ("sent", "")]
    went, held = Message.objects.get(state="sent"), Message.objects.get(state="held")
    assert went.settled_at is not None
    assert held.due_at == went.settled_at + DAY


def test_there_is_room_the_moment_the_oldest_leaves_the_span(world: World) -> None:
    ana = world.person()
    at_most(world.brand, 1)
    sent_before(world, ana, NOW - HOUR)
    message = world.queue(ana, **LATER)
    send(world)
    assert (state(message), due(message)) == (("held", "capped"), NOW - HOUR + DAY)
    send(world, NOW - HOUR + DAY)
    assert state(message) == ("sent", "")


def test_what_would_be_too_late_is_suppressed_at_once_and_says_what_was_counted(world: World) -> None:
    ana = world.person()
    cap = at_most(world.brand, 2, days=7)
    for hours in (1, 2):
        sent_before(world, ana, NOW - hours * HOUR)
    message = world.queue(ana)
    send(world)
    assert state(message) == ("suppressed", "capped")
    told = Message.objects.get(pk=message).decision["pacing"]  # type: ignore[index]  # it has one
    assert (told["policy"], told["counted"], told["most"], told["seconds"]) == (str(cap.pk), 2, 2, 7 * 86_400)


def test_what_was_counted_is_kept_with_what_was_sent_too(world: World) -> None:
    ana = world.person()
    cap = at_most(world.brand, 3)
    sent_before(world, ana, NOW - HOUR)
    message = world.queue(ana)
    send(world)
    found = Message.objects.get(pk=message)
    assert (found.state, found.decision["pacing"]["counted"]) == ("sent", {str(cap.pk): 1})  # type: ignore[index]


def test_without_policies_nothing_is_noted(world: World) -> None:
    message = world.queue(world.person())
    send(world)
    assert "pacing" not in (Message.objects.get(pk=message).decision or {})


@pytest.mark.parametrize(
    ("before", "counts"),
    [("sent", True), ("delivered", True), ("opened", True), ("clicked", True), ("unknown", True),
     ("failed", False), ("suppressed", False), ("cancelled", False), ("expired", False)],
)  # fmt: skip
def test_what_was_taken_or_may_have_been_counts(world: World, before: str, counts: bool) -> None:
    ana = world.person()
    at_most(world.brand, 1)
    sent_before(world, ana, NOW - HOUR, before)
    message = world.queue(ana, **LATER)
    send(world)
    assert state(message) == (("held", "capped") if counts else ("sent", ""))


def test_a_customers_profiles_and_addresses_count_together(world: World) -> None:
    ana = world.person()
    at_most(world.brand, 1)
    other = world.person("ana@work.example")
    other.profile.customer = ana.customer
    other.profile.save()
    sent_before(world, other, NOW - HOUR)
    message = world.queue(ana, **LATER)
    send(world)
    assert state(message) == ("held", "capped")


def test_somebody_elses_messages_do_not_count(world: World) -> None:
    at_most(world.brand, 1)
    sent_before(world, world.person("other@example.com"), NOW - HOUR)
    message = world.queue(world.person())
    send(world)
    assert state(message) == ("sent", "")


def test_one_in_hand_counts_until_its_fate_is_known(world: World) -> None:
    ana = world.person()
    at_most(world.brand, 1)
    in_hand, message = world.queue(ana), world.queue(ana, **LATER)
    key = Message.objects.get(pk=in_hand).copy_key
    Message.objects.filter(pk=in_hand).update(state="dispatching", lease_token=1, leased_until=NOW + DAY)
    RecentSend.objects.create(address=ana.address, copy_key=key, sent_at=NOW, message_id=in_hand)
    send(world)
    assert (state(message), due(message)) == (("held", "capped"), NOW + timedelta(seconds=5))
    Message.objects.filter(pk=in_hand).update(state="failed", settled_at=NOW)
    send(world, NOW + timedelta(seconds=6))
    assert state(message) == ("sent", "")


def devices(world: World, count: int) -> list[Person]:
    """One customer by several addresses."""
    found = [world.person(f"d{n}@example.com") for n in range(count)]
    for one in found:
        one.profile.customer = found[0].customer
        one.profile.save()
    return found


def test_a_message_to_several_devices_counts_once_and_goes_to_all(world: World) -> None:
    theirs = devices(world, 3)
    at_most(world.brand, 2)
    pushes = [[world.queue(one, origin_id=visit, **LATER) for one in theirs] for visit in ("1", "2", "3")]
    send(world)
    assert [{state(one) for one in push} for push in pushes] == [{("sent", "")}] * 2 + [{("held", "capped")}]
    decision = Message.objects.get(pk=pushes[2][0]).decision
    assert decision is not None
    assert decision["pacing"]["counted"] == 2


def test_a_device_that_was_in_trouble_gets_what_the_others_had(world: World) -> None:
    """Its turn comes when the cap was reached by others; the message counts already."""
    phone, tablet = devices(world, 2)
    at_most(world.brand, 2)
    sent_before(world, phone, NOW - HOUR, origin_id="1")
    sent_before(world, phone, NOW - HOUR / 2)
    late, other = world.queue(tablet, origin_id="1", **LATER), world.queue(tablet, **LATER)
    send(world)
    assert (state(late), state(other)) == (("sent", ""), ("held", "capped"))


def test_a_device_that_was_only_begun_makes_no_room_for_the_next(world: World) -> None:
    """The first was announced, and has not been asked about yet: it is not let through by the cap."""
    phone, tablet = devices(world, 2)
    at_most(world.brand, 1)
    sent_before(world, phone, NOW - HOUR)
    begun = world.queue(phone, origin_id="1", **LATER)
    key = Message.objects.get(pk=begun).copy_key
    Message.objects.filter(pk=begun).update(state="dispatching", lease_token=1, leased_until=NOW + DAY)
    RecentSend.objects.create(address=phone.address, copy_key=key, sent_at=NOW, message_id=begun)
    message = world.queue(tablet, origin_id="1", **LATER)
    send(world)
    assert state(message) == ("held", "capped")


def test_what_is_owed_by_law_is_under_no_policy(world: World) -> None:
    ana = world.person()
    at_most(world.brand, 1, purpose_kind="")
    quiet_hours(world.brand, "00:00", "23:59", purpose_kind="")
    sent_before(world, ana, NOW - HOUR)
    law = people.make_purpose(world.brand, "law", Purpose.Kind.LEGAL)
    TemplateText.objects.update(subject="Law", html="", text="Law")
    message = world.queue(ana, purpose_id=law.pk)
    send(world)
    assert state(message) == ("sent", "")


def test_a_policy_of_another_brand_or_that_has_ended_holds_nothing(world: World) -> None:
    other = Brand.objects.create(key="other", name="Other")
    quiet_hours(other, "00:00", "23:59")
    quiet_hours(world.brand, "00:00", "23:59", valid_to=NOW)
    quiet_hours(world.brand, "00:00", "23:59", valid_from=NOW + HOUR)
    message = world.queue(world.person())
    send(world)
    assert state(message) == ("sent", "")


def test_the_organisations_policy_holds_for_every_brand(world: World) -> None:
    quiet_hours(None, "11:00", "13:00")
    message = world.queue(world.person())
    send(world)
    assert state(message) == ("held", "quiet_hours")


def test_quiet_hours_are_those_of_the_customers_zone(world: World) -> None:
    """Noon in London is eleven at night on Kiritimati's side of the world, where it is two in the morning."""
    quiet_hours(world.brand, "22:00", "08:00")
    ana, bia = world.person(), world.person("bia@example.com")
    in_zone(bia, "Pacific/Kiritimati")
    here, there = world.queue(ana), world.queue(bia)
    send(world)
    assert (state(here), state(there)) == (("sent", ""), ("held", "quiet_hours"))
    assert due(there) == datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
    told = Message.objects.get(pk=there).decision["pacing"]  # type: ignore[index]  # it has one
    assert (told["zone"], told["zone_of"], told["local"]) == ("Pacific/Kiritimati", "customer", "2026-03-03 02:00")


def test_who_has_no_zone_has_the_brands_and_that_is_noted(world: World) -> None:
    world.brand.zone = "Asia/Tokyo"
    world.brand.save()
    quiet_hours(world.brand, "21:00", "08:00")
    message = world.queue(world.person())
    send(world)
    assert (state(message), due(message)) == (("held", "quiet_hours"), datetime(2026, 3, 2, 23, 0, tzinfo=UTC))
    assert Message.objects.get(pk=message).decision["pacing"]["zone_of"] == "brand"  # type: ignore[index]


def test_who_moved_meanwhile_is_written_to_by_their_new_zone(world: World) -> None:
    quiet_hours(world.brand, "11:00", "13:00")
    ana = world.person()
    message = world.queue(ana)
    send(world)
    assert due(message) == NOW + HOUR
    in_zone(ana, "Etc/GMT+1")
    send(world, NOW + HOUR)
    assert (state(message), due(message)) == (("held", "quiet_hours"), NOW + 2 * HOUR)


def test_hours_that_open_too_late_suppress_at_once(world: World) -> None:
    policy(world.brand, "window", starts="09:00", ends="11:00")
    message = world.queue(world.person(), expires_at=NOW + 10 * HOUR)
    send(world)
    assert state(message) == ("suppressed", "quiet_hours")


def test_where_a_cap_leaves_room_for_one_the_more_important_goes(world: World) -> None:
    ana = world.person()
    at_most(world.brand, 1)
    low, high = world.queue(ana, priority=10, **LATER), world.queue(ana, priority=90, **LATER)
    send(world)
    assert (state(low), state(high)) == (("held", "capped"), ("sent", ""))


def test_what_the_provider_may_have_keeps_its_copy_while_it_is_held(world: World) -> None:
    """It was called, and is to be asked again by its key; then night falls."""
    ana = world.person()
    message = world.queue(ana)
    key = Message.objects.get(pk=message).copy_key
    RecentSend.objects.create(address=ana.address, copy_key=key, sent_at=NOW - HOUR, message_id=message)
    quiet_hours(world.brand, "11:00", "13:00")
    send(world)
    assert state(message) == ("held", "quiet_hours")
    assert RecentSend.objects.filter(message_id=message).exists()


def test_what_the_provider_may_have_is_not_told_as_not_sent(world: World) -> None:
    ana = world.person()
    message = world.queue(ana, expires_at=NOW + timedelta(minutes=30))
    key = Message.objects.get(pk=message).copy_key
    RecentSend.objects.create(address=ana.address, copy_key=key, sent_at=NOW - HOUR, message_id=message)
    quiet_hours(world.brand, "11:00", "13:00")
    send(world)
    assert state(message) == ("unknown", "interrupted")


def test_a_refused_call_leaves_room_for_the_next(world: World, recorder: type[Recorder]) -> None:
    world.connector.provider = "recorder"
    world.connector.save()
    ana = world.person()
    at_most(world.brand, 1)
    recorder.errors.append(DeliveryError("no", accepted="no", permanent=True))
    first, second = world.queue(ana), world.queue(ana)
    send(world)
    assert sorted([state(first)[0], state(second)[0]]) == ["failed", "sent"]


def test_policies_are_rows_that_cannot_say_nothing(world: World) -> None:
    for fields in (
        {"kind": "cap"},
        {"kind": "quiet", "starts": "22:00"},
        {"kind": "quiet", "starts": "1:00", "ends": "1:00"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            policy(world.brand, **fields)
    assert not PacingPolicy.objects.exists()
