"""Events of one customer are worked in the order of receipt, even when an earlier batch is held up."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from customers import work
from customers.models import Event, InboxItem, MatchItem
from customers.resolve import resolve_inbox
from journeys.engine import match
from journeys.engine.advance import advance_due
from journeys.engine.on_their_way import oldest_before
from journeys.models import Run
from tests.journeys.stage import Stage, make_stage, message, welcome

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    stage = make_stage()
    stage.publish(welcome())
    return stage


@contextmanager
def held_up(*names: str) -> Iterator[None]:
    """Another worker holds the inbox rows of these names for a while."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM customers_inbox WHERE name = ANY(%s) FOR UPDATE", [list(names)])
            yield
            cursor.execute("ROLLBACK")
    finally:
        other.close()


def accept_later(stage: Stage, name: str, **more: object) -> None:
    stage.now += timedelta(milliseconds=10)
    stage.accept(name, **more)  # type: ignore[arg-type]  # passed on as they are


def test_an_entry_waits_for_the_address_told_before(stage: Stage) -> None:
    stage.happen("page.viewed")
    email = "ana@example.com"
    accept_later(stage, "identify", traits={"email": email}, email=email)
    accept_later(stage, "consent.granted", properties={"purpose": "news"})
    accept_later(stage, "customer.signed_up")
    with held_up("identify", "consent.granted"):
        stage.run()
        assert Event.objects.filter(name="customer.signed_up").count() == 1
        assert (stage.runs(), stage.refusals()) == ([], [])
    stage.run()
    assert stage.refusals() == []
    assert stage.messages() == [("queued", "")]


def test_an_entry_waits_for_the_consent_that_is_resolved_while_it_is_looked_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.know(granted=False)
    accept_later(stage, "consent.granted", properties={"purpose": "news"})
    accept_later(stage, "customer.signed_up")
    held = ExitStack()
    held.enter_context(held_up("consent.granted"))
    stage.run()

    def resolve_aside() -> None:
        resolve_inbox(stage.now)
        work.close()
        connection.close()

    def resolved_meanwhile(*arguments: Any) -> dict[UUID, int]:
        held.close()
        thread = threading.Thread(target=resolve_aside)
        thread.start()
        thread.join(30)
        assert not thread.is_alive(), "it waits for the batch"
        return oldest_before(*arguments)

    monkeypatch.setattr(match, "oldest_before", resolved_meanwhile)
    match.match_events(stage.now)
    stage.run()
    assert stage.messages() == [("queued", "")]


def test_an_entry_waits_for_the_consent_of_an_event_that_was_resolved_late(stage: Stage) -> None:
    stage.know(granted=False)
    accept_later(stage, "consent.granted", properties={"purpose": "news"})
    accept_later(stage, "customer.signed_up")
    with held_up("consent.granted"):
        stage.run()
    stage.run()
    granted, entered = (Event.objects.get(name=name).id for name in ("consent.granted", "customer.signed_up"))
    assert granted < entered
    assert (stage.refusals(), stage.messages()) == ([], [("queued", "")])


def test_what_others_are_held_up_by_holds_up_nobody_else(stage: Stage) -> None:
    stage.know()
    accept_later(stage, "identify", user="bo", traits={"plan": "gold"})
    accept_later(stage, "customer.signed_up")
    with held_up("identify"):
        stage.run()
        assert InboxItem.objects.count() == 1
        assert len(stage.runs()) == 1


def test_a_later_message_on_its_way_holds_up_nothing(stage: Stage) -> None:
    stage.know()
    accept_later(stage, "customer.signed_up")
    accept_later(stage, "identify", traits={"plan": "gold"})
    with held_up("identify"):
        stage.run()
        assert len(stage.runs()) == 1


def test_a_delay_that_is_over_waits_for_the_exit_event_accepted_in_time(stage: Stage) -> None:
    # The purchase is accepted, but not yet resolved, when the delay ends: who bought is not reminded.
    pause = {"type": "delay", "id": "pause", "state": "not_activated", "after": "PT1H", "next": "remind"}
    stage.publish(
        welcome(
            entry={"event": "cart.left"},
            exit_events=[{"event": "order.completed", "state": "activated"}],
            steps=[pause, message("remind", next="lost"), {"type": "exit", "id": "lost", "state": "lost"}],
        ),
        key="cart",
    )
    stage.know()
    stage.happen("cart.left")
    accept_later(stage, "order.completed")
    stage.now += timedelta(hours=1)
    assert advance_due(stage.now) == 0
    stage.run()
    assert [run.status for run in stage.runs()] == [Run.Status.EXITED]
    assert stage.messages() == []


def test_an_entry_waits_for_the_look_back_of_the_run_that_it_would_find_live(stage: Stage) -> None:
    """Another worker let the end pass, as it could not see the run yet."""
    entry = welcome()["entry"] | {"reentry": "always", "guard": "none", "guard_reason": "test"}
    stage.publish(welcome(entry=entry, exit_events=[{"event": "customer.left", "state": "lost"}]), "again")
    accept_later(stage, "customer.signed_up", user="bia")
    resolve_inbox(stage.now)
    match.match_events(stage.now)
    accept_later(stage, "customer.left", user="bia")
    resolve_inbox(stage.now)
    MatchItem.objects.all().delete()
    accept_later(stage, "customer.signed_up", user="bia")
    resolve_inbox(stage.now)
    assert match.match_events(stage.now) == 0
    stage.run()
    runs = Run.objects.filter(journey__key="again").order_by("id")
    assert [run.status for run in runs] == [Run.Status.EXITED, Run.Status.ACTIVE]
    assert MatchItem.objects.count() == 0
