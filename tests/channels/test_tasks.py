"""Tasks for people: made once of a message, asked again when somebody claims them, and told as receipts."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction

from channels import stops
from channels.dispatch import dispatch_due, sweep
from channels.models import Connector, Message, Receipt, Task, Template, TemplateText, TemplateVersion
from channels.receipts import apply as receipts
from channels.worklist import turn
from channels.worklist.asking import NotNow, Objection
from channels.worklist.expiring import expire_tasks, give_back
from channels.worklist.numbers import numbers
from channels.worklist.turn import By, NotYours
from consent.models import Suppression
from customers.awaited import subscribe
from customers.models import Address, Event, EventPayload, PartnerToken
from customers.work import work_once
from tests.channels.world import NOW, Person, World, state
from tests.consent import people

SOON = timedelta(minutes=5)


@pytest.fixture
def calls(world: World) -> World:
    return calling(world)


def calling(world: World, provider: str = "voice_task") -> World:
    """The same brand with a connector by which people of ours call."""
    template = Template.objects.create(brand=world.brand, key="call", name="Call", channel="call")
    version = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(
        version=version, locale="en", subject="Call {{ customer.first_name }}", text="Ask about {{ event.plan }}.",
        options={"queue": "{{ customer.store }}"},
    )  # fmt: skip
    connector = Connector.objects.create(
        brand=world.brand, key="calls", name="Calls", channel="call", provider=provider, config={"queue": "front"}
    )
    return World(world.brand, world.purpose, connector, version, world.journey_id)


def callable_(world: World, phone: str = "+5511987654321", **traits: Any) -> Person:
    found = world.person(f"{phone[1:]}@example.com", **{"store": ""} | traits)
    address = people.make_address(phone)
    Address.objects.filter(pk=address.pk).update(channel="call")
    people.seen(found.profile, address)
    person = Person(found.customer, found.profile, Address.objects.get(pk=address.pk))
    world.tell(person, "given", NOW - timedelta(days=1))
    return person


def made(world: World, person: Person | None = None, **fields: Any) -> Task:
    world.queue(person or callable_(world), channel="call", **fields)
    dispatch_due(world.connector.pk, NOW)
    return Task.objects.get()


def staff(name: str = "rita") -> By:
    return By(user_id=User.objects.get_or_create(username=name)[0].pk)


def settle() -> None:
    while work_once(receipts.QUEUE, NOW + timedelta(hours=1)):
        pass


@pytest.mark.parametrize(("provider", "kind"), [("voice_task", "call"), ("store_task", "store")])
def test_a_message_becomes_a_task_with_its_words_and_its_queue(world: World, provider: str, kind: str) -> None:
    calls = calling(world, provider)
    task = made(calls, callable_(calls, store="Centro"))
    message = Message.objects.get()
    assert (task.kind, task.title, task.instructions, task.queue) == (kind, "Call Ana", "Ask about gold.", "Centro")
    assert (task.state, task.due_at, task.message_id, task.address_id) == (
        "open", message.expires_at, message.pk, message.address_id,
    )  # fmt: skip
    assert (message.state, message.provider_id) == ("sent", f"task-{task.pk}")


def test_without_a_queue_in_the_template_it_is_the_connectors(calls: World) -> None:
    assert made(calls).queue == "front"


def test_who_permits_no_calls_is_no_task(calls: World) -> None:
    person = callable_(calls)
    calls.tell(person, "withdrawn", NOW)
    id_ = calls.queue(person, channel="call")
    dispatch_due(calls.connector.pk, NOW)
    assert (state(id_), Task.objects.count()) == (("suppressed", "withdrawn"), 0)


def test_a_queue_that_is_too_long_fails_the_message_alone(calls: World) -> None:
    id_ = calls.queue(callable_(calls, store="x" * 61), channel="call")
    dispatch_due(calls.connector.pk, NOW)
    assert (state(id_), Task.objects.count()) == (("failed", "refused"), 0)


def test_an_interrupted_send_is_repeated_and_makes_one_task(calls: World) -> None:
    task = made(calls)
    Message.objects.update(state="dispatching", lease_token=1, leased_until=NOW - SOON, settled_at=None)
    assert sweep(NOW).queued == 1
    dispatch_due(calls.connector.pk, NOW)
    assert [one.pk for one in Task.objects.all()] == [task.pk]
    assert state(task.message_id) == ("sent", "")


def test_claimed_given_back_and_done_with_what_came_of_it(calls: World) -> None:
    task, rita, beto = made(calls), staff(), staff("beto")
    assert turn.claim(task.pk, rita, NOW) is None
    assert turn.claim(task.pk, rita, NOW) is None
    with pytest.raises(NotYours):
        turn.claim(task.pk, beto, NOW)
    with pytest.raises(NotYours):
        turn.complete(task.pk, beto, Task.Outcome.REACHED, "", NOW)
    turn.release(task.pk, rita, NOW)
    assert turn.claim(task.pk, beto, NOW) is None
    turn.complete(task.pk, beto, Task.Outcome.REACHED, "likes it", NOW)
    turn.complete(task.pk, beto, Task.Outcome.REACHED, "likes it", NOW)
    with pytest.raises(NotYours):
        turn.complete(task.pk, beto, Task.Outcome.NO_MORE, "", NOW)
    settle()
    task.refresh_from_db()
    assert (task.state, task.outcome, task.note, state(task.message_id)[0]) == (
        "done", "reached", "likes it", "delivered",
    )  # fmt: skip
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize(
    ("outcome", "stands", "reason"),
    [("not_reached", "failed", None), ("wrong_number", "failed", "bounce"), ("no_more", "delivered", None)],
)
def test_what_came_of_it_moves_the_message_and_may_end_calls(
    calls: World, outcome: str, stands: str, reason: str | None
) -> None:
    person = callable_(calls)
    task, rita = made(calls, person), staff()
    turn.claim(task.pk, rita, NOW)
    turn.complete(task.pk, rita, Task.Outcome(outcome), "", NOW)
    settle()
    assert state(task.message_id)[0] == stands
    assert Suppression.objects.filter(address=person.address).values_list("reason", flat=True).first() == reason
    id_ = calls.queue(person, channel="call", due_at=NOW + SOON, expires_at=NOW + timedelta(days=2))
    dispatch_due(calls.connector.pk, NOW + SOON)
    allowed = {"not_reached": ("sent", ""), "wrong_number": ("suppressed", "suppressed"),
               "no_more": ("suppressed", "withdrawn")}  # fmt: skip
    assert state(id_) == allowed[outcome]


def test_who_withdrew_meanwhile_is_not_called(calls: World) -> None:
    person = callable_(calls)
    task = made(calls, person)
    calls.tell(person, "withdrawn", NOW + SOON)
    assert turn.claim(task.pk, staff(), NOW + 2 * SOON) == Objection("withdrawn")
    settle()
    task.refresh_from_db()
    assert (task.state, task.reason, task.assignee_id, state(task.message_id)[0]) == (
        "cancelled", "withdrawn", None, "failed",
    )  # fmt: skip
    with pytest.raises(NotYours):
        turn.claim(task.pk, staff(), NOW + 2 * SOON)


def test_while_a_stop_stands_nobody_claims_and_afterwards_they_do(calls: World) -> None:
    task = made(calls)
    stops.stop(calls.journey_id, None, "a mistake", NOW)
    with pytest.raises(NotNow):
        turn.claim(task.pk, staff(), NOW)
    assert Task.objects.get().state == "open"
    stops.release(calls.journey_id, NOW)
    assert turn.claim(task.pk, staff(), NOW) is None


@pytest.mark.parametrize(("outcome", "reason"), [("no_more", "withdrawn"), ("wrong_number", "suppressed")])
def test_a_no_on_the_phone_holds_once_it_is_written_down(calls: World, outcome: str, reason: str) -> None:
    person = callable_(calls)
    task, rita = made(calls, person), staff()
    turn.claim(task.pk, rita, NOW)
    turn.complete(task.pk, rita, Task.Outcome(outcome), "", NOW)
    id_ = calls.queue(person, channel="call", due_at=NOW + SOON)
    dispatch_due(calls.connector.pk, NOW + SOON)
    assert state(id_) == ("suppressed", reason)


def test_what_somebody_who_left_had_in_hand_is_open_again(calls: World) -> None:
    task = made(calls)
    rita, beto = staff(), staff("beto")
    turn.claim(task.pk, rita, NOW)
    assert rita.user_id
    assert beto.user_id
    assert give_back(NOW) == 0
    User.objects.filter(pk=rita.user_id).update(is_active=False)
    assert give_back(NOW) == 1
    turn.claim(task.pk, beto, NOW)
    User.objects.get(pk=beto.user_id).delete()
    assert [give_back(NOW), give_back(NOW)] == [1, 0]
    task.refresh_from_db()
    assert (task.state, task.assignee_id, task.claimed_at) == ("open", None, None)


def test_what_a_partner_had_in_hand_is_open_again_once_its_token_is_no_good(calls: World) -> None:
    task = made(calls)
    fields: dict[str, Any] = {"prefix": "x", "digest": b"x", "scopes": [], "created_at": NOW}
    token = PartnerToken.objects.create(brand=calls.brand, name="till", expires_at=NOW + SOON, **fields)
    turn.claim(task.pk, By(token_id=token.pk), NOW)
    assert give_back(NOW) == 0
    PartnerToken.objects.update(expires_at=NOW)
    assert [give_back(NOW), give_back(NOW)] == [1, 0]
    task.refresh_from_db()
    assert (task.state, task.token_id) == ("open", None)


def test_a_number_is_seen_while_it_is_in_hand_and_they_permit_it(calls: World) -> None:
    person = callable_(calls)
    task = made(calls, person)
    assert numbers([task], NOW) == {}
    turn.claim(task.pk, staff(), NOW)
    task.refresh_from_db()
    assert numbers([task], NOW) == {task.pk: person.address.value}
    calls.tell(person, "withdrawn", NOW + SOON)
    assert numbers([task], NOW + 2 * SOON) == {}


def test_what_nobody_claimed_in_time_expires_and_what_is_in_hand_does_not(calls: World) -> None:
    open_ = made(calls)
    calls.queue(callable_(calls, "+5511987650000"), channel="call")
    dispatch_due(calls.connector.pk, NOW)
    held = Task.objects.exclude(pk=open_.pk).get()
    turn.claim(held.pk, staff(), NOW)
    late = NOW + timedelta(days=1)
    assert [expire_tasks(late - SOON), expire_tasks(late), expire_tasks(late)] == [0, 1, 0]
    assert dict(Task.objects.values_list("pk", "state")) == {open_.pk: "expired", held.pk: "claimed"}


def test_at_its_very_time_nobody_claims_it_any_more(calls: World) -> None:
    task = made(calls)
    assert turn.claim(task.pk, staff(), task.due_at) == Objection("late")
    assert Task.objects.get().state == "cancelled"


def test_whoever_waits_is_told(calls: World) -> None:
    subscribe("test", ["task.created", "task.claimed", "task.done"])
    task, rita = made(calls), staff()
    turn.claim(task.pk, rita, NOW)
    turn.complete(task.pk, rita, Task.Outcome.REACHED, "a private word", NOW)
    told = [(event.name, said(event)) for event in Event.objects.order_by("id")]
    assert [name for name, _said in told] == ["task.created", "task.claimed", "task.done"]
    assert {(one["task"], one["message"], one["kind"], one["queue"]) for _name, one in told} == {
        (str(task.pk), str(task.message_id), "call", "front")
    }
    assert told[2][1]["outcome"] == "reached"
    assert "private" not in str(told)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_at_once_one_has_it(world: World) -> None:
    calls = calling(world)
    task = made(calls)
    everybody = [staff(f"p{n}") for n in range(8)]

    def attempt(by: By) -> bool:
        try:
            return turn.claim(task.pk, by, NOW) is None
        except NotYours:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(attempt, everybody)).count(True) == 1
    assert Task.objects.get().state == "claimed"


@pytest.mark.django_db(transaction=True)
def test_a_no_and_a_claim_at_once_never_leave_a_call_after_the_no(world: World) -> None:
    calls = calling(world)
    for n in range(6):
        person = callable_(calls, f"+551198765400{n}")
        calls.queue(person, channel="call")
        dispatch_due(calls.connector.pk, NOW)
        task = Task.objects.get(profile=person.profile)
        outcome = race(calls, person, task.pk)
        # Whoever claims after the answer to the no is told not to call.
        assert turn_after(task.pk, outcome)


def race(calls: World, person: Person, task_id: UUID) -> Objection | None:
    def say_no() -> None:
        try:
            with transaction.atomic():
                calls.tell(person, "withdrawn", NOW + SOON)
        finally:
            connections.close_all()

    def attempt() -> Objection | None:
        try:
            return turn.claim(task_id, staff(), NOW + 2 * SOON)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        no, claimed = pool.submit(say_no), pool.submit(attempt)
        no.result()
        return claimed.result()


def turn_after(task_id: UUID, outcome: Objection | None) -> bool:
    found = Task.objects.get(pk=task_id)
    if outcome is None:
        turn.release(task_id, staff(), NOW + 2 * SOON)
        return turn.claim(task_id, staff(), NOW + 2 * SOON) == Objection("withdrawn")
    return (found.state, found.reason) == ("cancelled", "withdrawn")


def said(event: Event) -> Any:
    return EventPayload.objects.get(event_id=event.pk).payload["properties"]
