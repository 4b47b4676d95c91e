"""Pacing in simulations: the policies of then, over what was sent then and what would have been."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from channels.models import Message
from channels.pacing.rules import About, Counted, Policy, Visit
from consent.models import Preference
from customers.ids import new_id
from journeys.compiling import awaited_names, version
from journeys.simulation.events import stored
from journeys.simulation.pacing import Fate, Wanted, paced
from journeys.simulation.past import Recorded
from journeys.simulation.run import simulate
from journeys.simulation.tally import Tally
from journeys.simulation.unknown import Unknown
from tests.channels.pacing import OFFER, at_most, cap, had, policy, quiet
from tests.journeys.stage import T0, Stage, message, welcome

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
UTC_ZONE = ZoneInfo("UTC")


def fates(wanted: Sequence[Wanted], *policies: Policy, past: Sequence[Counted] = ()) -> list[Fate]:
    return paced(wanted, lambda _at: policies, past, lambda _at: UTC_ZONE)


def want(at: datetime, days: float = 1, about: About = OFFER) -> Wanted:
    return Wanted(at, at + timedelta(days=days), about)


def test_what_would_have_been_sent_counts() -> None:
    assert fates([want(T0), want(T0 + HOUR, days=3)], cap(1, DAY)) == [Fate(T0), Fate(T0 + DAY, "capped")]


def test_what_was_sent_then_counts_from_when_it_was() -> None:
    past = had(T0 + 2 * HOUR)
    told = fates([want(T0), want(T0 + HOUR), want(T0 + 3 * HOUR)], cap(3, DAY), past=past)
    assert told == [Fate(T0), Fate(T0 + HOUR), Fate(T0 + DAY, "capped")]


def test_what_is_held_for_the_night_goes_in_the_morning() -> None:
    night = T0.replace(hour=23)
    assert fates([want(night)], quiet("22:00", "08:00")) == [Fate(night + 9 * HOUR, "quiet_hours")]


def test_service_goes_before_marketing_where_there_is_room_for_one() -> None:
    order = OFFER._replace(purpose_kind="service")
    told = fates([want(T0), want(T0, about=order)], cap(1, DAY, purpose_kind=""))
    assert told == [Fate(None, "capped"), Fate(T0)]


def test_one_message_to_several_devices_counts_once() -> None:
    visits = [Visit("run", "", n, "push") for n in range(3)]
    wanted = [Wanted(T0, T0 + HOUR, OFFER, visits[n // 2]) for n in range(6)]
    assert fates(wanted, cap(2, DAY)) == [Fate(T0)] * 4 + [Fate(None, "capped")] * 2


def journey() -> dict[str, Any]:
    """Two messages at once."""
    return welcome(
        entry={"event": "customer.signed_up", "reentry": "always"},
        steps=[
            message("hello", next="again"),
            message("again", next="done"),
            {"type": "exit", "id": "done", "state": "activated"},
        ],
    )


def simulated(stage: Stage) -> Tally:
    live = version(stage.journeys["welcome"].live_version_id or 0)
    until = stage.now + timedelta(days=30)
    names = awaited_names(live.definition, live.steps)
    return simulate(live, stored(stage.brand.pk, names, T0 - DAY, until), Recorded("UTC"), until).tally


@pytest.fixture
def played(stage: Stage) -> Stage:
    stage.publish(journey())
    stage.know()
    stage.happen("customer.signed_up")
    return stage


def test_without_policies_both_go(played: Stage) -> None:
    told = simulated(played).as_json()
    assert [(one["step"], one["messages"]) for one in told["sent"]] == [("again", 1), ("hello", 1)]
    assert (told["held"], told["blocked"]) == ([], [])


def test_a_cap_of_then_holds_one_back(played: Stage) -> None:
    at_most(played.brand, 1)
    told = simulated(played).as_json()
    assert [one["messages"] for one in told["sent"]] == [1]
    assert [(one["reason"], one["messages"]) for one in told["blocked"]] == [("capped", 1)]


def test_a_cap_that_held_only_later_holds_nothing_back(played: Stage) -> None:
    at_most(played.brand, 1, valid_from=played.now + 10 * DAY)
    assert simulated(played).as_json()["blocked"] == []


def test_a_window_tells_how_much_later_it_would_have_gone(played: Stage) -> None:
    policy(played.brand, "window", starts=(T0 + 5 * HOUR).time(), ends=(T0 + 6 * HOUR).time())
    tally = simulated(played)
    [first, second] = tally.as_json()["held"]
    assert (first["step"], first["reason"], first["messages"]) == ("again", "quiet_hours", 1)
    assert 0 < second["median_seconds"] <= 5 * 3600
    assert Tally.load(tally.version, tally.dump()).as_json() == tally.as_json()


def test_what_other_journeys_sent_counts_and_its_own_is_played_anew(played: Stage) -> None:
    at_most(played.brand, 2)
    own = Message.objects.order_by("pk").first()
    assert own is not None
    Message.objects.update(state="sent", settled_at=own.created_at - HOUR)
    assert simulated(played).as_json()["held"] == []
    Message.objects.update(scope_id=new_id())
    assert [(one["step"], one["messages"]) for one in simulated(played).as_json()["held"]] == [
        ("again", 1),
        ("hello", 1),
    ]


def test_what_is_not_known_of_held_messages_is_said(played: Stage) -> None:
    live = version(played.journeys["welcome"].live_version_id or 0)
    at_most(played.brand, 1)
    found = simulate(live, [], Recorded("UTC"), played.now)
    assert Unknown.HELD_BACK in found.unknown
    assert Unknown.OTHER_SENDS not in found.unknown


def test_how_often_people_wanted_marketing_is_said_not_to_be_known(played: Stage) -> None:
    live = version(played.journeys["welcome"].live_version_id or 0)
    assert Unknown.HOW_OFTEN not in simulate(live, [], Recorded("UTC"), played.now).unknown
    address = Message.objects.exclude(address=None).values_list("address", flat=True)[0]
    Preference.objects.create(brand=played.brand, address_id=address, every_days=7, changed_at=played.now)
    assert Unknown.HOW_OFTEN in simulate(live, [], Recorded("UTC"), played.now).unknown
