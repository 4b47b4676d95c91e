"""What a hold waited for and came after its time is told in the run's history, and changes nothing (BAD_INPUTS 33)."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from analytics.why.late import late_events
from analytics.why.records import load_way
from customers.models import Event
from journeys.models import Transition
from tests.journeys.stage import T0, Stage, welcome

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def lost(stage: Stage) -> Stage:
    """A welcome whose hold ran out."""
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(days=1)
    return stage


def told(stage: Stage) -> list[tuple[str, str]]:
    return [(one.step, one.event.name) for one in late_events(load_way(stage.the_run()))]


def test_what_happened_in_time_and_came_late_is_told(lost: Stage) -> None:
    moves, events = Transition.objects.count(), Event.objects.count()
    lost.pass_time(days=2)
    lost.happen("login.succeeded", at=T0 + timedelta(hours=1))
    assert told(lost) == [("hold", "login.succeeded")]
    [one] = late_events(load_way(lost.the_run()))
    assert (one.event.occurred_at, one.event.received_at) == (T0 + timedelta(hours=1), T0 + 3 * DAY)
    assert one.over_at <= T0 + DAY + timedelta(seconds=1)
    assert (Transition.objects.count(), Event.objects.count()) == (moves, events + 1)


def test_what_happened_after_the_time_was_over_is_not_late(lost: Stage) -> None:
    lost.pass_time(hours=1)
    lost.happen("login.succeeded")
    assert told(lost) == []


def test_what_nobody_waited_for_is_not_late(lost: Stage) -> None:
    lost.pass_time(hours=1)
    lost.happen("page.viewed", at=T0 + timedelta(hours=1))
    assert told(lost) == []


def test_what_happened_before_the_entry_is_not_late(lost: Stage) -> None:
    lost.pass_time(hours=1)
    lost.happen("login.succeeded", at=T0 - timedelta(hours=1))
    assert told(lost) == []


def test_what_came_in_time_is_not_late(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.happen("login.succeeded")
    stage.pass_time(days=2)
    assert told(stage) == []


def test_somebody_else_s_event_is_not_theirs(lost: Stage) -> None:
    lost.pass_time(hours=1)
    lost.happen("login.succeeded", "bia", at=T0 + timedelta(hours=1))
    assert told(lost) == []


def test_the_run_s_page_says_that_it_was_late(lost: Stage) -> None:
    lost.pass_time(hours=1)
    lost.happen("login.succeeded", at=T0 + timedelta(hours=1))
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    page = reverse("admin:journeys_run_change", args=[lost.the_run().pk])
    assert "Heard of too late" in client.get(page, headers={"Accept-Language": "en"}).content.decode()
    portuguese = client.get(page, headers={"Accept-Language": "pt-BR"}).content.decode()
    assert "Soube-se tarde demais" in portuguese
    assert "atrasado" in portuguese
