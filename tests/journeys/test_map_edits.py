"""People edit a map together: every edit is kept, none overwrites what its author has not seen, all can be undone."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction

from customers.ids import new_id
from customers.models import Brand
from journeys.maps.edit import MOST, add, edit, move, remove, shift, undo, values_of
from journeys.maps.errors import Full, Gone, Outdated, StillUsed
from journeys.maps.standard import furnish
from journeys.models import JourneyMap, MapChannel, MapRevision, MapStage, Touchpoint
from tests.journeys.mapping import NOW, Board, make_board

SAID: Any = {"by": None, "now": NOW}


@pytest.fixture
def board(db: None) -> Board:
    return make_board(Brand.objects.create(key="acme", name="Acme"))


def names(rows: Any) -> list[str]:
    return [row.name for row in rows.filter(removed_at=None)]


def history(part: Any) -> list[tuple[int, str]]:
    return list(MapRevision.objects.filter(part_id=part.pk).order_by("number").values_list("number", "action"))


def as_it_is(part: Any) -> Any:
    return type(part).objects.get(pk=part.pk)


def test_an_edit_is_written_and_remembered(board: Board) -> None:
    first = board.touchpoint("Welcome")
    edit(first, {"name": "Warm welcome", "is_critical": True}, lock=1, **SAID)
    now = as_it_is(first)
    assert (now.name, now.is_critical, now.lock_version) == ("Warm welcome", True, 2)
    assert history(first) == [(1, "added"), (2, "edited")]
    assert [one.values["name"] for one in MapRevision.objects.filter(part_id=first.pk).order_by("number")] == [
        "Welcome",
        "Warm welcome",
    ]


def test_the_same_words_again_are_no_edit(board: Board) -> None:
    first = board.touchpoint("Welcome")
    edit(first, {"name": "Welcome"}, lock=1, **SAID)
    assert history(first) == [(1, "added")]


def test_the_second_of_two_authors_sees_what_changed_and_nothing_is_written(board: Board) -> None:
    first = board.touchpoint("Welcome", customer_is="new", customer_wants="coffee")
    edit(first, {"name": "Theirs", "customer_is": "curious"}, lock=1, **SAID)
    mine = {"name": "Mine", "customer_wants": "good coffee", "customer_is": "new"}
    with pytest.raises(Outdated) as caught:
        edit(first, mine, lock=1, **SAID)
    changes = {change.name: change for change in caught.value.changes if change.before != change.theirs}
    assert {name: (one.before, one.theirs, one.mine, one.is_contested) for name, one in changes.items()} == {
        "name": ("Welcome", "Theirs", "Mine", True),
        "customer_is": ("new", "curious", "new", False),
    }
    assert as_it_is(first).name == "Theirs"
    assert [revision.number for revision in caught.value.since] == [2]


def test_merging_keeps_both_people_s_words_and_mine_where_they_contradict(board: Board) -> None:
    first = board.touchpoint("Welcome", customer_is="new", customer_wants="coffee")
    edit(first, {"name": "Theirs", "customer_is": "curious"}, lock=1, **SAID)
    with pytest.raises(Outdated) as caught:
        edit(first, {"name": "Mine", "customer_wants": "good coffee", "customer_is": "new"}, lock=1, **SAID)
    merged = caught.value.merged
    assert (merged["name"], merged["customer_is"], merged["customer_wants"]) == ("Mine", "curious", "good coffee")
    edit(first, merged, lock=2, **SAID)
    assert as_it_is(first).name == "Mine"
    assert history(first) == [(1, "added"), (2, "edited"), (3, "edited")]


def test_the_same_change_by_both_is_no_contradiction(board: Board) -> None:
    first = board.touchpoint("Welcome")
    edit(first, {"name": "Same"}, lock=1, **SAID)
    with pytest.raises(Outdated) as caught:
        edit(first, {"name": "Same"}, lock=1, **SAID)
    assert [change.name for change in caught.value.changes if change.is_contested] == []


@pytest.mark.parametrize("lock", [0, 2, 99, -1])
def test_a_revision_that_never_was_writes_nothing(board: Board, lock: int) -> None:
    first = board.touchpoint("Welcome")
    with pytest.raises(Outdated):
        edit(first, {"name": "Forged"}, lock=lock, **SAID)
    assert (as_it_is(first).name, history(first)) == ("Welcome", [(1, "added")])


def test_a_touchpoint_moves_to_the_end_of_another_cell(board: Board) -> None:
    one, other = board.touchpoint("One"), board.touchpoint("Other", stage=board.use, channel=board.store)
    move(one, board.use.pk, board.store.pk, lock=1, **SAID)
    moved = as_it_is(one)
    assert (moved.stage_id, moved.channel_id) == (board.use.pk, board.store.pk)
    assert moved.position > as_it_is(other).position
    assert history(one) == [(1, "added"), (2, "moved")]


def test_a_touchpoint_is_of_its_own_map(board: Board) -> None:
    first = board.touchpoint("Welcome")
    elsewhere = make_board(board.map.brand, "Other map")
    with pytest.raises(Gone):
        move(first, elsewhere.use.pk, board.email.pk, lock=1, **SAID)
    assert as_it_is(first).stage_id == board.awareness.pk


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_refuses_a_stage_of_another_map() -> None:
    board = make_board(Brand.objects.create(key="acme", name="Acme"))
    first, elsewhere = board.touchpoint("Welcome"), make_board(board.map.brand, "Other map")
    with pytest.raises(IntegrityError):
        Touchpoint.objects.filter(pk=first.pk).update(stage=elsewhere.use)


def test_neighbours_change_places_and_keep_their_revision(board: Board) -> None:
    parts = [board.touchpoint(name) for name in ("a", "b", "c")]
    shift(parts[2], -1, lock=1, **SAID)
    assert names(board.map.touchpoints) == ["a", "c", "b"]
    shift(as_it_is(parts[2]), -5, lock=2, **SAID)
    assert names(board.map.touchpoints) == ["c", "a", "b"]
    shift(as_it_is(parts[2]), -1, lock=3, **SAID)
    assert [as_it_is(part).lock_version for part in parts] == [1, 1, 3]


def test_stages_change_places(board: Board) -> None:
    shift(board.use, -1, lock=1, **SAID)
    assert names(board.map.stages) == ["Use", "Awareness"]


def test_what_is_removed_is_off_the_map_and_can_be_put_back(board: Board) -> None:
    first = board.touchpoint("Welcome")
    remove(first, lock=1, **SAID)
    assert names(board.map.touchpoints) == []
    undo(first, lock=2, **SAID)
    assert names(board.map.touchpoints) == ["Welcome"]
    assert history(first) == [(1, "added"), (2, "removed"), (3, "undone")]


def test_undoing_an_undoing_does_it_again(board: Board) -> None:
    first = board.touchpoint("Welcome")
    edit(first, {"name": "Hello"}, lock=1, **SAID)
    undo(first, lock=2, **SAID)
    assert as_it_is(first).name == "Welcome"
    undo(first, lock=3, **SAID)
    assert as_it_is(first).name == "Hello"


def places_of(parts: Any) -> list[int]:
    return [as_it_is(part).position for part in parts]


@pytest.mark.parametrize(("at", "by"), [(0, 2), (2, -2), (1, 1), (0, 1)])
def test_undoing_a_shift_puts_everybody_back(board: Board, at: int, by: int) -> None:
    parts = [board.touchpoint(name) for name in ("a", "b", "c")]
    shift(parts[at], by, lock=1, **SAID)
    undo(parts[at], lock=2, **SAID)
    assert places_of(parts) == [0, 1, 2]
    undo(parts[at], lock=3, **SAID)
    assert places_of(parts)[at] == at + by
    assert sorted(places_of(parts)) == [0, 1, 2]


def test_undoing_an_edit_of_words_leaves_everybody_where_they_stand_now(board: Board) -> None:
    parts = [board.touchpoint(name) for name in ("a", "b", "c")]
    edit(parts[0], {"name": "A"}, lock=1, **SAID)
    shift(parts[2], -2, lock=1, **SAID)
    undo(parts[0], lock=2, **SAID)
    assert names(board.map.touchpoints) == ["c", "a", "b"]
    undo(parts[0], lock=3, **SAID)
    assert names(board.map.touchpoints) == ["c", "A", "b"]
    assert sorted(places_of(parts)) == [0, 1, 2]


def test_what_is_put_back_stands_where_it_stood_and_who_goes_leaves_no_gap(board: Board) -> None:
    parts = [board.touchpoint(name) for name in ("a", "b", "c")]
    remove(parts[0], lock=1, **SAID)
    assert places_of(parts[1:]) == [0, 1]
    undo(parts[0], lock=2, **SAID)
    assert places_of(parts) == [0, 1, 2]
    move(parts[1], board.use.pk, board.store.pk, lock=1, **SAID)
    assert places_of((parts[0], parts[2])) == [0, 1]
    undo(parts[1], lock=2, **SAID)
    assert (names(board.map.touchpoints), places_of(parts)) == (["a", "b", "c"], [0, 1, 2])


def test_undoing_an_addition_takes_it_off(board: Board) -> None:
    first = board.touchpoint("Welcome")
    undo(first, lock=1, **SAID)
    assert names(board.map.touchpoints) == []


def test_nobody_undoes_what_somebody_changed_since(board: Board) -> None:
    first = board.touchpoint("Welcome")
    edit(first, {"name": "Mine"}, lock=1, **SAID)
    edit(first, {"name": "Theirs"}, lock=2, **SAID)
    with pytest.raises(Outdated):
        undo(first, lock=2, **SAID)
    assert as_it_is(first).name == "Theirs"


def test_an_edit_of_what_was_removed_is_told_and_then_puts_it_back(board: Board) -> None:
    first = board.touchpoint("Welcome")
    remove(first, lock=1, **SAID)
    with pytest.raises(Outdated) as caught:
        edit(first, {"name": "Mine"}, lock=1, **SAID)
    assert caught.value.part.removed_at is not None
    edit(first, {"name": "Mine"}, lock=2, **SAID)
    assert names(board.map.touchpoints) == ["Mine"]


@pytest.mark.parametrize("kind", ["awareness", "email"])
def test_what_has_touchpoints_stays(board: Board, kind: str) -> None:
    first, part = board.touchpoint("Welcome"), getattr(board, kind)
    with pytest.raises(StillUsed):
        remove(part, lock=1, **SAID)
    remove(first, lock=1, **SAID)
    remove(part, lock=1, **SAID)
    assert as_it_is(part).removed_at == NOW
    with pytest.raises(Gone):
        undo(first, lock=2, **SAID)


def test_a_map_is_full_one_day(board: Board) -> None:
    while board.map.stages.count() < MOST[MapStage]:
        add(MapStage(map=board.map, name="more"), **SAID)
    with pytest.raises(Full):
        add(MapStage(map=board.map, name="too many"), **SAID)
    assert board.map.stages.count() == MOST[MapStage]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 121), ("conversion_days", 0), ("conversion_days", 31), ("intent", "maybe")],
)
def test_what_does_not_fit_is_refused(board: Board, field: str, value: Any) -> None:
    first = board.touchpoint("Welcome")
    with pytest.raises(ValidationError) as caught:
        edit(first, {field: value}, lock=1, **SAID)
    assert list(caught.value.message_dict) == [field]
    assert history(first) == [(1, "added")]


def test_revisions_are_never_rewritten(board: Board) -> None:
    board.touchpoint("Welcome")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        MapRevision.objects.update(values={})


def test_a_new_map_has_the_usual_stages_and_the_brand_s_channels(board: Board) -> None:
    fresh = JourneyMap.objects.create(brand=board.map.brand, name="Fresh")
    furnish(fresh, **SAID)
    assert names(fresh.stages) == ["Awareness", "Consideration", "Purchase", "Onboarding", "Use", "Retention"]
    assert [channel.kind for channel in fresh.channels.all()] == ["email", "web"]


def test_an_owner_who_is_gone_is_no_obstacle(board: Board, django_user_model: Any) -> None:
    owner = django_user_model.objects.create_user("owner")
    first = board.touchpoint("Welcome", owner=owner)
    owner.delete()
    edit(as_it_is(first), {"name": "Hello"}, lock=1, **SAID)
    assert values_of(as_it_is(first))["owner_id"] is None


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_exactly_one_wins() -> None:
    board = make_board(Brand.objects.create(key="acme", name="Acme"))
    first = board.touchpoint("Welcome")
    told: list[str] = []
    start = threading.Barrier(6)

    def write(name: str) -> None:
        try:
            start.wait()
            edit(first, {"name": name}, lock=1, by=None, now=NOW + timedelta(seconds=1))
            told.append(name)
        except Outdated:
            told.append("outdated")
        finally:
            connections.close_all()

    authors = [threading.Thread(target=write, args=(f"author {n}",)) for n in range(6)]
    for author in authors:
        author.start()
    for author in authors:
        author.join()
    [winner] = [name for name in told if name != "outdated"]
    assert len(told) == 6
    assert as_it_is(first).name == winner
    assert history(first) == [(1, "added"), (2, "edited")]


def test_a_part_s_map_is_locked_while_it_is_edited(board: Board) -> None:
    first = board.touchpoint("Welcome")
    with connection.execute_wrapper(_seen := _Statements()):
        edit(first, {"name": "Hello"}, lock=1, **SAID)
    assert "FOR NO KEY UPDATE" in _seen.statements[0] or "FOR NO KEY UPDATE" in _seen.statements[1]


class _Statements:
    def __init__(self) -> None:
        self.statements: list[str] = []

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.statements.append(str(sql))
        return execute(sql, params, many, context)


def test_an_unknown_part_is_nobody_s(board: Board) -> None:
    stranger = MapChannel(pk=new_id(), map=board.map, kind="email")
    assert isinstance(stranger.pk, UUID)
    with pytest.raises(MapChannel.DoesNotExist):
        edit(stranger, {"name": "x"}, lock=1, **SAID)
