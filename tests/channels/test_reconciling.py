"""What a person says of unknown messages: settled once, with every check anew for what goes again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from channels.dispatch import dispatch_due
from channels.dispatch.reconcile import Said, reconcile
from channels.models import Message, RecentSend
from channels.providers.base import DeliveryError
from customers.models import AuditEntry, Squad, SquadMember
from tests.channels.doubles import Recorder
from tests.channels.world import NOW, World, make_world, state
from tests.consent import people

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def recorded(db: None, recorder: type[Recorder]) -> World:
    return make_world("recorder")


def unknown(world: World) -> UUID:
    Recorder.errors.append(DeliveryError("no answer", accepted="maybe"))
    message = world.queue(world.person())
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("unknown", "interrupted")
    return message


def test_it_arrived(recorded: World) -> None:
    message = unknown(recorded)

    assert reconcile([message], Said.SENT, LATER) == [message]

    assert state(message) == ("sent", "")
    settled_at = Message.objects.get(pk=message).settled_at
    assert settled_at is not None
    assert settled_at < LATER
    assert RecentSend.objects.filter(message_id=message).exists()


def test_it_did_not_arrive_and_leaves_room_for_another_copy(recorded: World) -> None:
    message = unknown(recorded)

    reconcile([message], Said.LOST, LATER)

    assert state(message) == ("failed", "interrupted")
    assert not RecentSend.objects.exists()


def test_once_more_goes_through_every_check(recorded: World) -> None:
    message = unknown(recorded)

    reconcile([message], Said.AGAIN, LATER)
    assert state(message) == ("queued", "")
    row = Message.objects.select_related("address", "profile").get(pk=message)
    assert row.address is not None
    people.tell(row.address, row.profile, recorded.purpose, "withdrawn", LATER)
    dispatch_due(recorded.connector.pk, LATER + timedelta(seconds=1))

    assert state(message) == ("suppressed", "withdrawn")
    assert len(Recorder.calls) == 1


def test_once_more_goes_once(recorded: World) -> None:
    message = unknown(recorded)

    reconcile([message], Said.AGAIN, LATER)
    dispatch_due(recorded.connector.pk, LATER)

    assert state(message) == ("sent", "")
    assert [call.outgoing.key for call in Recorder.calls] == [Recorder.calls[0].outgoing.key] * 2


def test_what_is_too_late_does_not_go_again(recorded: World) -> None:
    message = unknown(recorded)
    assert reconcile([message], Said.AGAIN, NOW + timedelta(days=2)) == []
    assert state(message) == ("unknown", "interrupted")


@pytest.mark.parametrize("said", list(Said))
def test_what_is_known_is_left_alone(recorded: World, said: Said) -> None:
    message = recorded.queue(recorded.person())
    dispatch_due(recorded.connector.pk, NOW)

    assert reconcile([message], said, LATER) == []
    assert state(message) == ("sent", "")


def test_staff_say_so_on_the_list_and_it_is_written_down(recorded: World, admin_client: Client) -> None:
    message = unknown(recorded)

    answer = admin_client.post(
        "/admin/channels/message/", {"action": "arrived", "_selected_action": [str(message)]}, follow=True
    )

    assert "1 message was settled." in answer.content.decode()
    assert state(message) == ("sent", "")
    entry = AuditEntry.objects.get(action="reconcile")
    assert (entry.object_id, entry.before, entry.after) == (str(message), {"state": "unknown"}, {"state": "sent"})


def test_who_may_only_look_says_nothing(recorded: World, client: Client, django_user_model: Any) -> None:
    message = unknown(recorded)
    looker = django_user_model.objects.create_user("looker", password="x", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_message"))
    client.force_login(looker)

    client.post("/admin/channels/message/", {"action": "send_again", "_selected_action": [str(message)]})

    assert state(message) == ("unknown", "interrupted")


@pytest.mark.parametrize(("role", "settled"), [("marketer", True), ("agent", True), ("auditor", False)])
def test_roles_that_may_say_so_say_so_of_what_they_see(
    recorded: World, client: Client, django_user_model: Any, role: str, settled: bool
) -> None:
    message = unknown(recorded)
    person = django_user_model.objects.create_user(role, is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    squad = Squad.objects.create(brand=recorded.brand, name="Desk")
    SquadMember.objects.create(squad=squad, user=person, role=SquadMember.Role.PROCESS_OWNER)
    client.force_login(person)

    client.post("/admin/channels/message/", {"action": "arrived", "_selected_action": [str(message)]})

    assert (state(message) == ("sent", "")) is settled
