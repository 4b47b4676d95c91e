"""Who is kept out: an excluded segment, a cap of entries, a cap of journeys at once."""

from datetime import timedelta
from typing import Any

import pytest

from analytics.why import explain_refusal
from consent.models import Purpose
from customers.models import Brand, Segment
from journeys.definition import InvalidDefinition
from journeys.engine import limits as limits_module
from journeys.models import EntryRefusal, Run
from journeys.segment_use import journeys_at
from journeys.validate import check
from tests.journeys.segments import GOLD, make_list, make_segment
from tests.journeys.stage import T0, Stage, message, welcome

SHORT = [message("welcome", next="done"), {"type": "exit", "id": "done", "state": "activated"}]


def entry(**more: Any) -> dict[str, Any]:
    return {"event": "customer.signed_up", "reentry": "always"} | more


def short(**more: Any) -> dict[str, Any]:
    """One letter, and the run is over."""
    return welcome(entry=entry(**more), steps=SHORT)


def allow(stage: Stage, most: int | None) -> None:
    Brand.objects.filter(pk=stage.brand.pk).update(journeys_at_once=most)


def inside() -> list[str]:
    return sorted(Run.objects.filter(status=Run.Status.ACTIVE).values_list("journey__key", flat=True))


def counts() -> list[tuple[str, int | None, int | None]]:
    return list(EntryRefusal.objects.order_by("id").values_list("reason", "counted", "most"))


def why() -> tuple[str, str]:
    """What the why page says decided the only refusal."""
    told = explain_refusal(EntryRefusal.objects.get())
    return told.reason, str(told.parts[-1].text)


# --- the segment that is kept out ---------------------------------------------------------------------------


def test_whoever_is_in_the_excluded_segment_is_refused_and_others_come_in(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(welcome(entry=entry(exclude="vip")))
    stage.know("ana", plan="gold")
    stage.know("bia", plan="basic")
    stage.happen("customer.signed_up", "ana")
    stage.happen("customer.signed_up", "bia")
    assert stage.refusals() == ["excluded"]
    assert [run.profile.identifier.value for run in stage.runs()] == ["bia"]
    assert why() == ("excluded", "Whoever is in “vip” is not let in.")


def test_whoever_has_left_the_excluded_segment_comes_in(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(welcome(entry=entry(exclude="vip")))
    stage.know("ana", plan="gold")
    stage.accept("identify", "ana", traits={"plan": "basic"})
    stage.happen("customer.signed_up", "ana")
    assert (stage.refusals(), len(stage.runs())) == ([], 1)


def test_a_segment_that_is_not_there_cannot_be_excluded(stage: Stage) -> None:
    other = Brand.objects.create(key="other", name="Other")
    Segment.objects.create(brand=other, key="vip", name="VIP")
    with pytest.raises(InvalidDefinition) as caught:
        stage.publish(welcome(entry=entry(exclude="vip")))
    problem = caught.value.problems[0]
    assert (problem.code, problem.pointer) == ("unknown_segment", "/entry/exclude")
    assert problem.hint == "Use the key of a segment of this brand."


def test_a_segment_that_a_journey_keeps_out_is_not_archived_under_it(stage: Stage) -> None:
    kept_out, other = make_list(stage), make_list(stage, "other")
    stage.publish(welcome(entry=entry(exclude="invited")))
    assert (journeys_at(kept_out), journeys_at(other)) == (["welcome"], [])


# --- the cap of entries -------------------------------------------------------------------------------------


def test_a_person_comes_in_so_often_in_any_span_and_not_by_the_calendar(stage: Stage) -> None:
    stage.publish(short(cap={"most": 2, "per": "P7D"}))
    stage.know()
    for hours in (0, 24, 24):
        stage.pass_time(hours=hours)
        stage.happen("customer.signed_up")
    assert counts() == [("entry_cap", 2, 2)]
    assert why() == ("entry_cap", "2 entries in the 7 days before, and at most 2 are allowed.")
    # Seven days after the first, and not a second earlier.
    stage.pass_time(days=5, seconds=-1)
    stage.happen("customer.signed_up")
    stage.pass_time(seconds=1)
    stage.happen("customer.signed_up")
    assert stage.refusals() == ["entry_cap", "entry_cap"]
    assert [run.entered_at - T0 for run in stage.runs()] == [timedelta(days=days) for days in (0, 1, 7)]


def test_entries_of_one_batch_count_for_each_other(stage: Stage) -> None:
    stage.publish(short(cap={"most": 2, "per": "P1D"}))
    stage.know()
    for _again in range(4):
        stage.accept("customer.signed_up")
    stage.run()
    assert (len(stage.runs()), stage.refusals()) == (2, ["entry_cap", "entry_cap"])


def test_the_cap_counts_runs_of_all_keys_and_of_all_the_persons_profiles(stage: Stage) -> None:
    document = short(cap={"most": 1, "per": "P1D"}, key="cart")
    stage.publish(document)
    stage.know("ana", email="ana@example.com")
    stage.happen("customer.signed_up", "ana", properties={"cart": "1"})
    stage.happen("customer.signed_up", "", properties={"cart": "2"}, anonymous_id="phone", email="ana@example.com")
    assert (stage.customers(), len(stage.runs()), stage.refusals()) == (1, 1, ["entry_cap"])


# --- the cap of journeys at once ----------------------------------------------------------------------------


def test_the_journey_of_higher_priority_gets_the_last_place(stage: Stage) -> None:
    allow(stage, 1)
    stage.publish(welcome(entry=entry(priority=20)), "low")
    stage.publish(welcome(entry=entry(priority=80)), "high")
    stage.publish(welcome(entry=entry()), "usual")
    stage.know()
    stage.happen("customer.signed_up")
    assert inside() == ["high"]
    assert counts() == [("concurrency_cap", 1, 1)] * 2


def test_nobody_is_taken_out_for_a_higher_one_and_a_place_that_is_free_again_is_given(stage: Stage) -> None:
    allow(stage, 1)
    stage.publish(welcome(entry=entry(event="cart.created", priority=0)), "low")
    stage.publish(welcome(entry=entry(priority=100)), "high")
    stage.know()
    stage.happen("cart.created")
    stage.happen("customer.signed_up")
    assert inside() == ["low"]
    assert why() == ("concurrency_cap", "1 marketing journeys of the brand at that moment, and at most 1 at once.")
    stage.happen("login.succeeded")
    stage.happen("customer.signed_up")
    assert inside() == ["high"]


def test_another_run_of_a_journey_is_not_another_journey(stage: Stage) -> None:
    allow(stage, 1)
    document = welcome(entry=entry(key="cart"))
    document["steps"][1]["branches"][0]["key"] = "cart"
    stage.publish(document)
    stage.know()
    stage.happen("customer.signed_up", properties={"cart": "1"})
    stage.happen("customer.signed_up", properties={"cart": "2"})
    assert (inside(), stage.refusals()) == (["welcome", "welcome"], [])


def test_journeys_that_are_no_marketing_neither_count_nor_are_refused(stage: Stage) -> None:
    allow(stage, 1)
    Purpose.objects.create(brand=stage.brand, key="orders", name="Orders", kind=Purpose.Kind.SERVICE)
    stage.publish(welcome(purpose="orders"), "service")
    stage.publish(welcome(entry=entry(event="cart.created")), "marketing")
    stage.know()
    stage.happen("cart.created")
    stage.happen("customer.signed_up")
    assert (inside(), stage.refusals()) == (["marketing", "service"], [])


def test_without_a_cap_nothing_is_counted(stage: Stage) -> None:
    stage.publish(welcome(), "one")
    stage.publish(welcome(), "other")
    stage.know()
    stage.happen("customer.signed_up")
    assert (inside(), stage.refusals()) == (["one", "other"], [])


@pytest.mark.parametrize(
    ("limits", "entered"), [({}, 1), ({"exclude": "invited"}, 0), ({"cap": {"most": 1, "per": "P1D"}}, 0)]
)
def test_only_journeys_with_limits_ask_for_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, limits: dict[str, Any], entered: int
) -> None:
    make_list(stage)
    for statement in ("_MEMBERS", "_ENTERED"):
        monkeypatch.setattr(limits_module, statement, "SELECT of nothing")
    stage.publish(short(**limits))
    stage.know()
    stage.happen("customer.signed_up")
    assert len(stage.runs()) == entered


# --- what cannot be published -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "code", "pointer"),
    [
        ({"cap": {"most": 0, "per": "P1D"}}, "bad_cap", "/entry/cap/most"),
        ({"cap": {"most": 1001, "per": "P1D"}}, "bad_cap", "/entry/cap/most"),
        ({"cap": {"most": 1, "per": "PT0S"}}, "duration", "/entry/cap/per"),
        ({"priority": 101}, "bad_priority", "/entry/priority"),
        ({"priority": -1}, "bad_priority", "/entry/priority"),
    ],
)
def test_a_limit_that_makes_no_sense_is_told_at_its_place(limits: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        check(welcome(entry=entry(**limits)))
    assert [(problem.code, problem.pointer) for problem in caught.value.problems] == [(code, pointer)]
