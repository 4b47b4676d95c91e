"""Coming into a segment, or leaving it, begins a run; those who are in it already are called in."""

from datetime import timedelta
from typing import Any

import pytest

from customers import jobs
from customers.internal import tell
from customers.models import Event, Job, Profile, SegmentMembership
from customers.segments import lists
from journeys import halting
from journeys.code.cases import run_cases
from journeys.code.file import read, write
from journeys.definition import InvalidDefinition
from journeys.entry import calls
from journeys.entry.names import CALLED
from journeys.segment_use import journeys_at
from journeys.validate import check
from tests.journeys.segments import GOLD, build_all, make_list, make_segment
from tests.journeys.stage import Stage, welcome
from tests.journeys.test_code import a_file, as_json


def by_segment(**more: Any) -> dict[str, Any]:
    return welcome(entry={"kind": "segment", "segment": "vip"} | more)


def entered(stage: Stage) -> list[str]:
    return sorted(run.profile.identifier.value for run in stage.runs())


def everybody(stage: Stage, *, gold: str, plain: str = "") -> None:
    for plan, users in (("gold", gold), ("basic", plain)):
        for user in users.split():
            stage.know(user, plan=plan)


def test_whoever_comes_into_the_segment_comes_in(stage: Stage) -> None:
    make_segment(stage, GOLD)
    make_segment(stage, {"leaf": "attribute", "name": "plan", "op": "eq", "value": "basic"}, "plain")
    stage.publish(by_segment())
    everybody(stage, gold="ana", plain="bia")
    assert (entered(stage), stage.refusals()) == (["ana"], [])
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold"]
    stage.happen("identify", "bia", traits={"plan": "gold"})
    assert entered(stage) == ["ana", "bia"]


def test_whoever_leaves_the_segment_comes_in(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(by_segment(moved="left"))
    everybody(stage, gold="ana bia")
    assert entered(stage) == []
    stage.happen("identify", "bia", traits={"plan": "basic"})
    assert entered(stage) == ["bia"]


def test_people_put_on_a_list_come_in(stage: Stage) -> None:
    listed = make_list(stage, "vip")
    stage.publish(by_segment())
    stage.know("ana")
    lists.put(listed, [Profile.objects.get(identifier__value="ana").customer_id], stage.now, inside=True)
    stage.run()
    assert entered(stage) == ["ana"]


# --- those who are in it already ----------------------------------------------------------------------------


def test_those_who_are_in_it_are_taken_in_when_that_is_asked_for(stage: Stage) -> None:
    everybody(stage, gold="ana bia", plain="eva")
    stage.know("ivo", granted=False, plan="gold")
    make_segment(stage, GOLD)
    stage.publish(by_segment(take_in=True))
    stage.run()
    assert entered(stage) == []
    build_all(stage.now)
    stage.run()
    assert (entered(stage), stage.refusals()) == (["ana", "bia"], ["no_consent"])
    job = Job.objects.get(kind=calls.KIND)
    assert (job.state, job.done, job.total) == ("done", 3, 3)


def test_without_the_option_nobody_is_called(stage: Stage) -> None:
    everybody(stage, gold="ana")
    make_segment(stage, GOLD)
    stage.publish(by_segment())
    build_all(stage.now)
    stage.run()
    assert (entered(stage), Job.objects.filter(kind=calls.KIND).count()) == ([], 0)


def test_the_next_version_calls_nobody_again_unless_its_segment_is_another(stage: Stage) -> None:
    everybody(stage, gold="ana")
    make_segment(stage, GOLD)
    make_segment(stage, GOLD, "other")
    for document in (by_segment(take_in=True), by_segment(take_in=True, reentry="always")):
        stage.publish(document)
    assert Job.objects.filter(kind=calls.KIND).count() == 1
    stage.publish(by_segment(take_in=True, segment="other"))
    assert Job.objects.filter(kind=calls.KIND).count() == 2


def test_a_call_goes_on_where_a_killed_worker_stopped_and_calls_nobody_twice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody(stage, gold="ana bia eva ivo leo")
    make_segment(stage, GOLD)
    monkeypatch.setattr(calls, "PIECE", 2)
    stage.publish(by_segment(take_in=True, reentry="always"))
    told = list[int]()

    def dies_in_the_second_piece(*arguments: Any) -> int:
        told.append(1)
        if len(told) == 2:
            raise ConnectionError("the worker is gone")
        return tell(*arguments)

    monkeypatch.setattr(calls, "tell", dies_in_the_second_piece)
    assert Event.objects.filter(name=CALLED).count() == 0
    jobs.work_on(lambda: stage.now, seconds=60)
    Job.objects.filter(kind=calls.KIND).update(state="waiting", leased_until=None, ended_at=None)
    assert Event.objects.filter(name=CALLED).count() == 2
    build_all(stage.now)
    stage.run()
    assert Event.objects.filter(name=CALLED).count() == 5
    assert (entered(stage), stage.refusals()) == (["ana", "bia", "eva", "ivo", "leo"], [])


def test_a_call_rests_while_the_journey_is_paused_and_ends_with_an_archived_one(stage: Stage) -> None:
    everybody(stage, gold="ana")
    make_segment(stage, GOLD)
    stage.publish(by_segment(take_in=True))
    journey = stage.journeys["welcome"]
    halting.pause(journey, by=None, now=stage.now)
    jobs.work_on(lambda: stage.now, seconds=0)
    job = Job.objects.get(kind=calls.KIND)
    assert (job.state, job.done) == ("waiting", 0)
    halting.archive(journey, by=None, now=stage.now, end=False)
    stage.pass_time(minutes=1)
    build_all(stage.now)
    job.refresh_from_db()
    assert (job.state, job.done, job.report) == ("done", 0, {"stopped": "journey_not_live"})
    assert entered(stage) == []


def test_who_is_called_and_does_not_meet_the_rule_is_refused_as_such(stage: Stage) -> None:
    everybody(stage, gold="ana")
    make_segment(stage, GOLD)
    rule = {"leaf": "attribute", "name": "city", "op": "eq", "value": "Recife"}
    stage.publish(by_segment(take_in=True, rule=rule))
    build_all(stage.now)
    stage.run()
    assert (entered(stage), stage.refusals()) == ([], ["rule_not_met"])


def test_a_call_into_one_journey_is_none_into_another(stage: Stage) -> None:
    everybody(stage, gold="ana")
    make_segment(stage, GOLD)
    stage.publish(welcome(), "other")
    stage.publish(by_segment(take_in=True))
    build_all(stage.now)
    stage.run()
    assert [(run.journey.key, run.status) for run in stage.runs()] == [("welcome", 1)]
    assert stage.refusals() == []


# --- what cannot be published, and what files say -----------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "code", "pointer"),
    [
        ({"kind": "segment"}, "missing_field", "/entry/segment"),
        ({}, "missing_field", "/entry/event"),
        ({"event": "x", "segment": "vip"}, "field_unused", "/entry/segment"),
        ({"event": "x", "take_in": True}, "field_unused", "/entry/take_in"),
        ({"kind": "segment", "segment": "vip", "event": "x"}, "field_unused", "/entry/event"),
        ({"kind": "segment", "segment": "vip", "moved": "left", "take_in": True}, "field_unused", "/entry/take_in"),
        ({"kind": "segment", "segment": "vip", "exclude": "vip"}, "nobody_comes_in", "/entry/exclude"),
    ],
)
def test_an_entry_that_makes_no_sense_is_told_at_its_place(entry: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        check(welcome(entry=entry))
    assert [(problem.code, problem.pointer) for problem in caught.value.problems] == [(code, pointer)]


def test_an_unknown_segment_is_refused_and_a_known_one_is_not_archived_under_the_journey(stage: Stage) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        stage.publish(by_segment())
    assert [(one.code, one.pointer) for one in caught.value.problems] == [("unknown_segment", "/entry/segment")]
    segment = make_segment(stage, GOLD)
    stage.publish(by_segment())
    assert journeys_at(segment) == ["welcome"]


def test_cases_move_people_into_segments_and_out() -> None:
    case = {
        "name": "in twice, and in another once",
        "when": [
            {"enters": "other"},
            {"at": "PT1H", "enters": "vip"},
            {"at": "PT2H", "leaves": "vip"},
            {"at": "PT3H", "enters": "vip"},
        ],
        "then": [{"after": "PT30M", "entered": 0}, {"after": "PT4H", "entered": 1, "refused": ["already_live"]}],
    }
    file = a_file(definition=as_json(by_segment()), cases=[case])
    assert list(run_cases(file)) == []
    assert read(write(file)).definition["entry"] == {"kind": "segment", "segment": "vip"}


def test_who_came_to_be_one_with_a_later_member_is_called_all_the_same(stage: Stage) -> None:
    everybody(stage, gold="ana bia")
    segment = make_segment(stage, GOLD)
    stage.publish(welcome())
    calls.call_in(stage.journeys["welcome"], segment, stage.now)
    first, second = SegmentMembership.objects.filter(segment=segment).order_by("profile_id")
    SegmentMembership.objects.filter(pk=first.pk).update(
        customer_id=second.customer_id, entered_at=stage.now + timedelta(seconds=1)
    )
    build_all(stage.now)
    assert list(Event.objects.filter(name=CALLED).values_list("profile_id", flat=True)) == [second.profile_id]
