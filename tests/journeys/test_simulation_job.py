"""Simulations as jobs: in slices, stopped on demand, with what they found kept and shown."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from customers import jobs
from customers.models import Job
from journeys import drafts
from journeys.compiling import awaited_names
from journeys.definition import InvalidDefinition
from journeys.drafts import NotPossible
from journeys.models import Journey, Run, Simulation
from journeys.simulation import events, job
from journeys.simulation.events import stored
from journeys.simulation.past import Recorded
from journeys.simulation.run import simulate
from journeys.simulation.versions import NoSuchVersion, find_version
from tests.journeys.stage import T0, Stage
from tests.journeys.test_author_page import address, document, logged_in, staff, told

pytestmark = pytest.mark.django_db
UNTIL = T0 + timedelta(days=5)


@pytest.fixture
def journey(stage: Stage) -> Journey:
    """Three people came in; one logged in within the day. The draft waits for two hours only."""
    stage.publish(document())
    for user in ("ana", "bia", "caio"):
        stage.know(user)
        stage.happen("customer.signed_up", user)
    stage.now += timedelta(hours=3)
    stage.happen("login.succeeded", "ana")
    journey = stage.journeys["welcome"]
    hasty = document()
    hasty["steps"][1]["timeout"]["after"] = "PT2H"
    drafts.save_draft(journey, hasty, by=None, now=T0, lock=0)
    journey.refresh_from_db()
    return journey


@pytest.fixture
def root() -> Client:
    return logged_in(get_user_model().objects.create_superuser("root"))


def asked(journey: Journey, *names: str) -> Simulation:
    return job.ask(journey, names, T0 - timedelta(days=1), UNTIL, by=None, now=T0)


def worked(simulation: Simulation) -> Simulation:
    jobs.work_on(lambda: UNTIL, 20)
    return Simulation.objects.select_related("job").get(pk=simulation.pk)


def states(found: dict[str, Any]) -> dict[str, int]:
    return {one["state"]: one["runs"] for one in found["runs"]}


def test_two_versions_are_played_over_the_same_events_and_nothing_is_written(journey: Journey) -> None:
    before = list(Run.objects.values())
    done = worked(asked(journey, "live", "draft"))
    assert (done.job.state, done.job.done, done.job.total) == (Job.State.DONE, 8, 8)
    assert [found["entered"] for found in done.results.values()] == [3, 3]
    assert states(done.results["live"]) == {"activated": 1, "lost": 2}
    assert states(done.results["draft"]) == {"lost": 3}
    assert list(Run.objects.values()) == before


def test_in_slices_it_finds_what_one_go_finds(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    version = find_version(journey, "live")
    names = awaited_names(version.definition, version.steps)
    since = T0 - timedelta(days=1)
    whole = simulate(version, stored(journey.brand_id, names, since, UNTIL), Recorded(journey.brand.zone), UNTIL)
    monkeypatch.setattr(job, "together", lambda lives: events.together(lives, 1))
    monkeypatch.setattr(jobs.Slice, "has_time", False)
    simulation = asked(journey, "live")
    done = worked(simulation)
    assert done.job.fence >= 3
    assert {**done.results["live"], "unknown": None} == {**whole.tally.as_json(), "unknown": None}


def test_a_draft_is_played_as_it_was_when_it_was_asked_for(journey: Journey) -> None:
    simulation = asked(journey, "draft")
    drafts.save_draft(journey, document(), by=None, now=T0, lock=journey.draft_revision)
    assert states(worked(simulation).results["draft"]) == {"lost": 3}


def test_a_stopped_one_finds_nothing_more(journey: Journey) -> None:
    simulation = asked(journey, "live")
    assert jobs.cancel(simulation.job_id, T0)
    done = worked(simulation)
    assert (done.job.state, done.results) == (Job.State.CANCELLED, {})


@pytest.mark.parametrize("names", [(), ("live", "live"), ("live", "draft", "1")])
def test_one_version_or_two_different_ones(journey: Journey, names: tuple[str, ...]) -> None:
    with pytest.raises(NotPossible):
        asked(journey, *names)
    assert Job.objects.count() == 0


@pytest.mark.parametrize("until", [T0, T0 - timedelta(days=1), T0 + timedelta(days=401)])
def test_a_span_that_is_none_or_too_long_is_refused(journey: Journey, until: datetime) -> None:
    with pytest.raises(NotPossible):
        job.ask(journey, ["live"], T0, until, by=None, now=T0)
    assert Simulation.objects.count() == 0


def test_what_is_no_version_or_cannot_be_published_is_refused(journey: Journey) -> None:
    with pytest.raises(NoSuchVersion):
        asked(journey, "7")
    Journey.objects.filter(pk=journey.pk).update(draft=document(purpose="gossip"))
    journey.refresh_from_db()
    with pytest.raises(InvalidDefinition):
        asked(journey, "draft")
    assert Job.objects.count() == 0


def test_the_page_asks_shows_progress_and_what_was_found(root: Client, journey: Journey) -> None:
    given = {"do": "ask", "versions": ["live", "draft"], "since": "2026-03-01", "until": "2026-03-06"}
    answer = root.post(address(journey, "simulations"), given)
    assert told(answer) == ["The simulation begins in a moment."]
    assert "Stop the simulation" in root.get(answer["Location"]).content.decode()
    worked(Simulation.objects.get())
    page = root.get(answer["Location"]).content.decode()
    assert "8 of 8 events" in page
    assert "hold → done (awaited event 1)" in page
    assert "1 (33 %)" in page
    assert "email: remind" in page
    assert "What could not be known" in page
    assert "Stop the simulation" not in page


def test_the_page_stops_one(root: Client, journey: Journey) -> None:
    simulation = asked(journey, "live")
    answer = root.post(address(journey, "simulations"), {"do": "stop", "simulation": str(simulation.pk)})
    assert told(answer) == ["The simulation was stopped."]
    assert Job.objects.get().state == Job.State.CANCELLED


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": "yesterday"},
        {"since": "2026-02-30"},
        {"since": "2026-03-09"},
        {"versions": ["9"]},
        {"versions": [""]},
        {"versions": ["live", "live"]},
    ],
)
def test_the_page_says_what_is_wrong_and_asks_for_nothing(root: Client, journey: Journey, wrong: Any) -> None:
    given = {"do": "ask", "versions": ["live"], "since": "2026-03-01", "until": "2026-03-06"} | wrong
    assert len(told(root.post(address(journey, "simulations"), given))) == 1
    assert Simulation.objects.count() == 0


def test_who_may_not_write_asks_for_none_and_others_are_not_found(stage: Stage, journey: Journey) -> None:
    simulation = asked(journey, "live")
    reader = logged_in(staff("rea", stage.brand, "view_journey"))
    assert reader.get(address(journey, "simulations"), {"show": str(simulation.pk)}).status_code == 200
    assert (
        reader.post(address(journey, "simulations"), {"do": "stop", "simulation": str(simulation.pk)}).status_code
        == 403
    )
    root = logged_in(get_user_model().objects.create_superuser("root"))
    for unknown in ("x", "00000000-0000-7000-8000-000000000000"):
        assert root.get(address(journey, "simulations"), {"show": unknown}).status_code == 404
        assert root.post(address(journey, "simulations"), {"do": "stop", "simulation": unknown}).status_code == 404
