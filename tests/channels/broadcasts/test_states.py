"""A broadcast goes from state to state by the arrows that there are, each move with who, when and why."""

from datetime import timedelta
from itertools import pairwise, product

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.broadcasts.states import MOVES, OVER, UNDER_WAY, By, NotThere, is_allowed, move
from channels.models import Broadcast, BroadcastMove
from tests.channels.broadcasts.stage import draft, fresh, make_segment, started
from tests.channels.world import NOW, World

State = Broadcast.State
STATES = sorted(State.values)
# Spelled out once more, so that a slip in one of the two is noticed.
ARROWS = {
    "draft": "scheduled",
    "scheduled": "draft enrolling stopped",
    "enrolling": "pilot sending paused stopped",
    "pilot": "waiting paused stopped",
    "waiting": "waiting sending paused stopped",
    "sending": "done paused stopped",
    "paused": "enrolling pilot waiting sending stopped",
    "stopped": "",
    "done": "",
}


def test_the_arrows_are_those_that_are_meant() -> None:
    assert {str(state): set(to) for state, to in MOVES.items()} == {one: set(to.split()) for one, to in ARROWS.items()}
    assert set(MOVES) == set(State.values)
    assert {state for state, to in MOVES.items() if not to} == OVER


@pytest.mark.parametrize(("came_from", "to"), list(product(sorted(UNDER_WAY), STATES)))
def test_a_paused_one_goes_back_where_it_came_from_or_ends(came_from: str, to: str) -> None:
    assert is_allowed("paused", came_from, to) == (to in (came_from, "stopped"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(st.sampled_from(STATES), max_size=12))
def test_whatever_is_asked_it_goes_along_the_arrows_only(world: World, wanted: list[str]) -> None:
    with transaction.atomic():
        segment = make_segment(world)
        broadcast = started(world, segment, when="at", starts_at=NOW + timedelta(days=1))
        before = BroadcastMove.objects.filter(broadcast=broadcast).count()
        stood, came_from, went = "scheduled", "", 0
        for to in wanted:
            # A draft has no version: `take_back` clears more than the state.
            allowed = (
                to in ARROWS[stood].split() and to != "draft" and (stood != "paused" or to in (came_from, "stopped"))
            )
            try:
                move(broadcast.pk, to, NOW + timedelta(days=2))
            except NotThere:
                assert not allowed or to == "draft"
            else:
                if to == "draft":
                    break
                assert allowed
                stood, came_from, went = to, stood if to == "paused" else "", went + 1
            now_at = fresh(broadcast)
            assert (now_at.state, now_at.came_from) == (stood, came_from)
            assert (now_at.ended_at is not None) == (stood in ("stopped", "done"))
        else:
            moves = list(BroadcastMove.objects.filter(broadcast=broadcast).order_by("id"))
            assert len(moves) == before + went
            assert all(one.state_to == other.state_from for one, other in pairwise(moves))
        transaction.set_rollback(True)


def test_a_move_keeps_who_when_and_why(world: World) -> None:
    broadcast = started(world, make_segment(world))
    somebody = User.objects.create(username="rita")
    move(broadcast.pk, State.STOPPED, NOW, by=By(user=somebody), why="wrong words", numbers={"sent": 3})
    kept = BroadcastMove.objects.filter(broadcast=broadcast).last()
    assert kept is not None
    assert (kept.by_id, kept.at, kept.reason, kept.numbers) == (somebody.pk, NOW, "wrong words", {"sent": 3})
    assert (kept.state_from, kept.state_to) == ("scheduled", "stopped")


def test_a_move_that_is_none_leaves_nothing(world: World) -> None:
    broadcast = draft(world, make_segment(world))
    with pytest.raises(NotThere):
        move(broadcast.pk, State.SENDING, NOW)
    assert fresh(broadcast).state == "draft"
    assert not BroadcastMove.objects.exists()


def test_moves_are_kept_for_good(world: World) -> None:
    started(world, make_segment(world))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        BroadcastMove.objects.update(reason="never")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        BroadcastMove.objects.all().delete()
