"""Caps, hours and the person's own wish are asked as a task is claimed: the call is made then."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connections, transaction

from channels.dispatch import dispatch_due
from channels.models import Connector, Message, Task, TemplateVersion
from channels.pacing.sending import lock_key
from channels.worklist import turn
from channels.worklist.asking import NotNow, Objection
from channels.worklist.expiring import expire_tasks
from consent.models import Preference
from customers.pg import raw_cursor
from tests.channels.pacing import at_most, quiet_hours
from tests.channels.test_tasks import SOON, callable_, calling, made, staff
from tests.channels.world import NOW, Person, World, state
from tests.consent import people

NIGHT = NOW.replace(hour=22)


@pytest.fixture
def calls(world: World) -> World:
    return calling(world)


def mailed(world: World, person: Person) -> datetime:
    """Somebody with a task has a letter as well, by the mail connector."""
    mail = Connector.objects.get(key="mail")
    address = people.make_address(f"{person.customer.pk}@example.com")
    people.seen(person.profile, address)
    reader = Person(person.customer, person.profile, address)
    world.tell(reader, "given", NOW - timedelta(days=1))
    version = TemplateVersion.objects.get(template__key="welcome")
    letters = World(world.brand, world.purpose, mail, version, world.journey_id)
    id_ = letters.queue(reader, due_at=NOW + SOON)
    dispatch_due(mail.pk, NOW + SOON)
    message = Message.objects.get(pk=id_)
    assert (message.state, message.settled_at is None) == ("sent", False)
    return message.settled_at or NOW


def stands(task: Task) -> tuple[str, str, object]:
    task.refresh_from_db()
    return task.state, task.reason, task.not_before


def test_in_quiet_hours_a_task_is_put_off_until_they_end(calls: World) -> None:
    task = made(calls)
    quiet_hours(calls.brand, "21:00", "08:00")
    opens = NOW.replace(day=3, hour=8)
    assert turn.claim(task.pk, staff(), NIGHT) == Objection("quiet_hours", opens)
    assert stands(task) == ("open", "quiet_hours", opens)
    # Asked anew whenever somebody claims it, before that moment too.
    assert turn.claim(task.pk, staff(), opens) is None
    assert stands(task) == ("claimed", "", None)
    assert state(task.message_id)[0] == "sent"


def test_where_the_hours_open_too_late_it_is_cancelled_as_a_message_would_be(calls: World) -> None:
    task = made(calls, expires_at=NIGHT + timedelta(hours=1))
    quiet_hours(calls.brand, "21:00", "08:00")
    assert turn.claim(task.pk, staff(), NIGHT) == Objection("quiet_hours")
    assert stands(task) == ("cancelled", "quiet_hours", None)


def test_who_had_a_letter_meanwhile_is_not_called_above_the_cap(calls: World) -> None:
    person = callable_(calls)
    task = made(calls, person, expires_at=NOW + timedelta(days=5))
    free = mailed(calls, person) + timedelta(days=1)
    at_most(calls.brand, 1)
    assert turn.claim(task.pk, staff(), NOW + 2 * SOON) == Objection("capped", free)
    assert turn.claim(task.pk, staff(), free) is None


def test_from_the_claim_on_the_call_itself_counts(calls: World) -> None:
    person = callable_(calls)
    task = made(calls, person, expires_at=NOW + timedelta(days=9))
    called = NOW + timedelta(days=4)
    turn.claim(task.pk, staff(), called)
    at_most(calls.brand, 1)
    id_ = calls.queue(person, channel="call", due_at=called + SOON, expires_at=called + timedelta(days=9))
    dispatch_due(calls.connector.pk, called + SOON)
    assert (state(id_), Message.objects.get(pk=id_).due_at) == (("held", "capped"), called + timedelta(days=1))


def test_who_wants_one_a_week_is_called_a_week_after_the_last(calls: World) -> None:
    person = callable_(calls)
    first = made(calls, person, expires_at=NOW + timedelta(days=20))
    calls.queue(person, channel="call", due_at=NOW + SOON, expires_at=NOW + timedelta(days=20))
    dispatch_due(calls.connector.pk, NOW + SOON)
    Preference.objects.create(address=person.address, brand=calls.brand, every_days=7, changed_at=NOW)
    second = Message.objects.exclude(pk=first.message_id).get().settled_at
    assert second is not None
    assert turn.claim(first.pk, staff(), NOW + 2 * SOON) == Objection("too_often", second + timedelta(days=7))


def test_of_two_tasks_of_one_person_one_is_claimed_where_the_cap_has_room_for_one(calls: World) -> None:
    person = callable_(calls)
    made(calls, person, expires_at=NOW + timedelta(days=9))
    later = NOW + timedelta(days=4)
    calls.queue(person, channel="call", due_at=later, expires_at=NOW + timedelta(days=9))
    dispatch_due(calls.connector.pk, later)
    at_most(calls.brand, 1, days=2)
    one, two = Task.objects.order_by("made_at")
    # The second was made by a message that still counts, so the first waits; the second itself is in order.
    second = Message.objects.get(pk=two.message_id).settled_at
    assert second is not None
    assert turn.claim(one.pk, staff(), later + SOON) == Objection("capped", second + timedelta(days=2))
    assert turn.claim(two.pk, staff(), later + SOON) is None


def test_claimed_again_in_quiet_hours_it_is_given_back_until_they_end(calls: World) -> None:
    task, rita = made(calls), staff()
    turn.claim(task.pk, rita, NOW)
    quiet_hours(calls.brand, "21:00", "08:00")
    assert turn.claim(task.pk, rita, NIGHT) == Objection("quiet_hours", NOW.replace(day=3, hour=8))
    task.refresh_from_db()
    assert (task.state, task.assignee_id, task.claimed_at) == ("open", None, None)


def test_claimed_again_after_a_no_it_is_cancelled(calls: World) -> None:
    person = callable_(calls)
    task, rita = made(calls, person), staff()
    turn.claim(task.pk, rita, NOW)
    calls.tell(person, "withdrawn", NOW + SOON)
    assert turn.claim(task.pk, rita, NOW + 2 * SOON) == Objection("withdrawn")
    assert stands(task) == ("cancelled", "withdrawn", None)


def test_what_is_in_hand_past_its_time_stays_so_when_claimed_again(calls: World) -> None:
    task, rita = made(calls), staff()
    turn.claim(task.pk, rita, NOW)
    assert turn.claim(task.pk, rita, task.due_at) is None
    assert stands(task) == ("claimed", "", None)


def test_one_that_was_put_off_expires_as_any_other(calls: World) -> None:
    task = made(calls)
    quiet_hours(calls.brand, "21:00", "08:00")
    turn.claim(task.pk, staff(), NIGHT)
    assert expire_tasks(task.due_at) == 1
    assert stands(task) == ("expired", "late", None)


def test_while_the_connector_is_off_nobody_claims(calls: World) -> None:
    task = made(calls)
    Connector.objects.filter(pk=calls.connector.pk).update(is_active=False)
    with pytest.raises(NotNow, match="connector_off"):
        turn.claim(task.pk, staff(), NOW)
    assert stands(task) == ("open", "", None)


@pytest.mark.django_db(transaction=True)
def test_while_another_message_of_the_person_is_counted_the_claim_is_asked_again(world: World) -> None:
    calls = calling(world)
    at_most(calls.brand, 5)
    person = callable_(calls)
    task = made(calls, person)
    by = staff()

    def attempt() -> str:
        try:
            turn.claim(task.pk, by, NOW)
        except NotNow as error:
            return error.reason
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), raw_cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%b)", [lock_key(person.customer.pk)])
            assert pool.submit(attempt).result() == "busy"
        assert pool.submit(attempt).result() == ""
