"""Segments of people who are being merged: told once, whoever works on what at the same moment."""

import threading
import time
from collections import Counter

import pytest
from django.db import connection, connections, transaction

from customers import internal, work
from customers.awaited import await_names
from customers.models import Event, Identifier, MergeItem, Segment, SegmentItem, SegmentMembership
from customers.resolve import resolve_inbox
from customers.segments.stage import refresh_segments
from tests.journeys.segments import GOLD, make_segment
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db(transaction=True)
TABLET, ANA = "tablet", "ana"


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return make_stage()


def told() -> Counter[str]:
    names = (internal.SEGMENT_ENTERED, internal.SEGMENT_LEFT)
    return Counter(Event.objects.filter(name__in=names).values_list("name", flat=True))


def queue_again(stage: Stage, segment: Segment, value: str) -> None:
    """As a changed trait of theirs does."""
    profile = Identifier.objects.get(value=value, closed_at=None).profile_id
    SegmentItem.objects.create(segment=segment, profile_id=profile, queued_at=stage.now)


def merge_of_two(stage: Stage) -> Segment:
    """The younger is in the segment, the elder is not; a message that makes them one waits to be resolved."""
    await_names("test:1", [internal.SEGMENT_ENTERED, internal.SEGMENT_LEFT])
    segment = make_segment(stage, GOLD)
    stage.happen("identify", "", anonymous_id=TABLET)
    stage.pass_time(hours=1)
    stage.happen("identify", ANA, traits={"plan": "gold"})
    assert told() == {internal.SEGMENT_ENTERED: 1}
    stage.pass_time(hours=1)
    stage.accept("visit", ANA, anonymous_id=TABLET)
    return segment


def test_who_was_merged_a_moment_ago_is_looked_at_once_the_membership_has_followed(stage: Stage) -> None:
    segment = merge_of_two(stage)
    resolve_inbox(stage.now)
    assert MergeItem.objects.exists()
    for value in (TABLET, ANA):
        queue_again(stage, segment, value)
    queued = SegmentItem.objects.count()
    assert refresh_segments(stage.now) == 0
    assert told() == {internal.SEGMENT_ENTERED: 1}
    assert SegmentItem.objects.count() == queued
    stage.run()
    assert not SegmentItem.objects.exists()
    assert told() == {internal.SEGMENT_ENTERED: 1}
    assert SegmentMembership.objects.filter(left_at=None).count() == 1


@pytest.mark.parametrize("value", [TABLET, ANA])
def test_who_is_being_merged_at_this_moment_neither_leaves_nor_enters_twice(stage: Stage, value: str) -> None:
    segment = merge_of_two(stage)
    queue_again(stage, segment, value)
    errors: list[BaseException] = []

    def look_again() -> None:
        try:
            refresh_segments(stage.now)
        except BaseException as error:
            errors.append(error)
        finally:
            work.close()
            connections.close_all()

    lane = threading.Thread(target=look_again)
    with transaction.atomic():
        resolve_inbox(stage.now)
        assert MergeItem.objects.exists()
        lane.start()
        wait_until_somebody_waits(lane)
    lane.join()
    assert errors == []
    stage.run()
    assert told() == {internal.SEGMENT_ENTERED: 1}
    assert SegmentMembership.objects.filter(left_at=None).count() == 1
    assert not SegmentItem.objects.exists()


def wait_until_somebody_waits(lane: threading.Thread) -> None:
    """Until the other lane stands before a row that this transaction has locked, or has passed."""
    until = time.monotonic() + 10
    while lane.is_alive() and time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
                " WHERE NOT l.granted AND a.datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
