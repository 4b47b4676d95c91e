"""Calls within what their connector may make: its rate, its quota of the day, and the money for it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.models.care import ConnectorState
from journeys.models import Call
from tests.journeys.calling import Calling, asking, other_side
from tests.journeys.stage import Stage

PEOPLE = ("ana", "bia", "caio")


@pytest.fixture
def crm(stage: Stage, settings: Any) -> Iterator[Calling]:
    with other_side(stage, settings) as calling:
        calling.system.answer()
        stage.publish(asking())
        for user in PEOPLE:
            stage.know(user)
        yield calling


def limit(crm: Calling, **limits: Any) -> None:
    for name, value in limits.items():
        setattr(crm.connector, name, value)
    crm.connector.save()


def ask_for_all(crm: Calling) -> None:
    for user in PEOPLE:
        crm.stage.happen("customer.signed_up", user)
    crm.call()


def states() -> list[str]:
    return sorted(Call.objects.values_list("state", flat=True))


def test_a_rate_is_kept(crm: Calling) -> None:
    limit(crm, most_per_second=1)
    ask_for_all(crm)
    assert len(crm.system.received) == 1
    crm.call()
    assert len(crm.system.received) == 1
    crm.pass_time(seconds=1)
    assert len(crm.system.received) == 2
    crm.pass_time(seconds=1)
    assert states() == ["answered"] * 3


def test_what_the_day_has_no_room_for_waits_for_the_next(crm: Calling) -> None:
    limit(crm, most_per_day=2)
    ask_for_all(crm)
    assert (len(crm.system.received), states()) == (2, ["answered", "answered", "waiting"])
    waiting = Call.objects.get(state="waiting")
    assert waiting.due_at > crm.stage.now
    assert (waiting.tries, waiting.crashes) == ([], 0)


def test_without_money_nothing_is_asked(crm: Calling) -> None:
    limit(crm, spend_per_day=1, price_per_thousand=1_000)
    ask_for_all(crm)
    assert (len(crm.system.received), states()) == (1, ["answered", "waiting", "waiting"])


def test_what_is_not_begun_uses_up_nothing(crm: Calling) -> None:
    limit(crm, most_per_day=2)
    for user in PEOPLE:
        crm.stage.happen("customer.signed_up", user)
    limit(crm, is_active=False)
    crm.call()
    assert crm.system.received == []
    assert ConnectorState.objects.get().begun == 0
    limit(crm, is_active=True)
    crm.pass_time(minutes=1)
    assert len(crm.system.received) == 2


def test_without_limits_all_are_asked_at_once(crm: Calling) -> None:
    ask_for_all(crm)
    assert (len(crm.system.received), states()) == (3, ["answered"] * 3)
    assert not ConnectorState.objects.exists()


def test_the_next_day_has_room_again(crm: Calling) -> None:
    limit(crm, most_per_day=2)
    ask_for_all(crm)
    crm.stage.now = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
    crm.call()
    assert len(crm.system.received) == 2
