"""Taking people in: as of the moment at which it began, in pieces, by whoever goes on after a death, each once."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from channels.broadcasts import enrol, halt, pilot
from channels.broadcasts.states import By
from channels.broadcasts.tally import numbers
from channels.models import Broadcast, BroadcastProgress, BroadcastRecipient
from tests.channels.broadcasts.stage import (
    HOUR,
    MINUTE,
    bring_on,
    crowd,
    fresh,
    make_segment,
    outcomes,
    put_in,
    started,
    take_out,
)
from tests.channels.world import NOW, Person, World

SECOND = timedelta(seconds=1)


def begun(world: World, number: int, **fields: Any) -> tuple[Broadcast, list[Person]]:
    """One that has just begun and taken nobody in yet."""
    segment = make_segment(world)
    people = crowd(world, number, granted=False)
    put_in(segment, people)
    broadcast = started(world, segment, **fields)
    bring_on(broadcast, NOW, times=1)
    assert fresh(broadcast).state == "enrolling"
    return fresh(broadcast), people


def test_all_come_in_whatever_the_pieces(world: World) -> None:
    broadcast, people = begun(world, 7)
    while enrol.enrol_piece(broadcast, NOW, piece=3):
        pass
    assert fresh(broadcast).state == "sending"
    assert fresh(broadcast).is_enrolled
    assert outcomes(broadcast) == {"": 7}
    assert numbers(broadcast.pk).recipients == len(people)


def test_who_comes_later_is_not_in_it_and_who_leaves_later_is(world: World) -> None:
    broadcast, people = begun(world, 4)
    leaves = people[3]
    late = world.person("late@example.com")
    put_in(broadcast.segment, [late], at=NOW + SECOND)
    enrol.enrol_piece(broadcast, NOW, piece=2)
    take_out(broadcast.segment, leaves, NOW + 2 * SECOND)
    while enrol.enrol_piece(broadcast, NOW + MINUTE, piece=2):
        pass
    in_it = set(BroadcastRecipient.objects.filter(broadcast=broadcast).values_list("profile_id", flat=True))
    assert in_it == {one.profile.pk for one in people}


def test_who_left_before_it_began_is_not_in_it(world: World) -> None:
    segment = make_segment(world)
    people = crowd(world, 3, granted=False)
    put_in(segment, people)
    take_out(segment, people[0], NOW - HOUR)
    broadcast = started(world, segment)
    bring_on(broadcast)
    in_it = set(BroadcastRecipient.objects.filter(broadcast=broadcast).values_list("profile_id", flat=True))
    assert in_it == {one.profile.pk for one in people[1:]}


def test_who_left_and_came_back_is_in_it_once(world: World) -> None:
    broadcast, people = begun(world, 3)
    take_out(broadcast.segment, people[0], NOW + SECOND)
    put_in(broadcast.segment, [people[0]], at=NOW + 2 * SECOND)
    while enrol.enrol_piece(broadcast, NOW + MINUTE, piece=1):
        pass
    assert numbers(broadcast.pk).recipients == 3
    assert BroadcastRecipient.objects.filter(broadcast=broadcast).count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_piece_that_dies_is_undone_and_taken_in_by_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broadcast, _people = begun(world, 5)
    enrol.enrol_piece(broadcast, NOW, piece=2)
    real = enrol._take_in

    def dies(*given: object) -> int:
        real(*given)  # type: ignore[arg-type]  # as it was called
        raise ConnectionError("killed before its commit")

    monkeypatch.setattr(enrol, "_take_in", dies)
    with pytest.raises(ConnectionError):
        enrol.enrol_piece(broadcast, NOW, piece=2)
    monkeypatch.setattr(enrol, "_take_in", real)
    assert BroadcastProgress.objects.get(pk=broadcast.pk).recipients == 2
    while enrol.enrol_piece(broadcast, NOW, piece=2):
        pass
    assert outcomes(broadcast) == {"": 5}
    assert numbers(broadcast.pk).recipients == 5


def test_a_pause_rests_it_and_it_goes_on_where_it_was(world: World) -> None:
    broadcast, _people = begun(world, 5)
    enrol.enrol_piece(broadcast, NOW, piece=2)
    halt.pause(broadcast, By(), NOW)
    assert enrol.enrol_piece(broadcast, NOW, piece=2) is None
    assert numbers(broadcast.pk).recipients == 2
    halt.resume(broadcast, By(), NOW)
    assert fresh(broadcast).state == "enrolling"
    while enrol.enrol_piece(broadcast, NOW, piece=2):
        pass
    assert outcomes(broadcast) == {"": 5}


@pytest.mark.parametrize("percent", [1, 10, 50])
def test_the_pilot_group_is_a_share_and_the_same_each_time(world: World, percent: int) -> None:
    segment = make_segment(world)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_segmentmembership (segment_id, profile_id, customer_id, entered_at, rule_version,"
            " historical) SELECT %s, gen_random_uuid(), gen_random_uuid(), %s, 0, false FROM generate_series(1, 4000)",
            [segment.pk, NOW - HOUR],
        )
    broadcast = started(world, segment, pilot_percent=percent)
    bring_on(broadcast, NOW, times=2)
    pilots = BroadcastRecipient.objects.filter(broadcast=broadcast, is_pilot=True)
    first = set(pilots.values_list("profile_id", flat=True))
    # Four standard deviations.
    most = 4 * (4000 * percent / 100 * (1 - percent / 100)) ** 0.5
    assert abs(len(first) - 40 * percent) <= most
    assert BroadcastProgress.objects.get(pk=broadcast.pk).pilots == len(first)
    BroadcastRecipient.objects.all().delete()
    BroadcastProgress.objects.update(
        after_profile=None, are_members_in=False, after_left_at=None, after_left_id=0, recipients=0, pilots=0
    )
    Broadcast.objects.update(state="enrolling", is_enrolled=False)
    bring_on(fresh(broadcast), NOW, times=1)
    assert set(pilots.values_list("profile_id", flat=True)) == first


def test_other_broadcasts_have_other_pilot_groups(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 60, granted=False))
    groups = []
    for key in ("one", "other"):
        broadcast = started(world, segment, key=key, pilot_percent=50)
        bring_on(broadcast, NOW, times=2)
        rows = BroadcastRecipient.objects.filter(broadcast=broadcast, is_pilot=True)
        groups.append(frozenset(rows.values_list("profile_id", flat=True)))
    assert groups[0] != groups[1]
    assert Counter(map(bool, groups)) == {True: 2}
    assert pilot.fared(broadcast.pk).messages == 0
