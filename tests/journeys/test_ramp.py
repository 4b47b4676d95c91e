"""A small group first: always the same people, until a person lets everybody in or stops."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from analytics.why import explain_refusal
from customers import clock
from customers.models import AuditEntry
from journeys.code.cases import run_cases
from journeys.definition import InvalidDefinition
from journeys.drafts import NotPossible
from journeys.engine.limits import is_first
from journeys.entry import ramp
from journeys.entry.parts import Ramp
from journeys.models import EntryMemory, EntryRefusal, Journey
from journeys.validate import check
from tests.journeys.stage import T0, Stage, welcome
from tests.journeys.test_code import CASES, a_file, as_json

HALF = {"percent": 50, "compare_on": "2026-03-09"}
PEOPLE = [f"user{n}" for n in range(12)]


def ramped(**more: Any) -> dict[str, Any]:
    return welcome(entry={"event": "customer.signed_up", "reentry": "never", "ramp": HALF} | more)


def sign_up(stage: Stage) -> None:
    for user in PEOPLE:
        stage.accept("customer.signed_up", user)
    stage.run()


@pytest.fixture
def known(stage: Stage) -> Stage:
    for user in PEOPLE:
        stage.accept("identify", user, traits={"email": f"{user}@example.com"}, email=f"{user}@example.com")
        stage.accept("consent.granted", user, properties={"purpose": "news"})
    stage.run()
    return stage


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    user = get_user_model().objects.create_superuser("root")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def inside(stage: Stage) -> set[str]:
    return {run.profile.identifier.value for run in stage.runs()}


def journey(stage: Stage) -> Journey:
    return Journey.objects.select_related("live_version", "brand").get(pk=stage.journeys["welcome"].pk)


def test_the_group_is_the_hundredths_that_were_asked_for_and_a_greater_one_holds_it() -> None:
    of, people = uuid4(), [uuid4() for _n in range(4000)]
    groups = [{one for one in people if is_first(of, one, Ramp(percent=n, compare_on=""))} for n in (1, 10, 50, 100)]
    assert [abs(len(group) / 40 - n) < 3 for group, n in zip(groups, (1, 10, 50, 100), strict=True)] == [True] * 4
    assert groups[0] < groups[1] < groups[2] < groups[3] == set(people)
    # Another journey draws anew.
    assert {one for one in people if is_first(uuid4(), one, Ramp(percent=50, compare_on=""))} != groups[2]


def test_who_is_in_the_group_comes_in_and_who_is_not_is_refused_each_time(known: Stage) -> None:
    known.publish(ramped())
    sign_up(known)
    first = inside(known)
    assert 0 < len(first) < len(PEOPLE)
    assert known.refusals() == ["outside_ramp"] * (len(PEOPLE) - len(first))
    known.pass_time(days=2)
    sign_up(known)
    assert inside(known) == first
    assert known.refusals().count("outside_ramp") == 2 * (len(PEOPLE) - len(first))


def test_to_be_refused_is_not_remembered_so_that_never_again_does_not_keep_them_out(known: Stage) -> None:
    known.publish(ramped())
    sign_up(known)
    first = inside(known)
    assert EntryMemory.objects.count() == len(first)
    ramp.let_everybody_in(journey(known), by=None, now=known.now)
    sign_up(known)
    assert inside(known) == set(PEOPLE)


def test_everybody_stays_let_in_by_later_versions_of_the_same_ramp_only(known: Stage) -> None:
    known.publish(ramped())
    ramp.let_everybody_in(journey(known), by=None, now=known.now)
    known.publish(ramped(reentry="always"))
    assert ramp.standing_ramp(journey(known)) is None
    known.publish(ramped(ramp=HALF | {"percent": 1}))
    assert ramp.standing_ramp(journey(known)) == Ramp(percent=1, compare_on="2026-03-09")


def test_to_stop_lets_nobody_more_in_and_the_group_goes_on(known: Stage) -> None:
    known.publish(ramped())
    sign_up(known)
    first, refused = inside(known), len(known.refusals())
    ramp.stop(journey(known), by=None, now=known.now)
    sign_up(known)
    assert (journey(known).status, inside(known), len(known.refusals())) == ("paused", first, refused)
    known.happen("login.succeeded", sorted(first)[0])
    assert [run.status for run in known.runs()].count(2) == 1


def test_without_a_ramp_there_is_nothing_to_decide(known: Stage) -> None:
    known.publish(welcome())
    for decide in (ramp.let_everybody_in, ramp.stop):
        with pytest.raises(NotPossible):
            decide(journey(known), by=None, now=known.now)
    assert journey(known).ramp_over is None


def test_the_page_shows_how_the_group_fares_and_a_click_lets_everybody_in(
    known: Stage, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "utcnow", lambda: T0)
    known.publish(ramped())
    sign_up(known)
    group = len(inside(known))
    known.happen("login.succeeded", sorted(inside(known))[0])
    address = reverse("admin:journeys_journey_status", args=[journey(known).pk])
    shown = root.get(address)
    assert shown.context["ramp"]["numbers"] == {
        "entered": group, "on_their_way": group - 1, "success": 1, "failure": 0,
        "outside": len(PEOPLE) - group, "is_more": False,
    }  # fmt: skip
    assert "It is time to decide" not in shown.content.decode()
    monkeypatch.setattr(clock, "utcnow", lambda: T0 + timedelta(days=7))
    assert "It is time to decide" in root.get(address).content.decode()
    assert root.post(address, {"do": "let_everybody_in"}).status_code == 302
    assert journey(known).ramp_over == HALF
    assert AuditEntry.objects.filter(action="let_everybody_in").count() == 1
    assert root.get(address).context["ramp"] is None
    # A second click says that it is so already, and changes nothing.
    assert root.post(address, {"do": "stop_ramp"}).status_code == 302
    assert journey(known).status == "live"


def test_why_somebody_is_outside_is_told(known: Stage) -> None:
    known.publish(ramped())
    sign_up(known)
    refusal = EntryRefusal.objects.order_by("id").first()
    assert refusal is not None
    told = explain_refusal(refusal)
    assert (told.reason, told.parts[-1].text) == (
        "outside_ramp", "50 of a hundred people first, to be compared on 2026-03-09.",
    )  # fmt: skip


def test_cases_are_of_somebody_who_is_let_in() -> None:
    assert list(run_cases(a_file(definition=as_json(ramped(ramp=HALF | {"percent": 1})), cases=CASES))) == []


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"percent": 0}, "bad_ramp", "/entry/ramp/percent"),
        ({"percent": 101}, "bad_ramp", "/entry/ramp/percent"),
        ({"compare_on": "soon"}, "bad_date", "/entry/ramp/compare_on"),
        ({"compare_on": "2026-02-30"}, "bad_date", "/entry/ramp/compare_on"),
        ({"compare_on": "20260309"}, "bad_date", "/entry/ramp/compare_on"),
    ],
)
def test_a_ramp_that_makes_no_sense_is_told_at_its_place(changes: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        check(ramped(ramp=HALF | changes))
    assert [(problem.code, problem.pointer) for problem in caught.value.problems] == [(code, pointer)]
