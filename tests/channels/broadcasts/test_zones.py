"""By the clocks of its people: each gets it at that time of day where they are, on days on which clocks leap too."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from channels.broadcasts import pilot, timing
from channels.broadcasts.states import By
from channels.models import BroadcastRecipient, Message
from customers.models import Customer
from tests.channels.broadcasts.stage import (
    HOUR,
    MINUTE,
    bring_on,
    draft,
    fresh,
    make_segment,
    messages,
    outcomes,
    put_in,
    started,
)
from tests.channels.world import NOW, World

SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Zone, day and time on the wall; when that is. Clocks leap, go back, and leave out midnight.
VECTORS = [
    ("Australia/Sydney", date(2026, 10, 4), time(2, 30), "2026-10-03T16:00"),
    ("Australia/Sydney", date(2027, 4, 4), time(2, 30), "2027-04-03T15:30"),
    ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03T15:30"),
    ("Asia/Kathmandu", date(2026, 5, 5), time(9, 0), "2026-05-05T03:15"),
    ("Pacific/Kiritimati", date(2026, 5, 5), time(9, 0), "2026-05-04T19:00"),
    ("America/Santiago", date(2026, 9, 6), time(0, 0), "2026-09-06T04:00"),
    ("Africa/Cairo", date(2026, 4, 24), time(0, 30), "2026-04-23T22:00"),
    ("America/Nuuk", date(2026, 3, 28), time(23, 30), "2026-03-29T01:00"),
    ("Europe/Lisbon", date(2026, 3, 29), time(1, 30), "2026-03-29T01:00"),
    ("America/New_York", date(2026, 11, 1), time(1, 30), "2026-11-01T05:30"),
    ("America/Sao_Paulo", date(2026, 11, 1), time(9, 0), "2026-11-01T12:00"),
]


@pytest.mark.parametrize(("zone", "day", "clock", "moment"), VECTORS)
def test_somebody_gets_it_as_the_clock_on_their_wall_says(
    world: World, zone: str, day: date, clock: time, moment: str
) -> None:
    segment, person = make_segment(world), world.person()
    Customer.objects.filter(pk=person.customer.pk).update(zone=zone)
    put_in(segment, [person], at=NOW)
    broadcast = started(world, segment, NOW, when="local", local_day=day, local_time=clock)
    due = at(moment)
    bring_on(broadcast, due - SECOND)
    assert outcomes(broadcast) == {"": 1}
    bring_on(broadcast, due)
    assert outcomes(broadcast) == {"made": 1}
    assert Message.objects.get(scope_id=broadcast.pk).expires_at == due + timedelta(hours=24)
    bring_on(broadcast, due + 2 * HOUR)
    assert messages(broadcast).total() == 1


def test_each_zone_has_its_own_moment_and_who_has_none_is_where_the_brand_is(world: World) -> None:
    world.brand.zone = "America/Sao_Paulo"
    world.brand.save()
    segment = make_segment(world)
    people = {
        zone: world.person(f"{n}@example.com")
        for n, zone in enumerate(("Asia/Tokyo", "Europe/Paris", "", "Nowhere/At"))
    }
    for zone, person in people.items():
        Customer.objects.filter(pk=person.customer.pk).update(zone=zone)
    put_in(segment, people.values())
    broadcast = started(world, segment, when="local", local_day=date(2026, 3, 3), local_time=time(9, 0))
    went = []
    for moment in ("2026-03-02T19:00", "2026-03-03T00:00", "2026-03-03T08:00", "2026-03-03T12:00"):
        bring_on(broadcast, at(moment))
        went.append(messages(broadcast).total())
    assert went == [0, 1, 2, 4]


def test_it_begins_before_the_first_place_on_earth_has_that_time(world: World) -> None:
    made = draft(world, make_segment(world), when="local", local_day=date(2026, 3, 10), local_time=time(9, 0))
    assert timing.begins_at(made, NOW) == at("2026-03-09T18:50")


def test_who_has_moved_gets_it_by_the_clock_where_they_are_now(world: World) -> None:
    segment, person = make_segment(world), world.person()
    Customer.objects.filter(pk=person.customer.pk).update(zone="Asia/Tokyo")
    put_in(segment, [person])
    broadcast = started(world, segment, when="local", local_day=date(2026, 3, 3), local_time=time(9, 0))
    bring_on(broadcast, at("2026-03-02T20:00"))
    Customer.objects.filter(pk=person.customer.pk).update(zone="America/New_York")
    bring_on(broadcast, at("2026-03-03T00:00"))
    assert outcomes(broadcast) == {"": 1}
    recipient = BroadcastRecipient.objects.get()
    assert fresh(broadcast).zones[recipient.zone] == "America/New_York"
    bring_on(broadcast, at("2026-03-03T14:00"))
    assert outcomes(broadcast) == {"made": 1}


def test_places_where_the_time_has_gone_by_get_it_at_once_unless_it_is_too_late(world: World) -> None:
    segment = make_segment(world)
    early, late = world.person("early@example.com"), world.person("late@example.com")
    Customer.objects.filter(pk=early.customer.pk).update(zone="Europe/Paris")
    Customer.objects.filter(pk=late.customer.pk).update(zone="Asia/Tokyo")
    put_in(segment, [early, late])
    # It is 12:00 UTC: nine o'clock was four hours ago in Paris and twelve in Tokyo.
    broadcast = started(
        world, segment, when="local", local_day=date(2026, 3, 2), local_time=time(9, 0), not_later_than=6 * HOUR
    )
    bring_on(broadcast)
    assert outcomes(broadcast) == {"made": 1, "late": 1}


def test_who_is_not_in_the_pilot_group_gets_it_at_that_time_of_the_next_day(world: World) -> None:
    segment = make_segment(world)
    people = [world.person(f"{n}@example.com") for n in range(12)]
    Customer.objects.update(zone="Europe/Paris")
    put_in(segment, people)
    broadcast = started(
        world, segment, when="local", local_day=date(2026, 3, 3), local_time=time(9, 0), pilot_percent=50
    )
    bring_on(broadcast, at("2026-03-03T08:00"))
    assert fresh(broadcast).state == "waiting"
    first = messages(broadcast).total()
    assert 0 < first < 12
    pilot.go_on(fresh(broadcast), at("2026-03-03T14:00"), by=By())
    bring_on(broadcast, at("2026-03-03T14:00"))
    bring_on(broadcast, at("2026-03-04T08:00") - SECOND)
    assert messages(broadcast).total() == first
    bring_on(broadcast, at("2026-03-04T08:00"))
    assert messages(broadcast).total() == 12
    bring_on(broadcast, at("2026-03-04T08:00") + MINUTE)
    assert messages(broadcast).total() == 12
