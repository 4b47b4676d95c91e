"""Whoever withdrew since they came in is told of to nobody: the guard of the journey is asked before every attempt."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from analytics.why import explain_run
from consent.models import ConsentEntry, Purpose
from customers import dead_letters
from customers.models import AddressProfile, DeadLetter
from journeys.models import Call, Cause, Run, Transition
from tests.journeys.calling import RETRY, Calling, ask, other_side
from tests.journeys.stage import T0, Stage, message, welcome


@pytest.fixture
def crm(stage: Stage, settings: Any) -> Iterator[Calling]:
    with other_side(stage, settings) as one:
        one.system.answers = [(503, {}, b""), (200, {}, b"{}")]
        yield one


def writing(*, guard: str | None = None, **more: Any) -> dict[str, Any]:
    """Write, ask, and be done or lost; the message is what the guard is asked about."""
    entry = {"event": "customer.signed_up"} | ({"guard": guard} if guard else {})
    entry |= {"guard_reason": "Needed for the contract."} if guard == "none" else {}
    steps = [message("hello", next="ask"), ask(**{"retry": [RETRY], "catch": CATCH} | more)]
    return welcome(entry=entry, steps=[*steps, *welcome()["steps"][3:]])


CATCH = [{"errors": ["all"], "next": "lost"}]


def withdraw(crm: Calling, purpose: str = "news") -> None:
    crm.stage.happen("consent.withdrawn", properties={"purpose": purpose})


def test_who_withdrew_between_two_attempts_is_told_of_once_only(crm: Calling) -> None:
    crm.begin(writing())
    crm.call()
    assert (crm.the_call().state, len(crm.system.received)) == ("waiting", 1)
    withdraw(crm)
    crm.pass_time(seconds=10)
    call = crm.the_call()
    assert (call.state, call.error, call.attempts, len(crm.system.received)) == ("failed", "not_permitted", 1, 1)
    entry = ConsentEntry.objects.latest("id")
    assert [(one["error"], one.get("consent")) for one in call.tries] == [
        ("status_503", None),
        ("not_permitted", entry.pk),
    ]
    assert (crm.where(), crm.the_run().status) == ("lost", Run.Status.COMPLETED)
    assert Transition.objects.latest("seq").cause == Cause.CAUGHT


def test_who_withdrew_before_the_first_attempt_is_told_of_never(crm: Calling) -> None:
    crm.begin(writing())
    withdraw(crm)
    crm.call()
    assert (crm.the_call().error, crm.the_call().attempts, crm.system.received) == ("not_permitted", 0, [])


def test_who_still_permits_it_is_asked_about_again(crm: Calling) -> None:
    crm.begin(writing())
    crm.call()
    crm.pass_time(seconds=10)
    assert (crm.where(), crm.the_call().state, len(crm.system.received)) == ("done", "answered", 2)


def test_another_purpose_is_no_objection(crm: Calling) -> None:
    Purpose.objects.create(brand=crm.stage.brand, key="ads", name="Ads", kind=Purpose.Kind.MARKETING)
    crm.begin(writing())
    withdraw(crm, "ads")
    crm.call()
    assert len(crm.system.received) == 1


def test_a_journey_that_asked_for_nothing_at_entry_asks_for_nothing_now(crm: Calling) -> None:
    crm.begin(writing(guard="none"))
    crm.call()
    withdraw(crm)
    crm.pass_time(seconds=10)
    assert (crm.where(), len(crm.system.received)) == ("done", 2)


def test_who_has_no_address_any_more_is_told_of_to_nobody(crm: Calling) -> None:
    crm.begin(writing())
    AddressProfile.objects.all().delete()
    crm.call()
    assert (crm.the_call().error, crm.system.received) == ("not_permitted", [])


def test_what_nothing_catches_has_a_letter_and_goes_on_once_they_agree_anew(crm: Calling) -> None:
    crm.begin(writing(catch=[{"errors": ["timeout"], "next": "lost"}]))
    withdraw(crm)
    crm.call()
    letter = DeadLetter.objects.get()
    assert (letter.reason, crm.the_run().status) == ("not_permitted", Run.Status.FAILED)
    assert dead_letters.replay([letter.pk], crm.stage.now) == 1
    crm.call()
    assert (crm.the_call().error, crm.system.received) == ("not_permitted", [])
    crm.stage.now += timedelta(hours=1)
    crm.stage.happen("consent.granted", properties={"purpose": "news"})
    assert dead_letters.replay([DeadLetter.objects.latest("id").pk], crm.stage.now) == 1
    crm.call()
    crm.pass_time(seconds=10)
    assert (crm.where(), len(crm.system.received)) == ("done", 2)


def test_of_many_only_those_who_withdrew_are_left_out(crm: Calling) -> None:
    crm.system.answers = [(200, {}, b"{}")]
    crm.stage.publish(writing())
    for user in ("ana", "bia", "caio"):
        crm.stage.know(user)
        crm.stage.happen("customer.signed_up", user)
    crm.stage.happen("consent.withdrawn", "bia", properties={"purpose": "news"})
    crm.call()
    assert list(Call.objects.order_by("id").values_list("error", flat=True)) == ["", "not_permitted", ""]
    assert len(crm.system.received) == 2


def test_why_tells_it_in_words(crm: Calling) -> None:
    crm.begin(writing())
    withdraw(crm)
    crm.call()
    _way, moves = explain_run(crm.the_run())
    assert moves[-1].text == (
        "At “ask” the other system “crm” was to be asked, but the person no longer permits what the journey is for: "
        "branch 1 of what is done about errors was taken."
    )
    assert crm.the_call().settled_at == T0


def test_why_tells_it_of_a_run_that_ended_by_it(crm: Calling) -> None:
    crm.begin(writing(catch=[{"errors": ["timeout"], "next": "lost"}]))
    withdraw(crm)
    crm.call()
    _way, moves = explain_run(crm.the_run())
    assert str(moves[-1].text).endswith("; nothing caught that, and the run ended. Its dead letter can be replayed.")
