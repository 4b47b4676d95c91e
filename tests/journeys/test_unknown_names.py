"""An event whose name no live run of its customer knows: done with at once, beside whoever works at that customer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from customers.models import Customer
from customers.resolve import resolve_inbox
from journeys.engine.match import match_events
from journeys.models import Run, Transition
from tests.journeys.stage import Stage, make_stage, welcome

pytestmark = pytest.mark.django_db(transaction=True)

# Of another journey, so that the event is asked about at all.
_CART = welcome(
    entry={"event": "cart.left", "rule": {"leaf": "event_property", "name": "total", "op": "gt", "value": 100}},
    exit_events=[{"event": "cart.emptied", "state": "lost"}],
)


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    stage = make_stage()
    stage.publish(welcome())
    stage.publish(_CART, "cart")
    stage.know()
    stage.happen("customer.signed_up")
    return stage


@contextmanager
def somebody_at_work() -> Iterator[None]:
    """Another worker holds every customer."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Customer.objects.select_for_update(no_key=True))
            held.set()
            done.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


def matched(stage: Stage) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '300ms'")
        try:
            return match_events(stage.now)
        finally:
            cursor.execute("RESET lock_timeout")


def test_it_waits_for_nobody_and_moves_nothing(stage: Stage) -> None:
    moves = Transition.objects.count()
    stage.accept("cart.emptied")
    resolve_inbox(stage.now)
    with somebody_at_work():
        assert matched(stage) == 1
    stage.run()
    assert Transition.objects.count() == moves
    assert stage.the_run().status == Run.Status.ACTIVE


def test_one_that_a_run_knows_at_a_step_it_has_not_come_to_waits_for_its_turn(stage: Stage) -> None:
    """The run may be on its way to that step: whoever holds the customer knows."""
    stage.accept("login.succeeded")
    resolve_inbox(stage.now)
    with somebody_at_work():
        assert matched(stage) == 0
    stage.run()
    assert stage.the_run().status == Run.Status.COMPLETED
