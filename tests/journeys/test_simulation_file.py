"""Events handed in to be played: read strictly, played without a look at anybody, and gone when that is over."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from customers import jobs
from customers.ids import NIL
from customers.models import Job
from customers.privacy.subject import Naming, Subject
from journeys.models import Journey, SimulatedEvents, Simulation
from journeys.privacy import stop_simulations
from journeys.simulation import events, handed_in, job
from journeys.simulation.handed_in import NotAnEvent, TooManyEvents, by_customer, from_file
from journeys.simulation.past import Assumed
from journeys.simulation.run import simulate
from journeys.simulation.versions import find_version
from tests.journeys.stage import T0, Stage
from tests.journeys.test_author_page import address, document, logged_in, told

pytestmark = pytest.mark.django_db
UNTIL = T0 + timedelta(days=5)


def line(event: str, user: Any, minutes: int = 0, **more: Any) -> str:
    return json.dumps(
        {"event": event, "user_id": user, "occurred_at": (T0 + timedelta(minutes=minutes)).isoformat()} | more
    )


# Two people sign up, one of them logs in; lines are in no order.
LINES = [
    line("login.succeeded", "u-2", 90),
    line("customer.signed_up", "u-1", properties={"plan": "gold", "note": "anastasia@example.com"}),
    "",
    line("customer.signed_up", "u-2", 30),
]


@pytest.fixture
def journey(stage: Stage) -> Journey:
    stage.publish(document())
    return stage.journeys["welcome"]


def asked(journey: Journey, *names: str) -> Simulation:
    found = from_file(LINES, journey.brand_id)
    return job.ask(journey, names, T0 - timedelta(days=1), UNTIL, now=T0, events=found)


def worked(simulation: Simulation) -> Simulation:
    jobs.work_on(lambda: UNTIL, 20)
    return Simulation.objects.select_related("job").get(pk=simulation.pk)


def test_it_finds_what_the_command_finds_and_the_events_are_gone(journey: Journey) -> None:
    done = worked(asked(journey, "live"))
    arrivals = by_customer(from_file(LINES, journey.brand_id))
    alone = simulate(find_version(journey, "live"), arrivals, Assumed(journey.brand.zone), UNTIL)
    assert done.results["live"] == {**alone.tally.as_json(), "unknown": ["people", "at_once", "answers", "before"]}
    assert {one["state"]: one["runs"] for one in done.results["live"]["runs"]} == {"activated": 1, "lost": 1}
    assert (done.job.done, done.job.total, SimulatedEvents.objects.count()) == (3, 3, 0)


def test_in_slices_and_by_two_versions_nothing_is_played_twice(
    journey: Journey, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.publish(document())
    simulation = asked(journey, "1", "2")
    monkeypatch.setattr(job, "together", lambda lives: events.together(lives, 1))
    monkeypatch.setattr(jobs.Slice, "has_time", False)
    done = worked(simulation)
    assert (done.job.fence > 3, done.job.done) == (True, 6)
    assert [found["entered"] for found in done.results.values()] == [2, 2]
    assert SimulatedEvents.objects.count() == 0


def test_what_lies_outside_of_the_span_is_not_played(journey: Journey) -> None:
    found = from_file([*LINES, line("customer.signed_up", "u-3", -60 * 48)], journey.brand_id)
    simulation = job.ask(journey, ["live"], T0, UNTIL, now=T0, events=found)
    assert worked(simulation).results["live"]["entered"] == 2


def test_the_ids_of_a_file_are_not_kept(journey: Journey) -> None:
    data = asked(journey, "live").events.data
    assert "gold" in data
    assert "u-1" not in data


def test_of_a_simulation_that_is_stopped_no_events_stay(journey: Journey) -> None:
    assert jobs.cancel(asked(journey, "live").job_id, T0)
    assert SimulatedEvents.objects.count() == 0


def test_of_a_simulation_that_fails_no_events_stay(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: Any) -> None:
        raise ValueError

    simulation = asked(journey, "live")
    monkeypatch.setattr(job, "play", fail)
    assert worked(simulation).job.state == Job.State.FAILED
    assert SimulatedEvents.objects.count() == 0


def test_an_erasure_stops_what_is_at_work_with_events_that_name_them(journey: Journey) -> None:
    simulation = asked(journey, "live")
    other = Subject(names=(Naming(NIL, "email", "tasia@example.com", "tasia@example.com"),))
    assert (stop_simulations(other, T0), SimulatedEvents.objects.count()) == (0, 1)
    ana = Subject(names=(Naming(NIL, "email", "anastasia@example.com", "anastasia@example.com"),))
    assert (stop_simulations(ana, T0), SimulatedEvents.objects.count()) == (1, 0)
    assert Job.objects.get(pk=simulation.job_id).state == Job.State.CANCELLED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Line 2: it is no JSON object."),
        ("[1]", "Line 2: it is no JSON object."),
        ('{"event": NaN}', "Line 2: it is no JSON object."),
        (b"\xff\xfe{", "Line 2: it is no JSON object."),
        (line("", "u"), "Line 2: “event” is not the name of an event."),
        (line("a\u0000b", "u"), "Line 2: “event” is not the name of an event."),
        (line("x" * 201, "u"), "Line 2: “event” is not the name of an event."),
        (line("login.succeeded", ""), "Line 2: “user_id” does not say whose it is."),
        (line("login.succeeded", True), "Line 2: “user_id” does not say whose it is."),
        (line("login.succeeded", None), "Line 2: “user_id” does not say whose it is."),
        (line("login.succeeded", "u" * 501), "Line 2: “user_id” does not say whose it is."),
        (line("login.succeeded", "u", properties=[1]), "Line 2: “properties” is no object."),
        (line("login.succeeded", "u", occurred_at=7), "Line 2: “occurred_at” is no moment as ISO 8601 writes it."),
        (line("login.succeeded", "u", occurred_at="soon"), "Line 2: “occurred_at” is no moment as ISO 8601 writes it."),
        (
            line("login.succeeded", "u", occurred_at="0001-01-01T00:00:00+14:00"),
            "Line 2: “occurred_at” is no moment as ISO 8601 writes it.",
        ),
        (
            line("login.succeeded", "u", occurred_at="2026-02-30T00:00:00Z"),
            "Line 2: “occurred_at” is no moment as ISO 8601 writes it.",
        ),
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused_with_its_line(journey: Journey, text: str | bytes, why: str) -> None:
    with pytest.raises(NotAnEvent) as refused:
        from_file([LINES[0], text], journey.brand_id)
    assert str(refused.value) == why


def test_a_byte_order_mark_and_a_moment_without_an_offset_are_taken(journey: Journey) -> None:
    text = line("login.succeeded", 7, occurred_at="2026-03-02T12:00:00")
    (found,) = from_file([b"\xef\xbb\xbf" + text.encode()], journey.brand_id)
    assert (found.name, found.occurred_at.isoformat()) == ("login.succeeded", "2026-03-02T12:00:00+00:00")


def test_too_many_are_refused(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed_in, "MOST_EVENTS", 2)
    with pytest.raises(TooManyEvents):
        from_file(LINES, journey.brand_id)


def test_the_command_names_the_line(journey: Journey, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join([*LINES, "nothing"]))
    with pytest.raises(CommandError, match="Line 5: it is no JSON object"):
        call_command("simulate", "welcome", "--file", str(file))


def test_a_file_is_handed_in_on_the_page(journey: Journey) -> None:
    root = logged_in(get_user_model().objects.create_superuser("root"))
    given = {"do": "ask", "versions": ["live", ""], "since": "2026-03-01", "until": "2026-03-06"}
    file = SimpleUploadedFile("people.jsonl", "\n".join(LINES).encode())
    answer = root.post(address(journey, "simulations"), given | {"events": file})
    assert told(answer) == ["The simulation begins in a moment."]
    worked(Simulation.objects.get())
    page = root.get(answer["Location"]).content.decode()
    assert "everybody is taken to have agreed" in page
    assert "events from a file" in page
    assert "people.jsonl" not in page


@pytest.mark.parametrize(
    ("data", "most", "why"),
    [
        (b"\x89PNG\r\n\x1a\n", 100, "Line 1: it is no JSON object."),
        ("\n".join(LINES).encode(), 10, "At most 50,000 events can be handed in."),
    ],
)
def test_a_file_that_is_none_or_too_large_is_refused(
    journey: Journey, monkeypatch: pytest.MonkeyPatch, data: bytes, most: int, why: str
) -> None:
    monkeypatch.setattr("journeys.admin.simulations.MOST_BYTES", most)
    root = logged_in(get_user_model().objects.create_superuser("root"))
    given = {"do": "ask", "versions": ["live"], "since": "2026-03-01", "until": "2026-03-06"}
    page = root.post(address(journey, "simulations"), given | {"events": SimpleUploadedFile("x.jsonl", data)})
    assert told(page) == [why]
    assert Simulation.objects.count() == 0
