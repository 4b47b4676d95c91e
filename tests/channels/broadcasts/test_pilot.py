"""A few first: how they fared is held against the limits, and the rule, or a person, says what follows."""

from dataclasses import replace
from datetime import timedelta
from hashlib import md5
from typing import Any

import pytest
from django.contrib.auth.models import User

from channels.broadcasts import halt, pilot
from channels.broadcasts.pilot import Fared, fared, limits
from channels.broadcasts.states import By, NotPossible
from channels.broadcasts.tally import numbers
from channels.models import Broadcast, BroadcastMove, BroadcastRecipient, Message, Receipt
from consent.ledger import append
from consent.models import Method
from customers.ids import new_id
from customers.models import Address
from tests.channels.broadcasts.stage import (
    HOUR,
    MINUTE,
    bring_on,
    crowd,
    fresh,
    make_segment,
    messages,
    outcomes,
    put_in,
    started,
)
from tests.channels.world import NOW, World
from tests.consent.people import new_entry


def piloted(world: World, number: int = 12, **fields: Any) -> Broadcast:
    """One whose pilot group was written to."""
    segment = make_segment(world)
    put_in(segment, crowd(world, number))
    usual: dict[str, Any] = {"pilot_percent": 50, "pilot_wait": 4 * HOUR, "pilot_verdict": "go_on"}
    broadcast = started(world, segment, **(usual | fields))
    assert bring_on(broadcast) == "waiting"
    return fresh(broadcast)


def of_pilot(broadcast: Broadcast) -> list[Message]:
    ids = [str(id_) for id_ in BroadcastRecipient.objects.filter(is_pilot=True).values_list("id", flat=True)]
    return list(Message.objects.filter(scope_id=broadcast.pk, origin_id__in=ids).order_by("id"))


def of(broadcast: Broadcast) -> list[BroadcastRecipient]:
    return list(BroadcastRecipient.objects.filter(broadcast=broadcast))


def test_the_pilot_group_alone_is_written_to_first(world: World) -> None:
    broadcast = piloted(world)
    pilots = BroadcastRecipient.objects.filter(broadcast=broadcast, is_pilot=True)
    assert 0 < pilots.count() < 12
    assert messages(broadcast).total() == pilots.count() == pilots.filter(outcome="made").count()
    assert broadcast.pilot_over_at == NOW
    assert bring_on(broadcast, NOW + 4 * HOUR - timedelta(seconds=1)) == "waiting"


def test_within_the_limits_it_goes_on_by_itself_and_keeps_the_numbers(world: World) -> None:
    broadcast = piloted(world, most_bounced=5.0, least_delivered=50.0)
    Message.objects.filter(scope_id=broadcast.pk).update(state="delivered", settled_at=NOW)
    first = len(of_pilot(broadcast))
    assert bring_on(broadcast, NOW + 4 * HOUR) == "sending"
    assert outcomes(broadcast) == {"made": 12}
    decided = BroadcastMove.objects.get(broadcast=broadcast, state_from="waiting")
    assert (decided.state_to, decided.reason, decided.by_id) == ("sending", "pilot_within_limits", None)
    assert ((decided.numbers or {})["handed_over"], (decided.numbers or {})["delivered"]) == (first, first)
    assert [one["is_kept"] for one in (decided.numbers or {})["limits"]] == [True, True]
    assert fresh(broadcast).decided_at == NOW + 4 * HOUR


def test_beyond_the_limits_it_stops_by_itself(world: World) -> None:
    broadcast = piloted(world, most_bounced=5.0)
    Message.objects.filter(scope_id=broadcast.pk).update(state="failed", reason="bounced", settled_at=NOW)
    first = len(of_pilot(broadcast))
    assert bring_on(broadcast, NOW + 4 * HOUR) == "stopped"
    assert outcomes(broadcast) == {"made": first, "stopped": 12 - first}
    decided = BroadcastMove.objects.get(broadcast=broadcast, state_from="waiting")
    assert (decided.state_to, decided.reason) == ("stopped", "pilot_beyond_limits")
    assert (decided.numbers or {})["limits"][0]["reached"] == 100.0


@pytest.mark.parametrize("verdict", ["go_on", "ask"])
def test_a_pilot_group_that_was_handed_nothing_asks_a_person(world: World, verdict: str) -> None:
    broadcast = piloted(world, most_bounced=5.0, pilot_verdict=verdict)
    Message.objects.filter(scope_id=broadcast.pk).update(state="suppressed", reason="capped", settled_at=NOW)
    for hours in (4, 5):
        assert bring_on(broadcast, NOW + hours * HOUR) == "waiting"
    asked = BroadcastMove.objects.filter(broadcast=broadcast, state_from="waiting")
    assert [(one.state_to, one.reason) for one in asked] == [("waiting", "pilot_reached_nobody")]
    assert outcomes(broadcast)[""] > 0


@pytest.mark.parametrize("state", ["queued", "held", "leased", "dispatching"])
def test_nothing_is_decided_while_any_of_the_group_waits(world: World, state: str) -> None:
    broadcast = piloted(world, number=30)
    Message.objects.filter(scope_id=broadcast.pk).update(state="sent", settled_at=NOW)
    last = of_pilot(broadcast)[-1]
    Message.objects.filter(pk=last.pk).update(state=state, reason="", settled_at=None, due_at=NOW + 10 * HOUR)
    assert bring_on(broadcast, NOW + 9 * HOUR) == "waiting"
    assert not BroadcastMove.objects.filter(state_from="waiting").exists()
    assert fresh(broadcast).pilot_over_at == NOW


def test_it_is_waited_from_the_last_that_came_to_its_end(world: World) -> None:
    broadcast = piloted(world, number=30)
    Message.objects.filter(scope_id=broadcast.pk).update(state="sent", settled_at=NOW)
    last, late = of_pilot(broadcast)[:2]
    Message.objects.filter(pk=last.pk).update(settled_at=NOW + 10 * HOUR)
    Message.objects.filter(pk=late.pk).update(state="failed", reason="bounced", settled_at=NOW + 12 * HOUR)
    second = timedelta(seconds=1)
    assert bring_on(broadcast, NOW + 12 * HOUR) == "waiting"
    assert fresh(broadcast).pilot_over_at == NOW + 10 * HOUR
    assert bring_on(broadcast, NOW + 14 * HOUR - second) == "waiting"
    assert bring_on(broadcast, NOW + 14 * HOUR) == "sending"


def test_what_was_agreed_to_by_a_message_is_no_withdrawal(world: World) -> None:
    broadcast = piloted(world, number=20)
    message = of_pilot(broadcast)[0]
    Message.objects.filter(scope_id=broadcast.pk).update(state="delivered", settled_at=NOW)
    address = Address.objects.get(pk=str(message.address_id))
    entry = new_entry(address, None, world.purpose, "given", NOW, Method.LINK)
    append([replace(entry, message_id=str(message.pk))], NOW)
    assert fared(broadcast.pk).unsubscribed == 0


def test_of_few_people_one_goes_first_however_small_the_share(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 3))
    broadcast = started(world, segment, pilot_percent=1, pilot_wait=HOUR, pilot_verdict="go_on")
    assert bring_on(broadcast) == "waiting"
    pilots = BroadcastRecipient.objects.filter(broadcast=broadcast, is_pilot=True)
    salted = {md5(f"{broadcast.pk}:{one.profile_id}".encode()).hexdigest(): one.pk for one in of(broadcast)}
    assert [one.pk for one in pilots] == [salted[min(salted)]]
    assert (numbers(broadcast.pk, pilot_only=True).recipients, messages(broadcast).total()) == (1, 1)


def test_of_nobody_at_all_no_pilot_group_is_waited_for(world: World) -> None:
    broadcast = started(world, make_segment(world), pilot_percent=10, pilot_verdict="person")
    assert bring_on(broadcast) == "done"


def test_beyond_the_limits_a_person_is_asked_once_where_the_rule_says_so(world: World) -> None:
    broadcast = piloted(world, pilot_verdict="ask", least_opened=10.0)
    Message.objects.filter(scope_id=broadcast.pk).update(state="sent", settled_at=NOW)
    for hours in (4, 5, 6):
        assert bring_on(broadcast, NOW + hours * HOUR) == "waiting"
    asked = BroadcastMove.objects.filter(broadcast=broadcast, state_from="waiting")
    assert [(one.state_to, one.reason) for one in asked] == [("waiting", "pilot_asks_a_person")]
    somebody = User.objects.create(username="rita")
    pilot.go_on(fresh(broadcast), NOW + 7 * HOUR, by=By(user=somebody))
    assert bring_on(broadcast, NOW + 7 * HOUR) == "sending"
    assert outcomes(broadcast) == {"made": 12}
    assert BroadcastMove.objects.filter(broadcast=broadcast, state_to="sending").get().by_id == somebody.pk


def test_where_a_person_is_asked_nothing_happens_by_itself(world: World) -> None:
    broadcast = piloted(world, pilot_verdict="person")
    Message.objects.filter(scope_id=broadcast.pk).update(state="delivered", settled_at=NOW)
    assert bring_on(broadcast, NOW + 99 * HOUR) == "waiting"
    assert not BroadcastMove.objects.filter(state_from="waiting").exists()


def test_a_word_is_taken_only_while_it_is_waited_for(world: World) -> None:
    broadcast = piloted(world, pilot_verdict="person")
    pilot.go_on(broadcast, NOW + HOUR, by=By())
    with pytest.raises(NotPossible):
        pilot.go_on(broadcast, NOW + HOUR, by=By())


def test_a_pause_while_it_waits_goes_back_to_waiting(world: World) -> None:
    broadcast = piloted(world, least_delivered=1.0)
    Message.objects.filter(scope_id=broadcast.pk).update(state="delivered", settled_at=NOW)
    halt.pause(broadcast, By(), NOW + HOUR)
    assert bring_on(broadcast, NOW + 5 * HOUR) == "paused"
    halt.resume(broadcast, By(), NOW + 6 * HOUR)
    assert bring_on(broadcast, NOW + 6 * HOUR) == "sending"


def test_how_they_fared_is_counted_by_messages_receipts_and_withdrawals(world: World) -> None:
    broadcast = piloted(world, number=40)
    all_ = of_pilot(broadcast)
    assert len(all_) >= 8
    states = ["clicked", "opened", "delivered", "sent", "unknown", "queued"]
    for message, state in zip(all_, states, strict=False):
        Message.objects.filter(pk=message.pk).update(state=state, settled_at=NOW)
    Message.objects.filter(pk=all_[6].pk).update(state="failed", reason="bounced", settled_at=NOW)
    Message.objects.filter(pk__in=[str(one.pk) for one in all_[7:]]).update(state="suppressed", reason="capped")
    Receipt.objects.create(
        connector=world.connector, message=all_[2], happened="complained", at=NOW, received_at=NOW, key=new_id(),
        look_at=NOW,
    )  # fmt: skip
    entry = new_entry(
        Address.objects.get(pk=str(all_[0].address_id)), None, world.purpose, "withdrawn", NOW, Method.LINK
    )
    append([replace(entry, message_id=str(all_[0].pk))], NOW)
    assert fared(broadcast.pk) == Fared(
        messages=len(all_), waiting=1, handed_over=6, delivered=3, opened=2, clicked=1, bounced=1, complained=1,
        unsubscribed=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "what", "wanted", "count", "kept"),
    [
        ("most_bounced", "bounced", 2.0, 2, True),
        ("most_bounced", "bounced", 2.0, 3, False),
        ("most_complained", "complained", 0.0, 0, True),
        ("most_complained", "complained", 0.5, 1, False),
        ("most_unsubscribed", "unsubscribed", 10.0, 10, True),
        ("least_delivered", "delivered", 95.0, 95, True),
        ("least_delivered", "delivered", 95.0, 94, False),
        ("least_opened", "opened", 20.0, 19, False),
        ("least_clicked", "clicked", 0.0, 0, True),
    ],
)
def test_a_limit_is_held_against_the_rate_of_what_was_handed_over(
    field: str, what: str, wanted: float, count: int, kept: bool
) -> None:
    whole = Fared(120, 20, 100, 0, 0, 0, 0, 0, 0)
    found = Fared(**{**{name: getattr(whole, name) for name in whole.__slots__}, what: count})
    [limit] = limits(Broadcast(**{field: wanted}), found)
    assert (limit.field, limit.what, limit.reached, limit.is_kept) == (field, what, float(count), kept)


def test_without_limits_there_is_nothing_to_keep() -> None:
    assert limits(Broadcast(), Fared(1, 0, 1, 1, 0, 0, 0, 0, 0)) == []


def test_a_minute_is_enough_to_wait(world: World) -> None:
    broadcast = piloted(world, pilot_wait=MINUTE)
    Message.objects.filter(scope_id=broadcast.pk).update(state="sent", settled_at=NOW)
    assert bring_on(broadcast, NOW + MINUTE) == "sending"
