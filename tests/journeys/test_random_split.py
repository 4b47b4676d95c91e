"""Randomized splits: shares that hold, arms that stick, exposures kept once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid5

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from analytics.why.run import explain_run
from channels.models import Exposure
from customers.ids import NIL
from customers.rules import Facts
from journeys.definition import InvalidDefinition
from journeys.models import Cause, Run
from journeys.steps.base import Go, Here
from journeys.steps.random_split import Arm, RandomSplit
from journeys.validate import check
from tests.journeys.stage import T0, Stage, welcome

ARMS = [
    {"name": "short", "share": 50, "next": "done"},
    {"name": "long", "share": 40, "next": "lost"},
    {"name": "nothing", "share": 10, "next": "lost", "holdout": True},
]


def drawn_by_lot(**more: Any) -> dict[str, Any]:
    split = {"type": "random_split", "id": "which", "state": "not_activated", "arms": ARMS} | more
    ends = [
        {"type": "exit", "id": "done", "state": "activated"},
        {"type": "exit", "id": "lost", "state": "lost"},
    ]
    return welcome(steps=[split, *ends], entry={"event": "customer.signed_up", "reentry": "always", "guard": "any"})


def lots(split: RandomSplit, people: int, *, journey: UUID = NIL, at: datetime = T0) -> list[Go]:
    found = []
    for n in range(people):
        run = SimpleNamespace(journey_id=journey, profile_id=uuid5(NIL, str(n)), entry_key="", entered_at=at)
        outcome = split.enter(Here(Facts(), T0, {}, run))
        assert isinstance(outcome, Go)
        found.append(outcome)
    return found


def a_split(*shares: int, id_: str = "which", unit: Any = "person") -> RandomSplit:
    arms = [Arm(name=f"arm{n}", share=share, next=f"s{n}") for n, share in enumerate(shares)]
    return RandomSplit(id=id_, state="s", arms=arms, unit=unit)


def test_people_are_drawn_by_the_shares() -> None:
    counts = Counter(go.branch for go in lots(a_split(50, 40, 10), 10_000))
    # Five standard deviations are 250, 245 and 150.
    assert abs(counts[0] - 5_000) < 250
    assert abs(counts[1] - 4_000) < 245
    assert abs(counts[2] - 1_000) < 150


def test_a_person_is_drawn_the_same_each_time_and_apart_from_other_splits_and_journeys() -> None:
    first = [go.branch for go in lots(a_split(50, 50), 1_000)]
    assert [go.branch for go in lots(a_split(50, 50), 1_000, at=T0 + timedelta(days=1))] == first
    for other in (lots(a_split(50, 50, id_="other"), 1_000), lots(a_split(50, 50), 1_000, journey=uuid5(NIL, "j"))):
        assert 400 < sum(one == two.branch for one, two in zip(first, other, strict=True)) < 600


def test_a_fresh_lot_is_drawn_for_each_run() -> None:
    one = [go.branch for go in lots(a_split(50, 50, unit="run"), 1_000)]
    other = [go.branch for go in lots(a_split(50, 50, unit="run"), 1_000, at=T0 + timedelta(days=1))]
    assert 400 < sum(a == b for a, b in zip(one, other, strict=True)) < 600


@given(st.lists(st.integers(1, 50), min_size=2, max_size=9), st.uuids())
def test_whatever_the_shares_every_lot_falls_on_an_arm(parts: list[int], person: UUID) -> None:
    shares = [*parts[1:], 100 - sum(parts[1:])]
    if min(shares) < 1:
        return
    run = SimpleNamespace(journey_id=NIL, profile_id=person, entry_key="k", entered_at=datetime(2026, 1, 1, tzinfo=UTC))
    outcome = a_split(*shares).enter(Here(Facts(), T0, {}, run))
    assert isinstance(outcome, Go)
    assert outcome.branch is not None
    assert 0 <= outcome.branch < len(shares)


def test_a_run_goes_the_way_drawn_and_the_first_time_is_kept(stage: Stage) -> None:
    stage.publish(drawn_by_lot())
    stage.know()
    for _time in range(3):
        stage.pass_time(hours=1)
        stage.happen("customer.signed_up")
    ways = {tuple(stage.steps_of(run)) for run in stage.runs()}
    assert len(ways) == 1
    [exposure] = Exposure.objects.all()
    first = stage.runs()[0]
    lot = {arm["name"]: arm for arm in ARMS}[exposure.arm]
    assert (exposure.scope_id, exposure.key, exposure.unit) == (first.journey_id, "which", str(first.profile_id))
    assert (exposure.run_id, exposure.at, exposure.is_holdout) == (
        first.pk, T0 + timedelta(hours=1), lot.get("holdout", False)
    )  # fmt: skip
    assert next(iter(ways)) == ("which", lot["next"])


def test_runs_that_are_drawn_for_anew_have_an_exposure_each(stage: Stage) -> None:
    stage.publish(drawn_by_lot(unit="run"))
    stage.know()
    for _time in range(3):
        stage.pass_time(hours=1)
        stage.happen("customer.signed_up")
    units = Exposure.objects.order_by("id").values_list("unit", flat=True)
    assert list(units) == [f"run:{run.pk}" for run in stage.runs()]


def test_exposures_are_never_changed(stage: Stage) -> None:
    stage.publish(drawn_by_lot())
    stage.know()
    stage.happen("customer.signed_up")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE channels_exposure SET arm = 'long'")
    assert Exposure.objects.count() == 1


def test_the_move_says_which_arm_was_drawn(stage: Stage) -> None:
    stage.publish(drawn_by_lot())
    stage.know()
    stage.happen("customer.signed_up")
    _way, moves = explain_run(stage.the_run())
    arm = Exposure.objects.get().arm
    assert [(move.cause, move.text) for move in moves][1:] == [("arm", f"At “which” the lot fell on “{arm}”.")]
    assert Run.objects.get().transitions.order_by("seq").last().cause == Cause.ARM  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arms", "code", "pointer"),
    [
        (ARMS[:1], "arm_count", "/steps/0/arms"),
        ([ARMS[0] | {"name": f"a{n}", "share": 10} for n in range(10)], "arm_count", "/steps/0/arms"),
        ([ARMS[0], ARMS[1]], "shares", "/steps/0/arms"),
        ([ARMS[0] | {"share": 100}, ARMS[1] | {"share": 0}], "shares", "/steps/0/arms"),
        ([ARMS[0] | {"share": 130}, ARMS[1] | {"share": -30}], "shares", "/steps/0/arms"),
        ([ARMS[0], ARMS[1] | {"name": "short", "share": 50}], "duplicate_arm", "/steps/0/arms/1/name"),
        ([ARMS[0], ARMS[1] | {"name": "an arm", "share": 50}], "bad_name", "/steps/0/arms/1/name"),
        ([ARMS[0] | {"holdout": True}, ARMS[1] | {"holdout": True, "share": 50}], "holdouts", "/steps/0/arms"),
    ],
)
def test_arms_that_cannot_be_are_refused_with_their_place(arms: list[Any], code: str, pointer: str) -> None:
    document = drawn_by_lot(arms=arms)
    with pytest.raises(InvalidDefinition) as refused:
        check(document)
    assert (code, pointer) in [(one.code, one.pointer) for one in refused.value.problems]


@pytest.mark.parametrize("share", [50.5, "50", None, True])
def test_a_share_is_a_whole_number(share: Any) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(drawn_by_lot(arms=[ARMS[0] | {"share": share}, ARMS[1]]))
    assert [one.code for one in refused.value.problems] == ["invalid_definition"]
