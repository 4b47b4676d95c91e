"""The sandbox's outbox: messages as their readers would see them, to whoever may see them."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Permission
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from channels.dispatch import dispatch_all
from channels.models import Connector, Template, TemplateText, TemplateVersion
from channels.providers.base import DeliveryError, Outgoing
from channels.providers.sandbox import SandboxSession
from channels.sandbox import as_chat, newest
from customers.ids import new_id
from tests.channels.world import NOW, World, make_world, state
from tests.consent import people
from tests.query_counts import Frozen

PAGE = "/admin/channels/message/outbox/"
WORDS = "Olá <b>Ana</b>"


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def staff(client: Client, world: World) -> Client:
    client.force_login(get_user_model().objects.create_superuser("ada"))
    return client


def send(world: World, *, first_name: str = "Ana", channel: str = "email", body: str = "") -> str:
    """Have the sandbox take one message; its id."""
    person = world.person(f"{first_name.lower()[:3]}@example.com", first_name=first_name)
    fields = {}
    if channel != "email":
        fields = _on(world, channel, body)
        address = people.make_address("+5511987654321", channel)
        people.seen(person.profile, address)
        people.tell(address, person.profile, world.purpose, "given", NOW - timedelta(days=1))
        fields["address_id"] = address.pk
    message = world.queue(person, **fields)
    dispatch_all(NOW)
    assert state(message) == ("sent", "")
    return str(message)


def _on(world: World, channel: str, body: str) -> dict[str, object]:
    connector = Connector.objects.create(
        brand=world.brand, key=channel, name=channel, channel=channel, provider="sandbox"
    )
    template = Template.objects.create(brand=world.brand, key=channel, name=channel, channel=channel)
    version = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(version=version, locale="en", subject="Psst", text=body)
    return {"channel": channel, "connector_id": connector.pk, "template_version_id": version.pk}


def test_a_mail_is_shown_in_a_frame_where_nothing_of_it_can_run(staff: Client, world: World) -> None:
    message = send(world)
    frame = reverse("admin:channels_message_rendered", args=[message])
    page = staff.get(PAGE).content.decode()
    assert f'src="{frame}"' in page
    assert " sandbox " in page
    answer = staff.get(frame)
    assert "Olá Ana" in answer.content.decode()
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("channel", ["push", "sms", "whatsapp"])
def test_what_a_phone_shows_is_text_and_nothing_else(staff: Client, world: World, channel: str) -> None:
    send(world, channel=channel, body="<script>alert(1)</script> *now*")
    page = staff.get(PAGE).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert ("<strong>now</strong>" in page) == (channel != "push")


def test_a_channel_is_shown_by_itself(staff: Client, world: World) -> None:
    mail, sms = send(world), send(world, first_name="Rui", channel="sms", body="Oi")
    page = staff.get(PAGE, {"channel": "sms"}).content.decode()
    assert sms in page
    assert mail not in page
    assert mail in staff.get(PAGE, {"channel": "nonsense"}).content.decode()


def test_only_the_list_is_sent_again(staff: Client, world: World) -> None:
    message = send(world)
    part = staff.get(PAGE, {"part": "messages"}).content.decode()
    assert message in part
    assert "<html" not in part


def test_more_messages_take_no_more_queries(staff: Client, world: World, frozen_queries: Frozen) -> None:
    for name in ("Ana", "Rui", "Lia"):
        send(world, first_name=name)
    frozen_queries("sandbox outbox page", lambda: staff.get(PAGE))


def test_an_empty_outbox_says_what_would_be_there(staff: Client, world: World) -> None:
    assert "Nothing yet" in staff.get(PAGE).content.decode()


def test_personal_data_is_masked_for_who_may_not_read_it(client: Client, world: World) -> None:
    message = send(world)
    auditor = get_user_model().objects.create_user("audrey", is_staff=True)
    auditor.user_permissions.add(Permission.objects.get(codename="view_message"))
    assign_perm("view_brand", auditor, world.brand)
    client.force_login(auditor)
    page = client.get(PAGE).content.decode()
    assert message in page
    assert "ana@example.com" not in page
    frame = client.get(reverse("admin:channels_message_rendered", args=[message])).content.decode()
    assert "Ana" not in frame
    assert "may not read" in frame


def test_another_brands_messages_are_not_there(client: Client, world: World) -> None:
    message = send(world)
    stranger = get_user_model().objects.create_user("stranger", is_staff=True)
    stranger.user_permissions.add(Permission.objects.get(codename="view_message"))
    client.force_login(stranger)
    assert message not in client.get(PAGE).content.decode()
    foreign = client.get(reverse("admin:channels_message_rendered", args=[message]))
    unknown = client.get(reverse("admin:channels_message_rendered", args=[new_id()]))
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert newest(AnonymousUser(), "", 10) == []


def test_who_may_not_see_messages_is_refused(client: Client, world: World) -> None:
    client.force_login(get_user_model().objects.create_user("guest", is_staff=True))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE).status_code in (403, 405)


def test_messages_really_sent_are_not_in_it(staff: Client, world: World) -> None:
    message = send(world)
    world.connector.provider = "smtp"
    world.connector.save()
    assert message not in staff.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("*café*", "<strong>café</strong>"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("a*b*c", "a*b*c"),
        ("<b>*x*</b>", "&lt;b&gt;<strong>x</strong>&lt;/b&gt;"),
        ("*one* and *two*", "<strong>one</strong> and <strong>two</strong>"),
    ],
)
def test_bold_is_what_messengers_make_bold(body: str, shown: str) -> None:
    assert as_chat(body) == shown


@pytest.mark.parametrize(
    ("to", "permanent", "accepted"),
    [("bounce+ana@example.com", True, "no"), ("busy+ana@example.com", False, "no"),
     ("timeout+ana@example.com", False, "maybe")],
)  # fmt: skip
def test_the_sandbox_can_be_asked_for_trouble(to: str, permanent: bool, accepted: str) -> None:
    with pytest.raises(DeliveryError) as raised:
        SandboxSession().send(_outgoing(to), 0.0)
    assert (raised.value.permanent, raised.value.accepted) == (permanent, accepted)


@pytest.mark.parametrize("to", ["ana@example.com", "ana+bounce@example.com", "bounce@example.com", "+5511987654321"])
def test_everybody_else_is_taken(to: str) -> None:
    assert SandboxSession().send(_outgoing(to), 0.0).provider_id.startswith("sandbox-")


def _outgoing(to: str) -> Outgoing:
    texts: dict[str, Any] = dict.fromkeys(("subject", "html", "text", "sender_name", "sender_email", "list_key"), "")
    return Outgoing(key=new_id(), channel="email", to=to, unsubscribe_url="", at=NOW, **texts)
