"""What is told of runs that were moved from one version to another: each move by the version it was made in."""

import pytest

from analytics.metrics.branches import branch_distribution
from analytics.metrics.hold_conversion import hold_conversion
from analytics.metrics.message_steps_passed import message_steps_passed
from analytics.metrics.period import ALWAYS
from analytics.metrics.time_in_state import time_in_state
from analytics.metrics.ways import partings
from analytics.why.run import explain_run
from journeys.changeover import PlanRow
from journeys.models import Run
from tests.journeys.stage import Stage, make_stage, welcome
from tests.journeys.test_changeover import move, publish_with, shifted

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    """Ana was moved from version 1 to version 2, whose steps and states have other numbers, and logged in there."""
    stage = make_stage()
    stage.publish(welcome())
    stage.know("ana")
    stage.happen("customer.signed_up")
    other = shifted(hold="wait")
    other["states"] = [other["states"][1], other["states"][0], other["states"][2]]
    publish_with(stage, other, move("wait"))
    stage.pass_time(hours=1)
    stage.happen("login.succeeded")
    return stage


def test_the_way_is_told_by_the_versions_it_was_made_in(stage: Stage) -> None:
    _way, moves = explain_run(stage.the_run())
    assert [(one.step_from, one.step_to, one.state, one.text) for one in moves] == [
        ("", "welcome", "not_activated", "“customer.signed_up” brought them in."),
        ("welcome", "hold", "not_activated", "The message of “welcome” was asked for, and the run went on."),
        (
            "hold",
            "wait",
            "not_activated",
            "Version 2 was published, and who stood at “hold” of version 1 went on in it.",
        ),
        ("wait", "done", "activated", "“login.succeeded” came, which “wait” awaited."),
    ]


def test_the_sums_of_a_journey_still_add_up(stage: Stage) -> None:
    journey = stage.journeys["welcome"].pk
    found = partings(journey, ALWAYS)
    assert {(one.step, one.came, sum(one.left.values())) for one in found} == {("wait", 1, 1), ("hold", 1, 1)}
    for equation in branch_distribution(found, {}):
        assert equation.total == sum(part.count for part in equation.parts)
    assert [(one.step, one.by_event, one.over) for one in hold_conversion(found).holds] == [
        ("wait", 1, 1),
        ("hold", 0, 0),
    ]
    passed = message_steps_passed(journey)
    assert (passed.total, [part.count for part in passed.parts]) == (1, [1])


def test_states_are_told_by_their_names(stage: Stage) -> None:
    states = {one.state: (one.standing, one.finished) for one in time_in_state(stage.journeys["welcome"].pk).states}
    assert states == {"activated": (0, 0), "not_activated": (0, 1), "lost": (0, 0)}


def test_who_was_taken_out_is_told_why(stage: Stage) -> None:
    stage.know("bia")
    stage.happen("customer.signed_up", "bia")
    publish_with(stage, welcome(), PlanRow(version=2, step="wait", then="exit"))
    _way, moves = explain_run(Run.objects.latest("pk"))
    assert moves[-1].text == "A new version was published, and who stood at “wait” was taken out."
    for equation in branch_distribution(partings(stage.journeys["welcome"].pk, ALWAYS), {}):
        assert equation.total == sum(part.count for part in equation.parts)
