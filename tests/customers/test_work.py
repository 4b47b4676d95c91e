"""Queues worked off in batches: a poison unit is found, counted and buried while its neighbours pass."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from psycopg import errors

from customers import work
from customers.attempts import CLAIM_GRACE, MAX_ATTEMPTS, adopt_orphans
from customers.ids import NIL
from customers.models import BatchClaim, DeadLetter, MergeItem, UnitAttempt
from customers.work import Queue, is_passing, not_alone, work_once
from tests.processes import database_url

T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def make_queue(poison: set[int], done: list[int], error: Exception | None = None) -> Queue:
    def work(ids: Sequence[int], now: datetime) -> int:
        if poison & set(ids):
            raise error or ValueError("poison")
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM customers_merge_queue WHERE id = ANY(%s)", [list(ids)])
        done.extend(ids)
        return len(ids)

    return Queue(
        "toy",
        "customers_merge_queue",
        f"SELECT id FROM customers_merge_queue WHERE {not_alone('toy', 'customers_merge_queue.id')}"
        " ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED",
        work,
    )


def make_units(n: int) -> list[int]:
    return [
        MergeItem.objects.create(profile_id=NIL, from_customer_id=NIL, to_customer_id=NIL, queued_at=T0).pk
        for _unit in range(n)
    ]


def test_a_batch_is_done_at_once_and_leaves_no_trace(db: None) -> None:
    units, done = make_units(5), list[int]()
    assert work_once(make_queue(set(), done), T0) == 5
    assert done == units
    assert (BatchClaim.objects.count(), UnitAttempt.objects.count()) == (0, 0)


def test_a_poison_unit_is_isolated_and_its_neighbours_pass_at_once(db: None) -> None:
    units, done = make_units(9), list[int]()
    queue = make_queue({units[4]}, done)
    assert work_once(queue, T0) == 8
    assert sorted(done) == [unit for unit in units if unit != units[4]]
    attempt = UnitAttempt.objects.get()
    assert (attempt.unit_id, attempt.attempts, attempt.reason) == (units[4], 1, "ValueError")


def test_after_five_attempts_it_is_a_dead_letter_with_its_row(db: None) -> None:
    (unit,), now = make_units(1), T0
    queue = make_queue({unit}, [])
    for attempt in range(MAX_ATTEMPTS):
        assert DeadLetter.objects.count() == 0, attempt
        assert work_once(queue, now) == 0
        now += timedelta(minutes=1)
    letter = DeadLetter.objects.get()
    assert (letter.unit_id, letter.attempts, letter.reason, letter.row["profile_id"]) == (
        unit,
        5,
        "ValueError",
        str(NIL),
    )
    assert (MergeItem.objects.count(), UnitAttempt.objects.count(), BatchClaim.objects.count()) == (0, 0, 0)


def test_a_mended_unit_is_done_and_its_attempts_forgotten(db: None) -> None:
    (unit,), done = make_units(1), list[int]()
    work_once(make_queue({unit}, done), T0)
    assert work_once(make_queue(set(), done), T0 + timedelta(minutes=1)) == 1
    assert (done, UnitAttempt.objects.count()) == ([unit], 0)


def test_a_unit_that_failed_waits_for_its_turn(db: None) -> None:
    (unit,), done = make_units(1), list[int]()
    work_once(make_queue({unit}, done), T0)
    assert work_once(make_queue(set(), done), T0) == 0
    assert done == []


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (errors.DeadlockDetected(), True),
        (errors.SerializationFailure(), True),
        (errors.LockNotAvailable(), True),
        (errors.DiskFull(), True),
        (errors.AdminShutdown(), True),
        (errors.OperationalError("the connection is lost"), True),
        (errors.UniqueViolation(), False),
        (errors.NumericValueOutOfRange(), False),
        (errors.StatementTooComplex(), False),
        (ValueError(), False),
    ],
)
def test_what_may_pass_by_itself_is_told_by_sqlstate(error: Exception, passing: bool) -> None:
    assert is_passing(error) is passing


def test_a_passing_error_counts_against_nobody_of_a_batch(db: None) -> None:
    units = make_units(3)
    wrapped = OperationalError("deadlock")
    wrapped.__cause__ = errors.DeadlockDetected()
    assert work_once(make_queue({units[1]}, [], wrapped), T0) == 0
    assert (UnitAttempt.objects.count(), BatchClaim.objects.count(), MergeItem.objects.count()) == (0, 0, 3)


@pytest.mark.django_db(transaction=True)
def test_a_connection_for_notes_that_was_lost_is_made_anew_and_counts_against_nobody() -> None:
    """Whoever restarts the database throws out both: the units of that moment are not at fault."""
    done = list[int]()
    queue = make_queue(set(), done)
    make_units(1)
    assert work_once(queue, T0) == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    units = make_units(3)
    assert [work_once(queue, T0), work_once(queue, T0)] == [0, 3]
    assert done[1:] == units
    assert (UnitAttempt.objects.count(), BatchClaim.objects.count(), DeadLetter.objects.count()) == (0, 0, 0)
    work.close()


_KILLER = """
import os, signal, django
django.setup()
from datetime import datetime, UTC
from customers.work import Queue, work_once, not_alone
def work(ids, now):
    os.kill(os.getpid(), signal.SIGKILL)
work_once(Queue("toy", "customers_merge_queue",
    "SELECT id FROM customers_merge_queue WHERE " + not_alone("toy", "customers_merge_queue.id")
    + " ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED", work), datetime(2026, 3, 2, 12, tzinfo=UTC))
"""


def _await_its_locks_gone() -> None:
    """The server finds out a moment later that its client is no more."""
    until = time.monotonic() + 10
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with connection.cursor() as cursor:
        while True:
            cursor.execute(f"{others} AND backend_xid IS NOT NULL")
            if cursor.fetchone() is None:
                return
            assert time.monotonic() < until
            time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_at_work_is_counted_once_it_is_missed() -> None:
    units, done = make_units(2), list[int]()
    dead = subprocess.run(
        [sys.executable, "-c", _KILLER],
        env=os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"},
        check=False,
    )
    assert dead.returncode == -signal.SIGKILL
    _await_its_locks_gone()
    assert BatchClaim.objects.get().unit_ids == units
    queue = make_queue(set(), done)
    assert work_once(queue, T0 + CLAIM_GRACE + timedelta(seconds=1)) == 0
    assert list(UnitAttempt.objects.values_list("reason", "attempts")) == [("worker died", 1)] * 2
    assert work_once(queue, T0 + timedelta(minutes=1)) == 2
    assert (sorted(done), UnitAttempt.objects.count(), BatchClaim.objects.count()) == (units, 0, 0)


def leave_note(units: Sequence[int], at: datetime) -> None:
    """As a worker leaves it that dies with these units in its hands."""
    BatchClaim.objects.create(queue="toy", unit_ids=list(units), started_at=at)


def test_many_workers_that_die_over_one_batch_set_its_units_aside_and_give_none_up(db: None) -> None:
    """Until the first is missed, the next takes up the same batch: none of that says which unit is at fault."""
    units, done = make_units(3), list[int]()
    queue = make_queue(set(), done)
    for second in range(6):
        leave_note(units, T0 + timedelta(seconds=second))
    for second in range(6):
        adopt_orphans(queue, T0 + CLAIM_GRACE + timedelta(seconds=second, milliseconds=1))
    assert list(UnitAttempt.objects.values_list("unit_id", "attempts")) == [(unit, 1) for unit in units]
    assert work_once(queue, T0 + timedelta(minutes=1)) == 3
    assert (sorted(done), DeadLetter.objects.count(), UnitAttempt.objects.count()) == (units, 0, 0)


def test_a_worker_that_dies_over_a_single_unit_is_counted_each_time(db: None) -> None:
    (unit,) = make_units(1)
    queue = make_queue(set(), [])
    for second in range(MAX_ATTEMPTS):
        leave_note([unit], T0 + timedelta(seconds=second))
    for second in range(MAX_ATTEMPTS):
        adopt_orphans(queue, T0 + CLAIM_GRACE + timedelta(seconds=second, milliseconds=1))
    letter = DeadLetter.objects.get()
    assert (letter.unit_id, letter.attempts, letter.reason) == (unit, 5, "worker died")
    assert (UnitAttempt.objects.count(), MergeItem.objects.count()) == (0, 0)


def test_what_needs_no_work_any_more_is_not_kept_as_tried(db: None) -> None:
    """It was done, or taken away, while it stood aside; nobody is to look at it again every half minute."""
    (unit,) = make_units(1)
    queue = make_queue({unit}, [])
    work_once(queue, T0)
    MergeItem.objects.all().delete()
    finds_nothing = replace(queue, work=lambda _ids, _now: 0)
    assert work_once(finds_nothing, T0 + timedelta(minutes=1)) == 0
    assert UnitAttempt.objects.count() == 0


def test_a_unit_that_cannot_be_worked_on_yet_stays_aside(db: None) -> None:
    (unit,) = make_units(1)
    queue = make_queue({unit}, [])
    work_once(queue, T0)
    waits = replace(queue, work=lambda _ids, _now: 0)
    assert work_once(waits, T0 + timedelta(minutes=1)) == 0
    assert UnitAttempt.objects.get().attempts == 1


def test_a_unit_that_waits_for_its_time_is_not_kept_as_tried(db: None) -> None:
    """What is ready at its time, a timer say, begins anew when the time comes."""
    (unit,) = make_units(1)
    queue = replace(make_queue({unit}, []), ready="queued_at <= %(now)s")
    work_once(queue, T0)
    MergeItem.objects.update(queued_at=T0 + timedelta(days=1))
    waits = replace(queue, work=lambda _ids, _now: 0)
    assert work_once(waits, T0 + timedelta(minutes=1)) == 0
    assert (UnitAttempt.objects.count(), MergeItem.objects.count()) == (0, 1)


def test_a_passing_error_counts_against_no_single_unit_either(db: None) -> None:
    """A database that is away for ten seconds must give up nobody who happened to be alone."""
    (unit,), done = make_units(1), list[int]()
    wrapped = OperationalError("deadlock")
    wrapped.__cause__ = errors.DeadlockDetected()
    for minute in range(2 * MAX_ATTEMPTS):
        assert work_once(make_queue({unit}, done, wrapped), T0 + timedelta(minutes=minute)) == 0
    assert (UnitAttempt.objects.count(), DeadLetter.objects.count()) == (0, 0)
    work_once(make_queue({unit}, done), T0 + timedelta(hours=1))
    work_once(make_queue({unit}, done, wrapped), T0 + timedelta(hours=2))
    assert UnitAttempt.objects.get().attempts == 1
    assert work_once(make_queue(set(), done), T0 + timedelta(hours=3)) == 1
    assert (done, UnitAttempt.objects.count()) == ([unit], 0)


def test_who_dies_over_one_of_those_set_aside_holds_up_none_of_the_others(db: None) -> None:
    units, done = make_units(3), list[int]()
    for unit in units:
        UnitAttempt.objects.create(queue="toy", unit_id=unit, attempts=1, reason="worker died", next_at=T0)
    dies = replace(make_queue(set(), done), work=raises_for(units[0], done))
    with pytest.raises(SystemExit):
        work_once(dies, T0)
    assert list(UnitAttempt.objects.filter(next_at__lte=T0).values_list("unit_id", flat=True)) == units[1:]
    assert work_once(make_queue(set(), done), T0) == 2
    assert (done, UnitAttempt.objects.get().unit_id) == (units[1:], units[0])


def raises_for(victim: int, done: list[int]) -> Callable[[Sequence[int], datetime], int]:
    """What no handler of failures catches, as near to a death as a test can come and live."""

    def work(ids: Sequence[int], now: datetime) -> int:
        if victim in ids:
            raise SystemExit
        done.extend(ids)
        return len(ids)

    return work


def test_of_those_set_aside_the_least_tried_come_first(db: None) -> None:
    units, done = make_units(3), list[int]()
    for unit, attempts in zip(units, (4, 2, 1), strict=True):
        UnitAttempt.objects.create(queue="toy", unit_id=unit, attempts=attempts, reason="ValueError", next_at=T0)
    assert work_once(make_queue(set(), done), T0) == 3
    assert done == [units[2], units[1], units[0]]


def test_a_batch_has_its_turn_before_all_that_were_set_aside_are_done(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "MOST_ALONE", 2)
    units, done = make_units(5), list[int]()
    for unit in units[:3]:
        UnitAttempt.objects.create(queue="toy", unit_id=unit, attempts=1, reason="worker died", next_at=T0)
    assert work_once(make_queue(set(), done), T0) == 4
    assert done == [units[0], units[1], units[3], units[4]]


def test_a_dead_worker_s_note_is_taken_up_though_somebody_else_has_done_what_it_held(db: None) -> None:
    queue = make_queue(set(), [])
    leave_note(make_units(2), T0)
    assert work_once(queue, T0) == 2

    assert not work.waiting([queue], T0 + CLAIM_GRACE, {})
    late = T0 + CLAIM_GRACE + timedelta(milliseconds=1)
    assert work.waiting([queue], late, {}) == [work.Waiting(queue, to_mend=True)]
    work_once(queue, late, to_mend=True)

    assert (BatchClaim.objects.count(), UnitAttempt.objects.count()) == (0, 0)
    assert not work.waiting([queue], late, {})


def test_a_unit_set_aside_that_somebody_else_has_done_is_taken_up_though_its_queue_is_empty(db: None) -> None:
    """It was being done by one worker while another set it aside."""
    (unit,) = make_units(1)
    UnitAttempt.objects.create(queue="toy", unit_id=unit, attempts=1, reason="worker died", next_at=T0)
    MergeItem.objects.all().delete()
    queue = replace(make_queue(set(), []), work=lambda _ids, _now: 0)

    assert not work.waiting([queue], T0 - timedelta(seconds=1), {})
    assert work.waiting([queue], T0, {}) == [work.Waiting(queue, to_mend=True)]
    work_once(queue, T0, to_mend=True)

    assert UnitAttempt.objects.count() == 0
