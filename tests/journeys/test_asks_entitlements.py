"""Splits, exit rules, segments and simulations ask what somebody was granted."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from channels.entitlements import ledger
from channels.entitlements.ledger import Act, Grant
from channels.models import Entitlement, Origin
from customers.models import Profile
from customers.pg import raw_cursor
from journeys.engine import asking
from journeys.models import RuleInputs
from tests.journeys.segments import inside, make_segment, spells
from tests.journeys.stage import Stage, make_stage, welcome
from tests.journeys.test_asks import journey, pause, split, taken
from tests.journeys.test_asks_in_virtual_time import ways_of_split
from tests.journeys.test_entitlement_step import FREE, entitle
from tests.journeys.test_simulation import simulated

HAS = {"leaf": "entitlement", "key": "free_shipping"}


def given(
    stage: Stage, user: str = "ana", quantity: int | None = 1, key: str = "till-1", days: int | None = None
) -> Any:
    profile = Profile.objects.get(identifier__value=user)
    until = None if days is None else stage.now + timedelta(days=days)
    grant = Grant(stage.brand.pk, profile.pk, "free_shipping", Act(Origin.API, "till", key), quantity, until)
    with transaction.atomic(), raw_cursor() as cursor:
        return ledger.grant_one(cursor, grant, stage.now)[0]


@pytest.mark.parametrize(("quantity", "way"), [(0, "lost"), (1, "lost"), (2, "done"), (None, "done")])
def test_a_split_asks_how_often_it_may_be_used_still(stage: Stage, quantity: int | None, way: str) -> None:
    stage.publish(journey(pause(), split(HAS | {"at_least": 2})))
    stage.know()
    stage.happen("customer.signed_up")
    if quantity != 0:
        given(stage, quantity=quantity)
    stage.pass_time(hours=1)
    assert taken(stage) == way
    seen = {"entitlement.free_shipping": "uncounted" if quantity is None else quantity}
    assert RuleInputs.objects.get().facts == seen


def test_right_behind_the_step_that_grants_it_is_there(stage: Stage) -> None:
    steps = [entitle(next="split", quantity=1), split(HAS), *welcome()["steps"][3:]]
    stage.publish(welcome(entry=FREE, steps=steps))
    stage.happen("customer.signed_up")
    assert taken(stage) == "done"
    assert ways_of_split(simulated(stage).tally) == {"done": 1}


def test_where_it_was_taken_back_right_before_it_is_gone(stage: Stage) -> None:
    steps = [entitle(next="split", do="revoke"), split(HAS), *welcome()["steps"][3:]]
    stage.publish(welcome(entry=FREE, steps=steps))
    stage.know()
    given(stage)
    stage.happen("customer.signed_up")
    assert (taken(stage), Entitlement.objects.get().state) == ("lost", "revoked")


def test_a_simulation_knows_what_the_till_had_granted_by_then_and_until_when(stage: Stage) -> None:
    stage.publish(journey(pause(), split(HAS)))
    for user, days in (("ana", 9), ("bia", None), ("caio", 9)):
        stage.know(user)
        stage.happen("customer.signed_up", user)
        if user != "bia":
            given(stage, user, key=user, days=days)
    with transaction.atomic(), raw_cursor() as cursor:
        ids = [Entitlement.objects.get(idempotency_key="caio").pk]
        ledger.revoke(cursor, ids, Act(Origin.API, "till", "back"), "", stage.now)
    stage.pass_time(hours=1)
    assert [stage.steps_of(run)[-1] for run in stage.runs()] == ["done", "lost", "lost"]
    # What came afterwards changes nothing of what was.
    stage.pass_time(minutes=1)
    given(stage, "bia", key="late")
    assert ways_of_split(simulated(stage).tally) == {"done": 1, "lost": 2}


def test_a_segment_takes_in_and_lets_go_as_the_ledger_is_written_and_as_time_passes(stage: Stage) -> None:
    stage.know()
    segment = make_segment(stage, HAS)
    assert inside(segment) == set()
    id_ = given(stage, days=2)
    stage.pass_time(minutes=1)
    assert inside(segment) == {"ana"}
    stage.pass_time(days=2)
    assert (inside(segment), spells(segment)) == (set(), [(True, False)])
    assert Entitlement.objects.get().pk == id_


def test_where_nothing_asks_for_it_nothing_of_it_is_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "held", lambda *_given: pytest.fail("read"))
    stage.publish(journey(pause(), split({"leaf": "attribute", "name": "plan", "op": "eq", "value": "gold"})))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    assert taken(stage) == "lost"


@pytest.mark.django_db(transaction=True)
def test_the_till_waits_for_a_step_that_looks_at_what_they_have() -> None:
    stage = make_stage()
    stage.know()

    def grants() -> None:
        try:
            given(stage)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), raw_cursor() as cursor:
            # As the step holds them.
            cursor.execute("SELECT id FROM customers_customer FOR NO KEY UPDATE")
            granting = pool.submit(grants)
            assert wait([granting], timeout=0.5).not_done
        granting.result(timeout=30)
    assert Entitlement.objects.count() == 1
