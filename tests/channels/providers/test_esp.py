"""Letters by services with an API: what is asked of four of them, what they answer, and how long they may take."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import translation
from pytest_django import Settings

from channels.models import Message
from channels.providers.base import ConfigurationError, DeliveryError, Outgoing, build
from channels.providers.esp.services import ESPS
from consent.models import Suppression
from tests.channels.providers.esp_server import KEY, NOBODY, SERVICES, EspServer
from tests.channels.providers.telling import dispatch, provider_beside, work_off, world_of, write_to
from tests.channels.web_server import OtherSystem, breaks_off, drips, drops, floods, hangs, mumbles
from tests.channels.world import NOW, World, set_credentials, state

ANA = "ana@example.com"


@pytest.fixture
def beside(settings: Settings) -> Iterator[OtherSystem]:
    with provider_beside(settings) as system:
        yield system


@pytest.fixture(params=SERVICES)
def esp(request: pytest.FixtureRequest, beside: OtherSystem) -> EspServer:
    return EspServer(beside, request.param)


def world_by(esp: EspServer, **config: Any) -> World:
    return world_of("esp", "email", esp.config() | config, api_key=KEY)


@pytest.fixture
def world(db: None, esp: EspServer) -> World:
    return world_by(esp)


def lists_of(world: World, esp: EspServer) -> dict[str, str]:
    """What the letter says of the list it belongs to, wherever the service is told its headers."""
    [taken] = esp.taken
    if esp.service == "mailgun":
        said = {name[2:].lower(): value for name, value in taken.items() if name.startswith("h:")}
    elif esp.service == "postmark":
        said = {one["Name"].lower(): one["Value"] for one in taken["Headers"]}
    else:
        said = {n.lower(): v for n, v in (taken.get("content") or taken)["headers"].items()}
    return {name: value for name, value in said.items() if name.startswith("list-")}


def test_a_letter_says_who_writes_and_how_to_have_no_more(world: World, esp: EspServer) -> None:
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert state(message) == ("sent", "")
    lists = lists_of(world, esp)
    assert lists["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert lists["list-unsubscribe"].startswith("<http")
    assert lists["list-id"] == "<newsletter.acme.acme.example>"
    [asked] = esp.system.received
    written = asked.body.decode()
    assert str(message) in written
    assert KEY not in written
    assert (asked.headers["accept-encoding"], "python" in asked.headers["user-agent"]) == ("identity", False)


def test_mailgun_takes_our_message_id_for_its_own(db: None, beside: OtherSystem) -> None:
    esp = EspServer(beside, "mailgun")
    world = world_by(esp)
    message = write_to(world, ANA)

    dispatch(world, NOW)

    [taken] = esp.taken
    assert Message.objects.get(pk=message).provider_id == taken["h:Message-Id"]
    assert taken["h:Message-Id"].endswith("@acme.example>")
    assert (taken["from"], taken["to"], taken["subject"]) == ("Acme Café <news@acme.example>", ANA, "Olá Ana")
    assert (taken["text"], taken["v:message"]) == ("Plano gold", str(message))


def test_postmark_is_told_the_stream_and_brevo_names_the_letter(db: None, beside: OtherSystem) -> None:
    esp = EspServer(beside, "postmark")
    world = world_by(esp, message_stream="broadcast", from_email="oi@acme.example", from_name='Ana "A" Silva')
    message = write_to(world, ANA)

    dispatch(world, NOW)

    [taken] = esp.taken
    assert (taken["MessageStream"], taken["Metadata"]) == ("broadcast", {"message": str(message)})
    assert "<oi@acme.example>" in taken["From"]
    assert Message.objects.get(pk=message).provider_id == "b7bc2f4a-e38e-4336-af7d-000000000001"


def test_a_batch_goes_over_one_connection(world: World, esp: EspServer) -> None:
    messages = [write_to(world, f"ana{n}@example.com") for n in range(3)]

    dispatch(world, NOW)

    assert [state(one) for one in messages] == [("sent", "")] * 3
    assert {one.headers["connection"] for one in esp.system.received} == {"keep-alive"}


def test_a_wrong_key_is_no_fault_of_the_message(world: World, esp: EspServer) -> None:
    set_credentials(world.connector, api_key="old")
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert state(message) == ("queued", "trouble")
    assert esp.taken == []


def test_a_path_that_is_not_theirs_is_no_fault_of_the_message(world: World, esp: EspServer) -> None:
    world.configure(base_url=f"{esp.system.url}/nowhere")
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert state(message) == ("queued", "trouble")


def test_whom_they_refuse_is_refused_and_not_named(world: World, esp: EspServer) -> None:
    message = write_to(world, NOBODY)

    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))

    row = Message.objects.get(pk=message)
    assert (row.state, row.reason) == ("failed", "refused")
    assert row.detail.startswith("4")
    assert NOBODY not in row.detail
    # Postmark says that the mailbox has bounced for good; the others say something of this call.
    assert [one.reason for one in Suppression.objects.all()] == (["bounce"] if esp.service == "postmark" else [])


def test_postmark_says_by_its_code_whose_fault_it_is(db: None, beside: OtherSystem) -> None:
    world = world_by(EspServer(beside, "postmark"), from_email="a@unknown.example")
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert state(message) == ("queued", "trouble")
    assert "400" in Message.objects.get(pk=message).detail


def test_too_many_calls_wait_as_long_as_they_say_and_are_no_try(world: World, esp: EspServer) -> None:
    esp.system.answers = []
    esp.system.answer(429, b'{"message": "slow down"}', retry_after="7")
    message = write_to(world, ANA)

    dispatch(world, NOW)

    row = Message.objects.get(pk=message)
    assert (row.state, row.reason, row.attempts) == ("queued", "trouble", 0)
    assert timedelta(seconds=7) <= row.due_at - NOW < timedelta(seconds=9)


def test_sparkposts_420_is_a_limit_as_well(db: None, beside: OtherSystem) -> None:
    world = world_by(EspServer(beside, "sparkpost"))
    beside.answers = []
    beside.answer(420, b'{"errors": [{"message": "Exceed Sending Limit (daily)"}]}')
    message = write_to(world, ANA)

    dispatch(world, NOW)

    row = Message.objects.get(pk=message)
    assert (row.state, row.attempts) == ("queued", 0)


@pytest.mark.parametrize("trouble", ["500", "html", "{}", drops, hangs, drips, breaks_off, mumbles, floods])
def test_a_call_of_which_nobody_knows_is_unknown_within_its_time(
    world: World, esp: EspServer, settings: Settings, trouble: Any
) -> None:
    settings.PROVIDER_DEADLINE_SECONDS = 0.5
    esp.system.answers = []
    if trouble == "500":
        esp.system.answer(500, b'{"message": "oops"}')
    elif trouble in ("html", "{}"):
        esp.system.answer(200, b"<html>" if trouble == "html" else b"{}")
    else:
        esp.system.answers.append(trouble)
    message = write_to(world, ANA)

    dispatch(world, NOW)
    dispatch(world, NOW + timedelta(minutes=30))

    assert state(message) == ("unknown", "interrupted")
    assert len(esp.system.received) == 1


def test_a_redirect_is_not_followed(world: World, esp: EspServer) -> None:
    esp.system.answers = []
    esp.system.answer(307, b"", location=f"{esp.system.url}/elsewhere")
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert state(message) == ("queued", "trouble")
    assert len(esp.system.received) == 1


def test_a_place_that_may_not_be_called_is_not_called(world: World, esp: EspServer, settings: Settings) -> None:
    settings.TRILHA_CALL_HOSTS = []
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert (state(message)[0], Message.objects.get(pk=message).attempts) == ("held", 0)
    assert esp.system.received == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "Oi\nBcc: eve@example.com"},
        {"to": "ana@example.com, eve@example.com"},
        {"to": "Ana <ana@example.com>"},
        {"sender_email": "news@acme.example\r\nBcc: eve@example.com"},
        {"text": " ", "html": ""},
    ],
)
def test_nothing_breaks_out_of_a_letter(wrong: dict[str, str]) -> None:
    provider: Any = build("esp", {"service": "brevo"}, {"api_key": KEY})
    said: dict[str, Any] = {
        "to": ANA,
        "subject": "Oi",
        "html": "",
        "text": "Oi",
        "sender_email": "news@acme.example",
    } | wrong
    outgoing = Outgoing(UUID(int=1), "email", sender_name="Acme", list_key="a", unsubscribe_url="", at=NOW, **said)
    with pytest.raises(DeliveryError) as raised:
        provider.mail(outgoing)
    assert (raised.value.permanent, raised.value.accepted) == (True, "no")


@pytest.mark.parametrize(
    ("config", "credentials"),
    [
        ({"service": "sendgrid"}, {}),
        ({"service": "postal"}, {}),
        ({"service": "scaleway"}, {}),
        ({"service": "mailjet"}, {}),
        ({"service": "mailgun", "base_url": "http://mailgun.example"}, {}),
        ({"service": "mailgun", "sender_domain": "a/b"}, {}),
        ({"service": "scaleway", "project_id": "p", "region": "../x%2f"}, {}),
        ({"service": "brevo", "headers": {"Bcc": "a@b.example"}}, {}),
        ({"service": "brevo"}, {"api_key": "a\nb"}),
        ({"service": "brevo"}, {"callback_login": "user"}),
    ],
)
def test_settings_that_do_not_fit_are_refused(config: dict[str, Any], credentials: dict[str, str]) -> None:
    with translation.override("en"), pytest.raises(ConfigurationError):
        build("esp", config, {"api_key": KEY} | credentials)


@pytest.mark.parametrize("service", sorted(ESPS))
def test_every_service_can_be_opened_without_settings_of_the_installation(service: str) -> None:
    config = {"service": service, "project_id": "p", "base_url": "https://api.example"}
    provider: Any = build("esp", config, {"api_key": KEY, "secret_key": "s"})
    with provider.open() as session:
        assert session._backend.api_url == "https://api.example/"
