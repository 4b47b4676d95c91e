"""Two lanes of one process drain what one would, and nothing twice."""

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest

from channels.models import Message
from customers.attempts import CLAIM_GRACE
from customers.models import BatchClaim
from customers.work import Floors, Queue, work_once
from journeys.engine import drain as drain_module
from journeys.engine import lanes
from journeys.models import Run, Transition
from tests.journeys.stage import Stage, make_stage, welcome

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 40
BATCH = 4


@pytest.fixture
def stage(transactional_db: None) -> Iterator[Stage]:
    yield make_stage()
    lanes.close()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The threads that worked on small batches, each worth a second lane."""
    seen: set[str] = set()

    def work_on_few(queue: Queue, now: datetime, floors: Floors, *, to_mend: bool) -> int:
        seen.add(threading.current_thread().name)
        return work_once(queue, now, BATCH, floors, to_mend=to_mend)

    monkeypatch.setattr(drain_module, "work_once", work_on_few)
    monkeypatch.setattr(drain_module, "MOST", BATCH)
    monkeypatch.setattr(lanes, "WORTHWHILE", 1)
    return seen


def sign_up(stage: Stage) -> None:
    stage.publish(welcome())
    for n in range(PEOPLE):
        email = f"person{n}@example.com"
        stage.accept("identify", f"u{n}", traits={"email": email}, email=email)
        stage.accept("consent.granted", f"u{n}", properties={"purpose": "news"})
        stage.accept("customer.signed_up", f"u{n}")


def test_both_lanes_work_and_everybody_is_written_to_once(stage: Stage, workers: set[str]) -> None:
    sign_up(stage)
    assert lanes.drain_in_lanes(lambda: stage.now) is True
    assert len(workers) == 2
    assert Run.objects.filter(status=Run.Status.ACTIVE).count() == PEOPLE
    assert Transition.objects.count() == 2 * PEOPLE
    assert Message.objects.filter(state=Message.State.QUEUED).count() == PEOPLE
    assert drain_module.work_through(lambda: stage.now, {}) == 0


def test_a_little_work_wakes_no_second_lane(stage: Stage, workers: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "WORTHWHILE", 1000)
    sign_up(stage)
    assert lanes.drain_in_lanes(lambda: stage.now) is True
    assert workers == {threading.current_thread().name}
    assert Run.objects.count() == PEOPLE


def test_full_batches_are_worked_in_a_row_and_a_dead_worker_s_note_is_taken_up_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up(stage)
    worked: list[tuple[str, int, bool]] = []

    def work_on_few(queue: Queue, now: datetime, floors: Floors, *, to_mend: bool) -> int:
        done = work_once(queue, now, PEOPLE, floors, to_mend=to_mend)
        worked.append((queue.name, done, to_mend))
        return done

    monkeypatch.setattr(drain_module, "work_once", work_on_few)
    monkeypatch.setattr(drain_module, "MOST", PEOPLE)
    BatchClaim.objects.create(queue="inbox", unit_ids=[0, 1], started_at=stage.now - CLAIM_GRACE * 2)
    drain_module.work_through(lambda: stage.now, {}, 2)
    assert worked == [("inbox", PEOPLE, True), ("inbox", PEOPLE, False)]
    assert not BatchClaim.objects.exists()
    drain_module.work_through(lambda: stage.now, {}, 2)
    assert worked[2:4] == [("inbox", PEOPLE, False), ("inbox", 0, False)]


def test_what_fails_in_the_second_lane_fails_the_task(
    stage: Stage, workers: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(clock: object, seconds: float) -> bool:
        raise RuntimeError("the second lane broke down")

    sign_up(stage)
    monkeypatch.setattr(lanes, "drain", break_down)
    with pytest.raises(RuntimeError, match="the second lane broke down"):
        lanes.drain_in_lanes(lambda: stage.now)
    assert Run.objects.count() == PEOPLE


def test_time_out_of_hand_is_told(stage: Stage, workers: set[str]) -> None:
    sign_up(stage)
    assert lanes.drain_in_lanes(lambda: stage.now, seconds=0) is False
