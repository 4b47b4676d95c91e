"""What a send finds locked it comes back for: it waits for nobody's call, and keeps nobody waiting for one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from channels import guards
from channels.dispatch import dispatch_due, send
from channels.models import Message, RecentSend
from channels.pacing.sending import lock_key
from channels.stops import stop
from channels.templates import MissingFieldError
from consent.permission import lock_address
from customers.pg import raw_cursor
from tests.channels.doubles import Recorder
from tests.channels.pacing import at_most
from tests.channels.world import NOW, Person, World, make_world, state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def recorded(recorder: type[Recorder]) -> World:
    return make_world("recorder")


@contextmanager
def somebody_holds(take: Callable[[], object]) -> Iterator[None]:
    """Another connection that has taken a lock, as long as this goes on."""
    taken, over = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                take()
                taken.set()
                over.wait(20)
        finally:
            connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert taken.wait(10)
    try:
        yield
    finally:
        over.set()
        thread.join(20)


def dispatch(world: World) -> None:
    try:
        dispatch_due(world.connector.pk, NOW)
    finally:
        connection.close()


def cap_of(person: Person) -> Callable[[], object]:
    def take() -> None:
        with raw_cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(person.customer.pk)])

    return take


def assert_held_for_a_moment(world: World, message_id: UUID) -> None:
    found = Message.objects.get(pk=message_id)
    assert (found.state, found.reason, found.attempts, found.crashes) == ("held", "busy", 0, 0)
    assert timedelta(seconds=1) <= found.due_at - NOW <= timedelta(seconds=10)
    assert not RecentSend.objects.exists()
    dispatch_due(world.connector.pk, NOW + timedelta(seconds=10))
    assert state(found.pk) == ("sent", "")


def test_where_another_of_the_person_is_being_counted_it_comes_back_at_once(recorded: World) -> None:
    ana = recorded.person()
    at_most(recorded.brand, 2)
    message = recorded.queue(ana)
    with somebody_holds(cap_of(ana)):
        began = time.monotonic()
        dispatch_due(recorded.connector.pk, NOW)
        assert time.monotonic() - began < 8
    assert_held_for_a_moment(recorded, message)


def test_a_stop_waits_for_no_call_of_another_channel(recorded: World) -> None:
    """Ana is being called by another channel, which takes long; her mail is due, and its journey is stopped."""
    ana = recorded.person()
    at_most(recorded.brand, 2)
    recorded.queue(ana)
    with somebody_holds(cap_of(ana)):
        sender = Thread(target=dispatch, args=[recorded])
        sender.start()
        time.sleep(0.2)
        began = time.monotonic()
        stop(recorded.journey_id, None, "wrong price", NOW)
        assert time.monotonic() - began < 5
        sender.join(20)


def test_an_address_that_stays_locked_is_no_crash(recorded: World) -> None:
    ana = recorded.person()
    message = recorded.queue(ana)
    with somebody_holds(lambda: lock_address(ana.address.pk)):
        began = time.monotonic()
        dispatch_due(recorded.connector.pk, NOW)
        assert time.monotonic() - began < 8
    assert_held_for_a_moment(recorded, message)


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03"])
def test_two_who_stood_in_each_others_way_are_no_crash(
    recorded: World, monkeypatch: pytest.MonkeyPatch, sqlstate: str
) -> None:
    message = recorded.queue(recorded.person())

    def collide(_ask: guards.GuardAsk) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$")

    with monkeypatch.context() as patch:
        patch.setattr("channels.guards.ask", collide)
        dispatch_due(recorded.connector.pk, NOW)
    assert_held_for_a_moment(recorded, message)


def test_other_trouble_of_the_database_is_a_crash(recorded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message = recorded.queue(recorded.person())

    def fail(_ask: guards.GuardAsk) -> None:
        raise DatabaseError

    monkeypatch.setattr("channels.guards.ask", fail)
    dispatch_due(recorded.connector.pk, NOW)
    found = Message.objects.get(pk=message)
    assert (found.state, found.crashes) == ("queued", 1)


def test_not_later_than_is_asked_once_more_under_the_locks(recorded: World) -> None:
    ana = recorded.person()
    message = recorded.queue(ana, expires_at=NOW + timedelta(seconds=0.4))
    with somebody_holds(lambda: lock_address(ana.address.pk)):
        sender = Thread(target=dispatch, args=[recorded])
        sender.start()
        time.sleep(0.7)
    sender.join(20)
    assert state(message) == ("expired", "late")
    assert Recorder.calls == []


def taken_before(world: World, person: Person, **fields: object) -> UUID:
    """A message that a provider may have by an earlier call, by whose key it is to be asked again."""
    message = world.queue(person, **fields)
    key = Message.objects.get(pk=message).copy_key
    RecentSend.objects.create(address=person.address, copy_key=key, sent_at=NOW, message_id=message)
    return message


def assert_kept(message: UUID, *expected: str) -> None:
    found = Message.objects.get(pk=message)
    assert (found.state, found.reason) == expected
    assert RecentSend.objects.filter(message_id=found.pk).exists()


UNKNOWN = ("unknown", "interrupted")


def test_what_may_be_taken_stays_so_when_it_is_no_longer_permitted(recorded: World) -> None:
    ana = recorded.person()
    message = taken_before(recorded, ana)
    recorded.tell(ana, "withdrawn", NOW)
    dispatch_due(recorded.connector.pk, NOW)
    assert_kept(message, *UNKNOWN)


def test_what_may_be_taken_stays_so_when_it_is_stopped_within_the_locks(
    recorded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = taken_before(recorded, recorded.person())
    real = send.announce

    def stopped_meanwhile(*arguments: object) -> bool:
        begun = real(*arguments)  # type: ignore[arg-type]
        stop(recorded.journey_id, None, "wrong price", NOW)
        return begun

    monkeypatch.setattr(send, "announce", stopped_meanwhile)
    dispatch_due(recorded.connector.pk, NOW)
    assert_kept(message, "held", "stopped")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(guards.Refuse("acted"), UNKNOWN), (guards.Wait(1.0, "unresolved"), ("held", "unresolved"))],
)
def test_what_may_be_taken_stays_so_when_a_guard_refuses_it(
    recorded: World, monkeypatch: pytest.MonkeyPatch, answer: guards.Answer, expected: tuple[str, str]
) -> None:
    message = taken_before(recorded, recorded.person())
    monkeypatch.setattr("channels.guards.ask", lambda _ask: answer)
    dispatch_due(recorded.connector.pk, NOW)
    assert_kept(message, *expected)


@pytest.mark.parametrize(("crashes", "expected"), [(0, ("queued", "")), (4, UNKNOWN)])
def test_what_may_be_taken_stays_so_through_a_crash(
    recorded: World, monkeypatch: pytest.MonkeyPatch, crashes: int, expected: tuple[str, str]
) -> None:
    message = taken_before(recorded, recorded.person())
    Message.objects.filter(pk=message).update(crashes=crashes)

    def fail(_ask: guards.GuardAsk) -> None:
        raise RuntimeError

    monkeypatch.setattr("channels.guards.ask", fail)
    dispatch_due(recorded.connector.pk, NOW)
    assert_kept(message, *expected)


def test_what_may_be_taken_and_is_late_as_it_is_claimed_is_unknown(recorded: World) -> None:
    late = taken_before(recorded, recorded.person(), expires_at=NOW)
    never_called = recorded.queue(recorded.person("bia@example.com"), expires_at=NOW)
    dispatch_due(recorded.connector.pk, NOW)
    assert_kept(late, *UNKNOWN)
    assert state(never_called) == ("expired", "late")


def test_what_may_be_taken_stays_so_when_no_words_can_be_made(recorded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message = taken_before(recorded, recorded.person())

    def fail(*_arguments: object) -> None:
        raise MissingFieldError("plan")

    monkeypatch.setattr("channels.dispatch.due.compose", fail)
    dispatch_due(recorded.connector.pk, NOW)
    assert_kept(message, *UNKNOWN)


def test_one_that_waits_for_another_until_its_end_is_capped_and_not_late(recorded: World) -> None:
    ana = recorded.person()
    at_most(recorded.brand, 1)
    in_hand = taken_before(recorded, ana)
    Message.objects.filter(pk=in_hand).update(state="dispatching", lease_token=1, leased_until=NOW + timedelta(days=1))
    message = recorded.queue(ana, expires_at=NOW + timedelta(seconds=20))
    for seconds in (0, 6, 12, 18, 21):
        dispatch_due(recorded.connector.pk, NOW + timedelta(seconds=seconds))
    assert state(message) == ("suppressed", "capped")
