"""A build that fails or is stopped says so; a segment that a journey waits for is not archived under it."""

import pytest

from customers import jobs
from customers.models import Job, Segment, SegmentItem
from customers.segments import build, define
from journeys.models import Journey
from tests.journeys.segments import GOLD, build_all, inside, make_segment
from tests.journeys.stage import Stage, make_stage, welcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def only_job() -> Job:
    return Job.objects.get(kind=build.KIND)


def test_a_stopped_build_is_shown_and_made_good_by_the_next(stage: Stage) -> None:
    stage.know("ana", plan="gold")
    segment = make_segment(stage, GOLD, is_built=False)
    assert jobs.cancel(only_job().pk, stage.now)
    segment.refresh_from_db()
    assert (segment.state, only_job().state) == (Segment.State.STOPPED, Job.State.CANCELLED)
    stage.know("bia", plan="gold")
    assert SegmentItem.objects.filter(segment=segment).count() == 1, "she waits until it is built"
    define.rebuild(segment, stage.now)
    build_all(stage.now)
    stage.pass_time(seconds=1)
    segment.refresh_from_db()
    assert (segment.state, inside(segment)) == (Segment.State.LIVE, {"ana", "bia"})
    assert not SegmentItem.objects.exists()


def test_a_build_that_fails_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = make_segment(stage, GOLD, is_built=False)
    monkeypatch.setattr("customers.segments.build._piece", lambda *_args: 1 / 0)
    build_all(stage.now)
    segment.refresh_from_db()
    assert (segment.state, only_job().state) == (Segment.State.STOPPED, Job.State.FAILED)
    assert "ZeroDivisionError" in only_job().reason


def test_a_build_that_another_has_overtaken_gives_nothing_up(stage: Stage) -> None:
    segment = make_segment(stage, GOLD, is_built=False)
    first = only_job()
    define.set_rule(segment, {"not": GOLD}, stage.now)
    assert jobs.cancel(first.pk, stage.now)
    segment.refresh_from_db()
    assert segment.state == Segment.State.BUILDING
    build_all(stage.now)
    segment.refresh_from_db()
    assert segment.state == Segment.State.LIVE
    assert not jobs.cancel(first.pk, stage.now)


@pytest.mark.parametrize("value", ["vip", ["other", "vip"]])
@pytest.mark.parametrize("event", ["segment.entered", "segment.left"])
def test_a_segment_that_a_journey_waits_for_is_not_archived(stage: Stage, event: str, value: str | list[str]) -> None:
    leaf = {"leaf": "event_property", "name": "segment", "op": "eq" if value == "vip" else "in", "value": value}
    stage.publish(welcome(entry={"event": event, "rule": {"all": [leaf]}}))
    segment, apart = make_segment(stage, GOLD), make_segment(stage, GOLD, "apart")
    with pytest.raises(define.InUse) as refused:
        define.archive(segment)
    assert refused.value.by == ["welcome"]
    segment.refresh_from_db()
    assert segment.state == Segment.State.LIVE
    define.archive(apart)
    Journey.objects.update(status=Journey.Status.ARCHIVED)
    define.archive(segment)
    segment.refresh_from_db()
    assert segment.state == Segment.State.ARCHIVED


def test_who_waits_for_any_segment_holds_none(stage: Stage) -> None:
    named_alike = {"leaf": "event_property", "name": "shelf", "op": "eq", "value": "vip"}
    stage.publish(welcome(entry={"event": "segment.entered", "rule": named_alike}))
    define.archive(make_segment(stage, GOLD))
    assert Segment.objects.get().state == Segment.State.ARCHIVED
