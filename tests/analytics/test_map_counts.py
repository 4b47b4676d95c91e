"""What happened at touchpoints is counted by day: exactly, again while it may change, and never twice."""

from datetime import date, timedelta
from typing import Any

import pytest

from analytics.map_counts import count_all, count_map
from analytics.map_numbers import MapNumbers, Move, map_numbers
from analytics.models import MapCount, TouchpointDay
from channels.models import Message
from customers.models import Brand, Profile
from journeys.maps.edit import edit, remove
from journeys.maps.steps import place
from journeys.models import Touchpoint
from tests.journeys.mapping import NOW, Board, make_board
from tests.journeys.stage import T0, Stage, message, welcome


@pytest.fixture
def board(stage: Stage) -> Board:
    return make_board(stage.brand)


def realised(stage: Stage, board: Board, **values: Any) -> tuple[Touchpoint, Touchpoint]:
    """The welcome journey with both of its messages on the map."""
    first = board.touchpoint("Welcome", **values)
    second = board.touchpoint("Reminder", stage=board.use)
    stage.publish(welcome())
    place(first, stage.journeys["welcome"], "welcome")
    place(second, stage.journeys["welcome"], "remind")
    return first, second


def send(stage: Stage) -> None:
    """The provider takes whatever waits; dispatch itself commits, and has tests of its own."""
    Message.objects.filter(state="queued").update(state="sent", settled_at=stage.now)


def count(stage: Stage, board: Board, days: int = 7) -> MapNumbers:
    assert count_map(board.map, stage.now)
    return map_numbers(board.map, days, stage.now)


def test_messages_sent_count_at_the_touchpoint_of_their_step(stage: Stage, board: Board) -> None:
    first, second = realised(stage, board)
    for user in ("ana", "bia"):
        stage.know(user)
        stage.happen("customer.signed_up", user)
    send(stage)
    numbers = count(stage, board)
    assert (numbers.of(first.pk).sent, numbers.of(second.pk).sent) == (2, 0)
    assert (numbers.counted_at, numbers.is_complete) == (stage.now, True)
    assert numbers.of(first.pk).not_sent == ()


def test_messages_not_sent_count_by_reason(stage: Stage, board: Board) -> None:
    first, _second = realised(stage, board)
    for user in ("ana", "bia", "caio"):
        stage.know(user)
        stage.happen("customer.signed_up", user)
    reasons = [("suppressed", "withdrawn"), ("suppressed", "withdrawn"), ("unknown", "interrupted")]
    for one, (state, reason) in zip(Message.objects.order_by("id"), reasons, strict=True):
        Message.objects.filter(pk=one.pk).update(state=state, reason=reason, settled_at=stage.now)
    found = count(stage, board).of(first.pk)
    assert [(part.key, part.count) for part in found.not_sent] == [("withdrawn", 2)]
    assert (found.sent, found.unknown, found.not_sent_total) == (0, 1, 2)


def test_messages_that_wait_are_in_no_number(stage: Stage, board: Board) -> None:
    first, _second = realised(stage, board)
    stage.know()
    stage.happen("customer.signed_up")
    assert count(stage, board).of(first.pk).contacts == 0


def test_the_version_says_where_its_steps_are_and_outweighs_a_hand(stage: Stage, board: Board) -> None:
    by_hand, by_version = board.touchpoint("By hand"), board.touchpoint("By version")
    steps = welcome()["steps"]
    steps[0] = message("welcome", next="hold", touchpoint=str(by_version.pk))
    stage.publish(welcome(steps=steps))
    place(by_hand, stage.journeys["welcome"], "welcome")
    stage.know()
    stage.happen("customer.signed_up")
    send(stage)
    numbers = count(stage, board)
    assert (numbers.of(by_version.pk).sent, numbers.of(by_hand.pk).sent) == (1, 0)


def test_a_step_that_only_a_past_version_had_still_counts(stage: Stage, board: Board) -> None:
    first, _second = realised(stage, board)
    stage.know()
    stage.happen("customer.signed_up")
    send(stage)
    steps = [step for step in welcome()["steps"] if step["id"] != "welcome"]
    stage.publish(welcome(steps=steps))
    assert count(stage, board).of(first.pk).sent == 1


def test_what_was_hoped_for_converts_within_the_window_only(stage: Stage, board: Board) -> None:
    first, _second = realised(stage, board, expected_event="login.succeeded", conversion_days=2)
    for user in ("ana", "bia", "caio"):
        stage.know(user)
        stage.happen("customer.signed_up", user)
    send(stage)
    stage.pass_time(hours=48)
    stage.happen("login.succeeded", "ana")
    stage.pass_time(seconds=1)
    stage.happen("login.succeeded", "bia")
    found = count(stage, board).of(first.pk)
    assert (found.contacts, found.converted, found.conversion) == (3, 1, 1 / 3)


def test_what_happened_before_the_message_is_no_conversion(stage: Stage, board: Board) -> None:
    first, _second = realised(stage, board, expected_event="login.succeeded")
    stage.know()
    stage.happen("login.succeeded")
    stage.pass_time(minutes=1)
    stage.happen("customer.signed_up")
    send(stage)
    assert count(stage, board).of(first.pk).converted == 0


def test_an_event_of_another_brand_is_no_conversion(stage: Stage, board: Board) -> None:
    first, _second = realised(stage, board, expected_event="login.succeeded")
    stage.know()
    stage.happen("customer.signed_up")
    send(stage)
    stage.pass_time(minutes=1)
    other = Brand.objects.create(key="other", name="Other")
    stage.source.brand = other
    stage.source.save()
    stage.happen("login.succeeded")
    assert count(stage, board).of(first.pk).converted == 0


def test_the_same_customer_by_another_profile_converts(stage: Stage, board: Board) -> None:
    first, _second = realised(stage, board, expected_event="order.completed")
    for user in ("ana", "bia"):
        stage.know(user)
    stage.happen("customer.signed_up", "ana")
    send(stage)
    stage.pass_time(minutes=5)
    stage.happen("order.completed", "bia")
    assert count(stage, board).of(first.pk).converted == 0
    to = Profile.objects.get(identifier__value="ana").customer_id
    Profile.objects.filter(identifier__value="bia").update(customer_id=to)
    MapCount.objects.update(recounted_at=None)
    assert count(stage, board).of(first.pk).converted == 1


def test_visits_are_told_by_their_event(stage: Stage, board: Board) -> None:
    shop = board.touchpoint(
        "Counter", channel=board.store, arrival_event="store.visited", expected_event="order.completed"
    )
    for user in ("ana", "bia"):
        stage.know(user)
        stage.happen("store.visited", user)
    stage.pass_time(minutes=5)
    stage.happen("order.completed", "ana")
    found = count(stage, board).of(shop.pk)
    assert (found.sent, found.visits, found.converted, found.conversion) == (0, 2, 1, 0.5)


def test_customers_move_from_their_last_touchpoint_to_the_next(stage: Stage, board: Board) -> None:
    first, second = realised(stage, board)
    shop = board.touchpoint("Counter", channel=board.store, arrival_event="store.visited")
    for user in ("ana", "bia"):
        stage.know(user)
        stage.happen("customer.signed_up", user)
    send(stage)
    stage.pass_time(hours=1)
    stage.happen("store.visited", "ana")
    stage.pass_time(hours=25)
    send(stage)
    assert count(stage, board).moves == (
        Move(first.pk, second.pk, 1),
        Move(first.pk, shop.pk, 1),
        Move(shop.pk, second.pk, 1),
    )


def test_the_same_touchpoint_again_is_no_move(stage: Stage, board: Board) -> None:
    board.touchpoint("Counter", channel=board.store, arrival_event="store.visited")
    stage.know()
    stage.happen("store.visited")
    stage.pass_time(hours=1)
    stage.happen("store.visited")
    assert count(stage, board).moves == ()


def test_more_than_thirty_days_apart_is_no_move(stage: Stage, board: Board) -> None:
    for name in ("store.visited", "call.answered"):
        board.touchpoint(name, channel=board.store, arrival_event=name)
    stage.know()
    stage.happen("store.visited")
    stage.pass_time(days=30, seconds=1)
    stage.happen("call.answered")
    assert count(stage, board, 90).moves == ()


def test_days_are_the_brand_s_days(stage: Stage, board: Board) -> None:
    stage.brand.zone = "America/Sao_Paulo"
    stage.brand.save()
    board.map.refresh_from_db()
    shop = board.touchpoint("Counter", channel=board.store, arrival_event="store.visited")
    stage.know()
    stage.now = T0.replace(hour=2, minute=59)
    stage.happen("store.visited")
    stage.now = T0.replace(hour=3, minute=1)
    stage.happen("store.visited")
    assert count_map(board.map, stage.now)
    days = TouchpointDay.objects.filter(touchpoint=shop).order_by("day").values_list("day", "count")
    assert list(days) == [(date(2026, 3, 1), 1), (date(2026, 3, 2), 1)]


def test_counting_again_changes_nothing(stage: Stage, board: Board) -> None:
    realised(stage, board, expected_event="login.succeeded")
    stage.know()
    stage.happen("customer.signed_up")
    send(stage)
    stage.pass_time(minutes=1)
    stage.happen("login.succeeded")
    once, twice = count(stage, board), count(stage, board)
    assert once == twice


def test_today_grows_with_each_count(stage: Stage, board: Board) -> None:
    shop = board.touchpoint("Counter", channel=board.store, arrival_event="store.visited")
    stage.know()
    for so_far in (1, 2):
        stage.happen("store.visited")
        assert count(stage, board).of(shop.pk).visits == so_far
        stage.pass_time(minutes=1)


def test_yesterday_s_conversions_are_looked_for_again_after_an_hour(stage: Stage, board: Board) -> None:
    first, _second = realised(stage, board, expected_event="login.succeeded")
    stage.know()
    stage.happen("customer.signed_up")
    send(stage)
    assert count(stage, board).of(first.pk).converted == 0
    stage.pass_time(hours=26)
    stage.happen("login.succeeded")
    assert count(stage, board).of(first.pk).converted == 1


def test_another_expected_event_counts_everything_anew(stage: Stage, board: Board) -> None:
    first, _second = realised(stage, board, expected_event="login.succeeded")
    stage.know()
    stage.happen("customer.signed_up")
    send(stage)
    stage.pass_time(days=20)
    stage.happen("order.completed")
    assert count(stage, board, 30).of(first.pk).converted == 0
    edit(first, {"expected_event": "order.completed", "conversion_days": 30}, lock=1, by=None, now=NOW)
    assert count(stage, board, 30).of(first.pk).converted == 1


def test_days_fall_out_of_the_period(stage: Stage, board: Board) -> None:
    shop = board.touchpoint("Counter", channel=board.store, arrival_event="store.visited")
    stage.know()
    stage.happen("store.visited")
    stage.pass_time(days=6)
    assert count(stage, board, 7).of(shop.pk).visits == 1
    stage.pass_time(days=1)
    assert count(stage, board, 7).of(shop.pk).visits == 0
    assert count(stage, board, 30).of(shop.pk).visits == 1


def test_without_time_the_newest_days_come_first_and_the_rest_next_time(stage: Stage, board: Board) -> None:
    shop = board.touchpoint("Counter", channel=board.store, arrival_event="store.visited")
    stage.know()
    stage.happen("store.visited")
    stage.pass_time(days=40)
    stage.happen("store.visited")
    assert count_map(board.map, stage.now, seconds=-1) is False
    begun = map_numbers(board.map, 90, stage.now)
    assert (begun.of(shop.pk).visits, begun.is_complete) == (1, False)
    assert count_map(board.map, stage.now) is True
    done = map_numbers(board.map, 90, stage.now)
    assert (done.of(shop.pk).visits, done.is_complete) == (2, True)


def test_what_is_off_the_map_has_no_numbers(stage: Stage, board: Board) -> None:
    shop = board.touchpoint("Counter", channel=board.store, arrival_event="store.visited")
    stage.know()
    stage.happen("store.visited")
    assert count(stage, board).of(shop.pk).visits == 1
    remove(shop, lock=1, by=None, now=NOW)
    assert count(stage, board).touchpoints == {}


def test_archived_maps_are_not_counted(stage: Stage, board: Board) -> None:
    board.map.is_archived = True
    board.map.save()
    assert count_all(stage.now, 20) is True
    assert not MapCount.objects.exists()


def test_every_map_is_counted(stage: Stage, board: Board) -> None:
    second = make_board(stage.brand, "Second")
    assert count_all(stage.now + timedelta(hours=1), 20) is True
    assert set(MapCount.objects.values_list("map_id", flat=True)) == {board.map.pk, second.map.pk}
