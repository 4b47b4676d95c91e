"""Long work in slices: it goes on where it stood, one worker at a time, and can be stopped."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from customers import jobs
from customers.attempts import MAX_ATTEMPTS
from customers.jobs import NoLongerOurs, Slice
from customers.models import Job
from customers.work import TryAgain

pytestmark = pytest.mark.django_db

T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def work() -> Iterator[Callable[[jobs.Worker], None]]:
    """Have a function do the jobs of kind `count`."""

    def use(worker: jobs.Worker) -> None:
        jobs.register("count", "Count", worker)

    yield use
    jobs._kinds.pop("count", None)


def count_to(total: int, a_slice: int) -> jobs.Worker:
    def count(turn: Slice) -> bool:
        start = turn.job.cursor.get("n", 0)
        end = min(start + a_slice, total)
        turn.note(done=end, total=total, n=end)
        return bool(end == total)

    return count


def run(now: datetime = T0) -> None:
    jobs.work_on(lambda: now, seconds=5)


def test_a_job_is_worked_on_slice_by_slice_until_it_is_done(work: Callable[[jobs.Worker], None]) -> None:
    work(count_to(10, 4))
    job = jobs.ask("count", T0)
    run()
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.fence, job.tries) == ("done", 10, 10, 3, 1)
    assert (job.begun_at, job.ended_at, job.leased_until) == (T0, T0, None)


def test_the_same_waiting_job_is_asked_for_once(work: Callable[[jobs.Worker], None]) -> None:
    work(count_to(1, 1))
    first = jobs.ask("count", T0, once=True, arguments={"of": "x"})
    assert jobs.ask("count", T0, once=True, arguments={"of": "x"}).pk == first.pk
    assert jobs.ask("count", T0, once=True, arguments={"of": "y"}).pk != first.pk


def test_while_a_worker_has_it_nobody_else_does(work: Callable[[jobs.Worker], None]) -> None:
    seen = []

    def look(turn: Slice) -> bool:
        seen.append(turn.job.fence)
        run()
        return True

    work(look)
    jobs.ask("count", T0)
    run()
    assert seen == [1]


def test_whose_lease_ran_out_finds_it_is_no_longer_theirs(work: Callable[[jobs.Worker], None]) -> None:
    lost = []

    def dawdle(turn: Slice) -> bool:
        if turn.job.fence == 1:
            run(T0 + timedelta(minutes=2))
            with pytest.raises(NoLongerOurs):
                turn.note(done=1)
            lost.append(True)
        return True

    work(dawdle)
    jobs.ask("count", T0)
    run()
    assert lost == [True]
    assert (Job.objects.get().state, Job.objects.get().fence) == ("done", 2)


def test_a_job_that_kills_its_workers_is_given_up(work: Callable[[jobs.Worker], None]) -> None:
    work(count_to(1, 1))
    job = jobs.ask("count", T0)
    for n in range(5):
        # A worker that died: it claimed the job and was not heard of again.
        assert jobs._claim(T0 + timedelta(minutes=2 * n)) is not None
    run(T0 + timedelta(minutes=20))
    job.refresh_from_db()
    assert (job.state, job.reason) == ("failed", "worker died")


def test_what_gets_somewhere_is_not_given_up_for_its_many_slices(work: Callable[[jobs.Worker], None]) -> None:
    work(count_to(20, 1))
    jobs.ask("count", T0)
    run()
    assert (Job.objects.get().state, Job.objects.get().fence) == ("done", 20)


def test_whoever_has_to_wait_for_others_is_not_given_up(work: Callable[[jobs.Worker], None]) -> None:
    turns = []

    def wait(turn: Slice) -> bool:
        turns.append(turn.job.fence)
        return len(turns) > 2 * MAX_ATTEMPTS

    work(wait)
    jobs.ask("count", T0)
    run()
    job = Job.objects.get()
    assert (job.state, job.reason, len(turns)) == ("done", "", 2 * MAX_ATTEMPTS + 1)


def test_a_fresh_job_comes_before_one_that_was_put_back(work: Callable[[jobs.Worker], None]) -> None:
    worked = []

    def two_slices(turn: Slice) -> bool:
        name = turn.job.arguments["of"]
        if name == "long" and "long" not in worked:
            jobs.ask("count", T0 - timedelta(seconds=1), arguments={"of": "fresh"})
        worked.append(name)
        return worked.count(name) == 2

    work(two_slices)
    jobs.ask("count", T0 - timedelta(minutes=1), arguments={"of": "long"})
    run()
    assert worked == ["long", "fresh", "long", "fresh"]


def test_an_error_ends_it_with_its_kind_and_not_its_words(work: Callable[[jobs.Worker], None]) -> None:
    def fail(turn: Slice) -> bool:
        raise ValueError("ana@example.com")

    work(fail)
    jobs.ask("count", T0)
    run()
    assert (Job.objects.get().state, Job.objects.get().reason) == ("failed", "ValueError")


def test_what_may_pass_by_itself_is_tried_again(work: Callable[[jobs.Worker], None]) -> None:
    tries = []

    def stumble(turn: Slice) -> bool:
        tries.append(1)
        if len(tries) < 3:
            raise TryAgain
        return True

    work(stumble)
    jobs.ask("count", T0)
    run()
    assert (Job.objects.get().state, len(tries)) == ("done", 3)


def test_a_stopped_job_goes_no_further(work: Callable[[jobs.Worker], None]) -> None:
    def go(turn: Slice) -> bool:
        turn.note(done=1)
        assert jobs.cancel(turn.job.pk, T0)
        turn.note(done=2)
        return True

    work(go)
    job = jobs.ask("count", T0)
    run()
    job.refresh_from_db()
    assert (job.state, job.done) == ("cancelled", 1)
    assert not jobs.cancel(job.pk, T0)
