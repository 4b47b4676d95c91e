"""Staff let a segment into a journey now, from its page, and see what came of it."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from customers import clock
from customers.models import AuditEntry, Brand, Job, Segment
from journeys.entry.calls import KIND
from tests.customers.test_import_pages import client_of, marketer
from tests.journeys.segments import GOLD, build_all, make_segment
from tests.journeys.stage import T0, Stage, welcome


@pytest.fixture
def root(db: None, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(clock, "utcnow", lambda: T0)
    client = Client()
    user = get_user_model().objects.create_superuser("root")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(stage: Stage) -> str:
    return reverse("admin:journeys_journey_status", args=[stage.journeys["welcome"].pk])


def call(root: Client, stage: Stage, key: str = "vip") -> list[str]:
    answer: Any = root.post(page(stage), {"do": "call_in", "segment": key})
    # What was said before stands there still, as nobody has opened the page since.
    return [str(message) for message in get_messages(answer.wsgi_request)][-1:]


def test_a_segment_is_called_into_a_journey_that_an_event_begins(stage: Stage, root: Client) -> None:
    for user, granted in (("ana", True), ("bia", True), ("ivo", False)):
        stage.know(user, granted=granted, plan="gold")
    stage.know("eva", plan="basic")
    make_segment(stage, GOLD)
    stage.publish(welcome())
    assert call(root, stage) == ["They are being called in; below you see how far it is."]
    build_all(stage.now)
    (waiting,) = root.get(page(stage)).context["calls"]
    assert (waiting.job.done, waiting.let_in, waiting.refused, waiting.undecided) == (3, 0, [], 3)
    stage.run()
    (told,) = root.get(page(stage)).context["calls"]
    assert (told.job.state, told.let_in, told.refused, told.undecided) == ("done", 2, [("no consent", 1)], 0)
    assert sorted(run.profile.identifier.value for run in stage.runs()) == ["ana", "bia"]
    assert AuditEntry.objects.filter(action="call_in").count() == 1


def test_of_a_segment_that_tells_personal_data_the_numbers_are_told_in_tens(stage: Stage, root: Client) -> None:
    for user in ("ana", "bia", "eva"):
        stage.know(user, plan="gold")
    segment = make_segment(stage, GOLD)
    assert segment.is_personal
    stage.publish(welcome())
    call(root, stage)
    build_all(stage.now)
    stage.run()
    job = Job.objects.get(kind=KIND)
    rights = ("view_brand", "change_brand")
    for reader, words in ((marketer("masked", stage.brand, *rights), "fewer than 10"),
                        (marketer("reader", stage.brand, *rights, "view_pii"), "3 / 3")):  # fmt: skip
        client = client_of(reader)
        (told,) = client.get(page(stage)).context["calls"]
        assert told.called_words == words
        assert (told.let_in_words == "3") is (reader.username == "reader")
        for address in (page(stage), reverse("admin:customers_job_change", args=[job.pk])):
            shown = client.get(address).content.decode()
            assert ("fewer than 10" in shown) is (reader.username == "masked")


def test_one_call_at_a_time_and_each_is_told_apart(stage: Stage, root: Client) -> None:
    stage.know("ana", plan="gold")
    make_segment(stage, GOLD)
    stage.publish(welcome())
    call(root, stage)
    assert call(root, stage) == ["People are being called in already: wait until that is done, or stop that job."]
    build_all(stage.now)
    stage.run()
    call(root, stage)
    build_all(stage.now)
    stage.run()
    newest, first = root.get(page(stage)).context["calls"]
    assert (first.let_in, first.refused) == (1, [])
    assert (newest.let_in, newest.refused) == (0, [("a run of this key is live", 1)])


@pytest.mark.parametrize("key", ["", "nothing", "elsewhere", "draft"])
def test_a_segment_that_is_not_there_calls_nobody(stage: Stage, root: Client, key: str) -> None:
    other = Brand.objects.create(key="other", name="Other")
    Segment.objects.create(brand=other, key="elsewhere", name="E", state=Segment.State.LIVE)
    Segment.objects.create(brand=stage.brand, key="draft", name="D")
    stage.publish(welcome())
    assert call(root, stage, key) == ["There is no such segment, or nobody knows yet who is in it."]
    assert Job.objects.filter(kind=KIND).count() == 0
