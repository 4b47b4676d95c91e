"""Push by Firebase: who asks, what is asked, and what its names of errors mean, against a server that checks both."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation
from pytest_django import Settings

from channels.care.probe import probe
from channels.models import Message
from channels.providers.base import ConfigurationError, build
from consent.models import Suppression
from tests.channels.providers.fcm_server import (
    APPLE,
    BROKEN,
    BUSY,
    DOWN,
    GONE,
    MALFORMED,
    OF_ANOTHER,
    PROJECT,
    FcmServer,
    another_key,
)
from tests.channels.providers.telling import dispatch, provider_beside, say, work_off, world_of, write_to
from tests.channels.web_server import drips, drops
from tests.channels.world import NOW, World, set_credentials, state

DEVICE = "cJ8x:APA91bAna"
SEND = f"/v1/projects/{PROJECT}/messages:send"


@pytest.fixture
def fcm(settings: Settings) -> Iterator[FcmServer]:
    with provider_beside(settings) as system:
        yield FcmServer(system)


@pytest.fixture
def world(db: None, fcm: FcmServer) -> World:
    world = world_of("fcm", "push", fcm.config(), service_account=fcm.service_account())
    say(world)
    return world


def answers(fcm: FcmServer, path: str, other: Any) -> None:
    """One path of the server is answered by `other` from now on."""

    def answer(handler: Any) -> None:
        if fcm.system.received[-1].path == path:
            other(handler)
        else:
            fcm.answer(handler)

    fcm.system.answers = [answer]


def test_a_push_is_asked_for_as_firebase_documents_it(world: World, fcm: FcmServer) -> None:
    say(world, link="https://acme.example/cart", image="https://acme.example/a.png", topic="cart")
    message = write_to(world, DEVICE)

    dispatch(world, NOW)

    assert state(message) == ("sent", "")
    assert Message.objects.get(pk=message).provider_id == fcm.name(1)
    [taken] = fcm.taken
    # The rendered words took a moment, so a second may be gone of the day.
    left = int(taken["android"].pop("ttl").removesuffix("s"))
    assert 86_390 <= left <= 86_400
    assert abs(int(taken["webpush"]["headers"].pop("TTL")) - left) <= 1
    assert taken == {
        "token": DEVICE,
        "notification": {"title": "Olá Ana", "body": "Oi Ana", "image": "https://acme.example/a.png"},
        "data": {"link": "https://acme.example/cart", "message": str(message)},
        "android": {"collapse_key": "cart", "notification": {"tag": "cart"}},
        "apns": {
            "headers": {
                "apns-collapse-id": "cart",
                "apns-expiration": str(int((NOW + timedelta(days=1)).timestamp())),
            }
        },
        "webpush": {
            "headers": {"Topic": "1c42ddc0285b9c25135be3bf345e6a04"},
            "fcm_options": {"link": "https://acme.example/cart"},
        },
    }


@pytest.mark.parametrize(("urgency", "priority"), [("high", "HIGH"), ("normal", "NORMAL"), ("very-low", None)])
def test_how_urgent_it_is_each_platform_is_told_in_its_words(
    world: World, fcm: FcmServer, urgency: str, priority: str | None
) -> None:
    say(world, urgency=urgency)
    write_to(world, DEVICE)

    dispatch(world, NOW)

    [taken] = fcm.taken
    assert taken["android"].get("priority") == priority
    assert taken["webpush"]["headers"]["Urgency"] == urgency


def test_a_browser_s_endpoint_is_no_token(world: World, fcm: FcmServer) -> None:
    message = write_to(world, "https://fcm.googleapis.com/fcm/send/cJ8x")

    dispatch(world, NOW)

    assert state(message) == ("suppressed", "not_served")
    assert SEND not in fcm.asked


def test_what_is_not_said_is_left_out(world: World, fcm: FcmServer) -> None:
    say(world, link="/cart")
    write_to(world, DEVICE)

    dispatch(world, NOW)

    [taken] = fcm.taken
    assert taken["notification"] == {"title": "Olá Ana", "body": "Oi Ana"}
    assert taken["data"]["link"] == "/cart"
    assert set(taken["android"]) == {"ttl"}
    assert set(taken["apns"]["headers"]) == {"apns-expiration"}
    assert set(taken["webpush"]) == {"headers"}


def test_a_batch_asks_for_one_token_over_one_connection(world: World, fcm: FcmServer) -> None:
    messages = [write_to(world, f"{DEVICE}{n}") for n in range(4)]

    dispatch(world, NOW)

    assert [state(one) for one in messages] == [("sent", "")] * 4
    assert fcm.asked == ["/token", *[SEND] * 4]


def test_a_token_that_is_about_to_end_is_asked_for_anew(world: World, fcm: FcmServer) -> None:
    fcm.lasts = 59
    for n in range(2):
        write_to(world, f"{DEVICE}{n}")

    dispatch(world, NOW)

    assert fcm.asked == ["/token", SEND, "/token", SEND]


def test_a_token_that_is_taken_back_is_asked_for_anew_and_costs_no_push(world: World, fcm: FcmServer) -> None:
    messages = [write_to(world, f"{DEVICE}{n}") for n in range(2)]

    def once(handler: Any) -> None:
        fcm.tokens.clear()
        fcm.answer(handler)
        fcm.system.answers = [fcm.answer]

    fcm.system.answers = [fcm.answer, once, fcm.answer]
    dispatch(world, NOW)

    assert [state(one) for one in messages] == [("sent", "")] * 2
    assert fcm.asked == ["/token", SEND, "/token", SEND, SEND]


def test_an_account_that_is_never_let_in_is_asked_twice_and_no_more(world: World, fcm: FcmServer) -> None:
    def forgets(handler: Any) -> None:
        fcm.tokens.clear()
        fcm.answer(handler)

    answers(fcm, SEND, forgets)
    message = write_to(world, DEVICE)

    dispatch(world, NOW)

    assert state(message) == ("queued", "trouble")
    assert fcm.asked == ["/token", SEND, "/token", SEND]


def test_a_key_that_is_not_the_accounts_is_no_fault_of_the_message(world: World, fcm: FcmServer) -> None:
    set_credentials(world.connector, service_account=fcm.service_account(another_key()))
    message = write_to(world, DEVICE)

    dispatch(world, NOW)

    row = Message.objects.get(pk=message)
    assert (row.state, row.reason) == ("queued", "trouble")
    assert row.detail == "400 invalid_grant Invalid JWT Signature."
    assert fcm.asked == ["/token"]


@pytest.mark.parametrize("trouble", [drops, drips])
def test_trouble_with_the_token_leaves_the_message_as_it_was(
    world: World, fcm: FcmServer, settings: Settings, trouble: Any
) -> None:
    settings.PROVIDER_DEADLINE_SECONDS = 0.5
    answers(fcm, "/token", trouble)
    message = write_to(world, DEVICE)

    dispatch(world, NOW)

    assert state(message) == ("queued", "trouble")
    assert fcm.asked == ["/token"]


def test_a_device_that_is_gone_is_written_to_no_more(world: World) -> None:
    message = write_to(world, GONE)

    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))

    assert state(message) == ("failed", "refused")
    [suppression] = Suppression.objects.all()
    assert (suppression.address.value, suppression.reason, suppression.brand) == (GONE, "bounce", None)


@pytest.mark.parametrize(
    ("device", "wanted", "attempts"),
    [
        (MALFORMED, ("failed", "refused"), 1),
        (OF_ANOTHER, ("failed", "refused"), 1),
        (APPLE, ("queued", "trouble"), 0),
        (BUSY, ("queued", "trouble"), 0),
        (DOWN, ("queued", "trouble"), 0),
        (BROKEN, ("unknown", "interrupted"), 1),
    ],
)
def test_firebases_names_of_errors_say_whose_fault_it_is(
    world: World, device: str, wanted: tuple[str, str], attempts: int
) -> None:
    message = write_to(world, device)

    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))

    assert state(message) == wanted
    assert Message.objects.get(pk=message).attempts == attempts
    assert not Suppression.objects.exists()


def test_a_device_of_another_project_holds_up_no_other(world: World) -> None:
    write_to(world, OF_ANOTHER)
    other = write_to(world, DEVICE)

    dispatch(world, NOW)

    assert state(other) == ("sent", "")


def test_the_wish_to_be_left_alone_is_granted(world: World) -> None:
    message = write_to(world, DOWN)

    dispatch(world, NOW)

    assert timedelta(seconds=9) <= Message.objects.get(pk=message).due_at - NOW < timedelta(seconds=11)


def test_another_project_is_a_fault_of_the_settings(world: World) -> None:
    world.configure(project="another-app")
    message = write_to(world, DEVICE)

    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))

    assert state(message) == ("queued", "trouble")
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("trouble", [drops, drips])
def test_a_call_of_which_nobody_knows_is_unknown(
    world: World, fcm: FcmServer, settings: Settings, trouble: Any
) -> None:
    settings.PROVIDER_DEADLINE_SECONDS = 0.5
    answers(fcm, SEND, trouble)
    message = write_to(world, DEVICE)

    dispatch(world, NOW)

    assert state(message) == ("unknown", "interrupted")


@pytest.mark.parametrize(
    "pasted",
    ["", "{}", "[]", '{"client_email": "a@b", "private_key": "-----BEGIN PRIVATE KEY-----\\nAAAA\\n"}'],
)
def test_what_is_no_key_is_refused_in_the_readers_language(fcm: FcmServer, pasted: str) -> None:
    with translation.override("pt-br"), pytest.raises(ConfigurationError, match="Esta não é a chave de uma conta"):
        build("fcm", fcm.config(), {"service_account": pasted})


def test_a_key_may_not_lead_beside_us(fcm: FcmServer) -> None:
    pasted = fcm.service_account(token_uri="http://169.254.169.254/token")
    with translation.override("en"), pytest.raises(ConfigurationError, match="token_uri may not be called"):
        build("fcm", fcm.config(), {"service_account": pasted})


def test_a_project_is_named_by_the_settings_or_the_key(fcm: FcmServer) -> None:
    pasted = fcm.service_account(project_id="")
    with translation.override("en"), pytest.raises(ConfigurationError, match="name a project"):
        build("fcm", fcm.config(), {"service_account": pasted})
    assert build("fcm", {**fcm.config(), "project": "b"}, {"service_account": pasted})
    with pytest.raises(ConfigurationError):
        build("fcm", {**fcm.config(), "project": "../b"}, {"service_account": pasted})


def test_trying_a_connector_asks_for_a_token_and_sends_nothing(world: World, fcm: FcmServer) -> None:
    assert probe(world.connector) == ""
    set_credentials(world.connector, service_account=fcm.service_account(another_key()))
    assert probe(world.connector) == "400 invalid_grant Invalid JWT Signature."
    assert fcm.asked == ["/token", "/token"]
