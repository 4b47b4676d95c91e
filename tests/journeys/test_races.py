"""Races on real connections, each beside a control build without the protection, which must fail."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections

from channels import guards
from channels.dispatch import dispatch_due
from channels.models import Message
from channels.providers.base import Accepted, Outgoing
from channels.providers.sandbox import SandboxSession
from customers import work
from customers.models import Brand
from customers.resolve import resolve_inbox
from journeys.engine import advance as advance_module
from journeys.engine import match as match_module
from journeys.engine import runs as runs_module
from journeys.engine.advance import advance_due
from journeys.engine.enroll import open_gate
from journeys.engine.match import match_events
from journeys.engine.recheck import recheck_parked
from journeys.engine.write import write
from journeys.guard import guard
from journeys.models import RecheckItem, Run
from tests.journeys.stage import Stage, make_stage, welcome

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 40
# Between the guard's last look and the first byte to the provider lie a statement and two clocks read in threads.
LAST_LOOK = 0.01


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return make_stage()


def together(*jobs: Callable[[], None]) -> None:
    """Run the jobs in threads of their own, all begun at once; a failure of one fails the test."""
    barrier, errors = threading.Barrier(len(jobs)), list[BaseException]()

    def work_on(job: Callable[[], None]) -> None:
        try:
            barrier.wait()
            job()
        except BaseException as error:
            errors.append(error)
        finally:
            work.close()
            connections.close_all()

    threads = [threading.Thread(target=work_on, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def void(_result: object) -> None:
    """Throw a result away, where a job returns nothing."""


def people(stage: Stage, n: int = PEOPLE) -> list[str]:
    users = [f"user{i}" for i in range(n)]
    for user in users:
        stage.accept("identify", user, traits={"email": f"{user}@example.com"}, email=f"{user}@example.com")
        stage.accept("consent.granted", user, properties={"purpose": "news"})
    stage.run()
    return users


def slowly(function: Callable[..., Any], seconds: float = 0.02) -> Callable[..., Any]:
    """The same function, with time for others before it returns: what is a rare moment becomes a common one."""

    def slow(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        time.sleep(seconds)
        return result

    return slow


def wait_for(anything: dict[str, float]) -> None:
    until = time.monotonic() + 30
    while not anything and time.monotonic() < until:
        time.sleep(0.001)


def until_empty(stage: Stage, *stages: Callable[..., int], limit: int = 3, idle: int = 20) -> Callable[[], None]:
    def loop() -> None:
        quiet = 0
        while quiet < idle:
            quiet = 0 if sum(one(stage.now, limit) for one in stages) else quiet + 1
            if quiet:
                time.sleep(0.005)

    return loop


# --- one live run per key -----------------------------------------------------------------------------------


def enter_at_once(stage: Stage, users: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Five entry events a person, matched by four workers at once; return how many live runs are too many."""
    for user in users:
        for _copy in range(5):
            stage.accept("customer.signed_up", user)
    resolve_inbox(stage.now)
    monkeypatch.setattr(match_module, "open_gate", slowly(open_gate))
    # One event a batch: the workers hold events of one person at the same time.
    together(*[until_empty(stage, match_events, recheck_parked, limit=1)] * 4)
    live = Counter(Run.objects.filter(status=Run.Status.ACTIVE).values_list("customer_id", flat=True))
    assert len(live) == len(users)
    return sum(live.values()) - len(users)


def test_one_live_run_per_key_under_concurrent_entries(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(welcome(entry={"event": "customer.signed_up", "reentry": "always"}))
    assert enter_at_once(stage, people(stage), monkeypatch) == 0
    assert stage.refusals().count("already_live") == PEOPLE * 4


def test_control_without_lock_order_and_constraint_people_enter_twice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.publish(welcome(entry={"event": "customer.signed_up", "reentry": "always"}))
    users = people(stage)
    monkeypatch.setattr(match_module, "_LOCK_CUSTOMERS", "SELECT id FROM customers_customer WHERE id = ANY(%b)")
    monkeypatch.setattr(
        match_module, "_OLDER", "SELECT NULL::uuid, 0 WHERE %b::bigint[] IS NULL AND %b::uuid[] IS NULL"
    )
    with without_index("one_live_run_per_key"):
        assert enter_at_once(stage, users, monkeypatch) > 0


@contextmanager
def without_index(name: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
        definition = cursor.fetchone()[0]
        cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE journeys_run, journeys_transition, journeys_runcontext")
        cursor.execute("RESET session_replication_role")
        cursor.execute(definition)


# --- caps of entry --------------------------------------------------------------------------------------------


def enter_several_at_once(stage: Stage, users: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Entry events of four journeys a person, matched by four workers at once; return the most journeys that anybody
    is in, and how many entries were refused by the caps."""
    for user in users:
        for n in range(4):
            stage.accept(f"offer.{n}", user)
    resolve_inbox(stage.now)
    monkeypatch.setattr(match_module, "open_gate", slowly(open_gate))
    together(*[until_empty(stage, match_events, recheck_parked, limit=1)] * 4)
    live = Counter(Run.objects.filter(status=Run.Status.ACTIVE).values_list("customer_id", flat=True))
    return max(live.values()), stage.refusals().count("concurrency_cap")


def test_nobody_is_in_more_journeys_at_once_than_the_brand_allows(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    Brand.objects.update(journeys_at_once=2)
    for n in range(4):
        stage.publish(welcome(entry={"event": f"offer.{n}"}), f"offer{n}")
    assert enter_several_at_once(stage, people(stage), monkeypatch) == (2, PEOPLE * 2)


def test_control_without_the_customers_lock_people_get_into_too_many(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    Brand.objects.update(journeys_at_once=2)
    for n in range(4):
        stage.publish(welcome(entry={"event": f"offer.{n}"}), f"offer{n}")
    users = people(stage)
    monkeypatch.setattr(match_module, "_LOCK_CUSTOMERS", "SELECT id FROM customers_customer WHERE id = ANY(%b)")
    monkeypatch.setattr(
        match_module, "_OLDER", "SELECT NULL::uuid, 0 WHERE %b::bigint[] IS NULL AND %b::uuid[] IS NULL"
    )
    most, _refused = enter_several_at_once(stage, users, monkeypatch)
    assert most > 2


# --- parking against matching -------------------------------------------------------------------------------


def park_while_matching(stage: Stage, users: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Log-ins are matched while the runs that await them are written but not committed; return how many were lost."""
    written = threading.Event()

    def write_and_linger(*args: Any) -> None:
        write(*args)
        written.set()
        time.sleep(0.5)

    for user in users:
        stage.accept("customer.signed_up", user)
    resolve_inbox(stage.now)
    stage.now += timedelta(seconds=1)
    for user in users:
        stage.accept("login.succeeded", user)
    monkeypatch.setattr(match_module, "write", write_and_linger)

    def log_in() -> None:
        assert written.wait(timeout=30)
        resolve_inbox(stage.now)
        match_events(stage.now)

    together(lambda: void(match_events(stage.now)), log_in)
    until_empty(stage, match_events, recheck_parked)()
    assert Run.objects.count() == len(users)
    return Run.objects.filter(status=Run.Status.ACTIVE).count()


def test_no_wake_up_is_lost_when_parking_meets_matching(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(welcome())
    assert park_while_matching(stage, people(stage), monkeypatch) == 0
    assert RecheckItem.objects.count() == 0


def test_control_without_looking_back_wake_ups_are_lost(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(welcome())
    users = people(stage)
    monkeypatch.setattr("tests.journeys.test_races.recheck_parked", lambda _now, _limit: 0)
    assert park_while_matching(stage, users, monkeypatch) == PEOPLE


PAUSE = {"type": "delay", "id": "pause", "state": "not_activated", "after": "PT1H", "next": "hold"}


def come_to_a_hold_while_matching(stage: Stage, users: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Log-ins are matched while runs that have come to await them are written but not committed, and nobody looks back
    afterwards; return how many were lost."""
    stage.publish(welcome(steps=[PAUSE, *welcome()["steps"][1:]]))
    for user in users:
        stage.accept("customer.signed_up", user)
    stage.run()
    stage.now += timedelta(hours=1)
    written = threading.Event()

    def write_and_linger(*args: Any) -> None:
        write(*args)
        written.set()
        time.sleep(0.5)

    monkeypatch.setattr(advance_module, "write", write_and_linger)

    def log_in() -> None:
        assert written.wait(timeout=30)
        for user in users:
            stage.accept("login.succeeded", user)
        resolve_inbox(stage.now)
        match_events(stage.now)

    together(lambda: void(advance_due(stage.now)), log_in)
    until_empty(stage, match_events)()
    assert RecheckItem.objects.count() == 0
    return Run.objects.filter(status=Run.Status.ACTIVE).count()


def test_no_wake_up_is_lost_when_a_known_run_comes_to_a_hold(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert come_to_a_hold_while_matching(stage, people(stage), monkeypatch) == 0


def test_control_without_waiting_for_the_runs_wake_ups_are_lost(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    users = people(stage)
    monkeypatch.setattr(runs_module, "_LIVE", runs_module._LIVE.replace("FOR NO KEY UPDATE", ""))
    assert come_to_a_hold_while_matching(stage, users, monkeypatch) == PEOPLE


# --- acted before dispatch ----------------------------------------------------------------------------------


class Watched(SandboxSession):
    """The sandbox, noting when each call began."""

    calls: dict[str, float]

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        self.calls[outgoing.to] = time.monotonic()
        return super().send(outgoing, deadline)


def act_while_dispatching(stage: Stage, users: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """Log-ins are accepted while reminders go out. Return (reminders sent to people whose log-in had been accepted
    before the call, reminders sent, reminders cancelled)."""
    for user in users:
        stage.accept("customer.signed_up", user)
    stage.run()
    dispatch_due(stage.connector.pk, stage.now, limit=1000)
    stage.pass_time(days=1)
    calls, accepted = dict[str, float](), dict[str, float]()
    monkeypatch.setattr(Watched, "calls", calls, raising=False)
    monkeypatch.setattr("channels.providers.sandbox.SandboxSession", Watched)

    def act() -> None:
        # The first goes out, and the last have acted: what is between is as it comes.
        wait_for(calls)
        for user in random.Random(7).sample(list(users), len(users)):
            stage.accept("login.succeeded", user)
            accepted[f"{user}@example.com"] = time.monotonic()
            time.sleep(0.002)

    def dispatch() -> None:
        for _round in range(200):
            if not dispatch_due(stage.connector.pk, stage.now, limit=5):
                break
            wait_for(accepted)

    # Resolved and matched meanwhile, so that a log-in may be anywhere on its way when the guard looks.
    together(act, dispatch, until_empty(stage, resolve_inbox, match_events, limit=3, idle=60))
    reminders = Message.objects.filter(visit__gt=1)
    late = sum(called - LAST_LOOK > accepted.get(to, called) for to, called in calls.items())
    sent = reminders.filter(state="sent").count()
    assert sent == len(calls)
    return late, sent, reminders.filter(state="cancelled", reason="acted").count()


def test_nobody_who_acted_before_dispatch_is_reminded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(welcome())
    late, sent, cancelled = act_while_dispatching(stage, people(stage), monkeypatch)
    assert late == 0
    assert sent + cancelled == PEOPLE
    assert cancelled > 0
    assert sent > 0


def test_control_without_the_guard_people_are_reminded_of_what_they_did(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.publish(welcome())
    users = people(stage)
    guards.unregister("run", guard)
    try:
        late, _sent, _cancelled = act_while_dispatching(stage, users, monkeypatch)
    finally:
        guards.register("run", guard)
    assert late > 0
