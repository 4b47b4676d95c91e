"""Web Push: what a push service is given, what its browsers read of it, and what each answer means for the message."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from channels.care.probe import CannotTry, probe
from channels.dispatch import send
from channels.dispatch.compose import compose
from channels.models import ConnectorState, Message, PushSubscription, Receipt, RecentSend
from channels.providers.base import ConfigurationError, build, provider_class
from channels.push import subscriptions
from channels.push.serving import served
from channels.web import exchange, line
from consent.models import Suppression
from consent.permission import Choice, Verdict
from customers.ids import new_id
from tests.channels.providers.push_server import CONTACT, PushServer, dawdles, drops_after
from tests.channels.providers.telling import (
    PUBLIC,
    dispatch,
    happened,
    path_of,
    post,
    provider_beside,
    say,
    work_off,
    write_to,
)
from tests.channels.push import agrees, give_keys, named, push_to, push_world, server_of, told
from tests.channels.web_server import OtherSystem, drips, drops
from tests.channels.world import NOW, World, content, set_credentials, state
from tests.consent.people import make_address


@pytest.fixture
def system(settings: Settings) -> Iterator[OtherSystem]:
    with provider_beside(settings) as system:
        yield system


@pytest.fixture
def world(db: None, system: OtherSystem) -> World:
    world = push_world()
    say(world)
    return world


@pytest.fixture
def service(world: World, system: OtherSystem) -> PushServer:
    return server_of(system, world.connector)


def test_only_the_browser_reads_what_it_is_pushed(world: World, service: PushServer) -> None:
    world.configure(icon="https://acme.example/icon.png")
    say(world, link="/cart", image="https://acme.example/a.png", topic="cart", urgency="high")
    message = push_to(world, service.subscribe())

    dispatch(world, NOW)

    assert state(message) == ("sent", "")
    assert Message.objects.get(pk=message).provider_id == f"{service.system.url}/m/1"
    [pushed] = service.pushed
    said = dict(pushed.said)
    assert (said.pop("tell"), len(said.pop("token"))) == (f"{PUBLIC}{path_of(world)}?message={message}", 22)
    assert said == {
        "trilha": 1,
        "title": "Olá Ana",
        "body": "Oi Ana",
        "icon": "https://acme.example/icon.png",
        "image": "https://acme.example/a.png",
        "link": "/cart",
        "tag": "cart",
        "lang": "pt",
        "message": str(message),
    }
    [came] = service.system.received
    assert b"Ana" not in came.body
    assert (came.method, len(came.body)) == ("POST", 86 + len(pushed.plain) + 1 + 16)
    assert content(message).subject == "Olá Ana"


def tells(client: Client, world: World, message: object, token: str, happened: object = "shown") -> int:
    """As the service worker does."""
    body = json.dumps({"token": token, "happened": happened}).encode()
    return int(post(client, f"{path_of(world)}?message={message}", body, "text/plain").status_code)


def test_that_it_was_shown_and_tapped_is_told_once_and_takes_the_message_forward_only(
    world: World, service: PushServer, client: Client
) -> None:
    message = push_to(world, service.subscribe())
    dispatch(world, NOW)
    token = service.pushed[0].said["token"]
    stands = []
    for mark in ("shown", "shown", "clicked", "clicked", "shown"):
        assert tells(client, world, message, token, mark) == 200
        work_off(NOW + timedelta(minutes=1))
        stands.append(state(message)[0])
    assert stands == ["delivered", "delivered", "clicked", "clicked", "clicked"]
    assert list(Receipt.objects.order_by("id").values_list("happened", flat=True)) == ["delivered", "clicked"]


def test_with_the_token_of_another_push_nothing_is_told(world: World, service: PushServer, client: Client) -> None:
    message, other = push_to(world, service.subscribe()), push_to(world, service.subscribe())
    dispatch(world, NOW)
    tokens = {one.said["message"]: one.said["token"] for one in service.pushed}
    assert len(set(tokens.values())) == 2
    for token in (tokens[str(other)], "", "é", tokens[str(message)] + "A"):
        assert tells(client, world, message, token) == 401
    for wrong in ("", "x", new_id()):
        assert tells(client, world, wrong, tokens[str(message)]) == 401
    for body in (b"", b"[]", b"{", b'{"token": 5, "happened": "shown"}', b"[" * 100_000):
        assert post(client, f"{path_of(world)}?message={message}", body, "text/plain").status_code == 401
    # It is theirs, and says what we do not know.
    assert tells(client, world, message, tokens[str(message)], "danced") == 200
    work_off(NOW + timedelta(minutes=1))
    assert (state(message), Receipt.objects.count()) == (("sent", ""), 0)


def test_it_says_how_long_how_urgent_and_what_it_replaces(world: World, service: PushServer) -> None:
    say(world, topic="cart", urgency="low")
    push_to(world, service.subscribe())
    push_to(world, service.subscribe(), expires_at=NOW + timedelta(days=90))

    dispatch(world, NOW)

    first, second = (one.headers for one in service.pushed)
    assert 86_390 <= int(first["ttl"]) <= 86_400
    assert int(second["ttl"]) == 28 * 86_400
    assert (first["urgency"], first["topic"]) == ("low", "1c42ddc0285b9c25135be3bf345e6a04")
    assert (first["content-encoding"], first["content-type"]) == ("aes128gcm", "application/octet-stream")


def test_its_service_is_connected_to_before_anything_is_locked(
    world: World, service: PushServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    connect, announce = exchange.connected, send.announce

    def connected(*given: Any) -> Any:
        order.append("connected")
        return connect(*given)

    def announced(*given: Any) -> bool:
        order.append("announced")
        return announce(*given)

    monkeypatch.setattr(line, "connected", connected)
    monkeypatch.setattr(send, "announce", announced)
    message = push_to(world, service.subscribe())

    dispatch(world, NOW)

    assert (state(message), order) == (("sent", ""), ["connected", "announced"])


def test_a_push_without_a_topic_has_one_of_its_own_at_every_try(world: World, service: PushServer) -> None:
    message = push_to(world, service.subscribe())
    service.system.answers = [(503, {"Retry-After": "9"}, b""), service.answer]

    dispatch(world, NOW)
    dispatch(world, NOW + timedelta(minutes=1))

    assert state(message) == ("sent", "")
    topics = [one.headers["topic"] for one in service.system.received]
    assert len(topics) == 2
    assert len(set(topics)) == 1
    assert len(topics[0]) == 32
    assert service.pushed[0].said["tag"].replace("-", "") == topics[0]
    assert service.pushed[0].headers["urgency"] == "normal"


def test_who_we_are_is_signed_for_each_service_and_for_less_than_a_day(world: World, service: PushServer) -> None:
    for _one in range(2):
        push_to(world, service.subscribe())

    dispatch(world, NOW)

    first, second = service.pushed
    assert (first.claims["aud"], first.claims["sub"]) == (service.system.url, CONTACT)
    assert timedelta() < timedelta(seconds=first.claims["exp"] - NOW.timestamp()) <= timedelta(hours=24)
    # Signed once for a batch, and encrypted anew for each.
    assert first.headers["authorization"] == second.headers["authorization"]
    bodies = [one.body for one in service.system.received]
    assert bodies[0][:16] != bodies[1][:16]
    assert bodies[0][21:86] != bodies[1][21:86]


@pytest.mark.parametrize("kind", ["gone", "unknown"])
def test_a_subscription_that_is_gone_is_written_to_no_more(world: World, service: PushServer, kind: str) -> None:
    browser = service.subscribe(kind)
    message = push_to(world, browser)

    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))

    assert state(message) == ("failed", "refused")
    assert Message.objects.get(pk=message).detail.endswith("subscription_gone")
    [suppression] = Suppression.objects.all()
    found = (suppression.address.value, suppression.reason, suppression.brand)
    assert found == (browser.endpoint, "bounce", None)
    assert not ConnectorState.objects.filter(failures__gt=0).exists()


@pytest.mark.parametrize(
    ("kind", "wanted", "attempts"),
    [
        ("large", ("failed", "refused"), 1),
        ("odd", ("failed", "refused"), 1),
        ("busy", ("queued", "trouble"), 0),
        ("down", ("queued", "trouble"), 0),
        ("broken", ("unknown", "interrupted"), 1),
        ("stranger", ("queued", "trouble"), 1),
        ("theirs", ("queued", "trouble"), 1),
        ("moved", ("failed", "refused"), 1),
        ("proxy", ("failed", "refused"), 1),
    ],
)
def test_each_answer_says_whose_fault_it_is(
    world: World, service: PushServer, kind: str, wanted: tuple[str, str], attempts: int
) -> None:
    message = push_to(world, service.subscribe(kind))

    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))

    assert state(message) == wanted
    assert Message.objects.get(pk=message).attempts == attempts
    assert service.asked == [kind]
    assert not Suppression.objects.exists()
    assert service.pushed == []


@pytest.mark.parametrize("kind", ["busy", "down"])
def test_the_wish_to_be_left_alone_is_granted(world: World, service: PushServer, kind: str) -> None:
    message = push_to(world, service.subscribe(kind))

    dispatch(world, NOW)

    assert timedelta(seconds=9) <= Message.objects.get(pk=message).due_at - NOW < timedelta(seconds=11)


def push_all(world: World, service: PushServer, *kinds: str) -> list[UUID]:
    """Queue one push for each, to go in this order."""
    first = NOW - timedelta(minutes=1)
    return [
        push_to(world, service.subscribe(kind), due_at=first + timedelta(seconds=n)) for n, kind in enumerate(kinds)
    ]


def rests() -> list[tuple[str, int]]:
    return [(row.rest, row.rests) for row in ConnectorState.objects.exclude(rest="", rests=0, rests_until=None)]


@pytest.mark.parametrize("kind", ["stranger", "theirs", "moved", "proxy", "busy", "down"])
def test_one_odd_subscription_holds_up_nobody(world: World, service: PushServer, kind: str) -> None:
    odd, *good = push_all(world, service, kind, "good", "good")

    dispatch(world, NOW)

    assert [state(one) for one in good] == [("sent", "")] * 2
    assert state(odd) != ("sent", "")
    assert rests() == []


@pytest.mark.parametrize("kind", ["stranger", "theirs"])
def test_a_service_that_knows_none_of_several_subscriptions_rests_the_connector(
    world: World, service: PushServer, kind: str
) -> None:
    first, second, third, fourth = push_all(world, service, kind, kind, kind, "good")

    dispatch(world, NOW)

    assert rests() == [("settings", 1)]
    assert [Message.objects.get(pk=one).attempts for one in (first, second, third)] == [1, 1, 0]
    assert state(fourth) == ("queued", "")


@pytest.mark.parametrize("kind", ["stranger", "theirs"])
def test_a_subscription_of_another_key_is_its_own_fault_where_others_go_through(
    world: World, service: PushServer, kind: str
) -> None:
    good, theirs, after = push_all(world, service, "good", kind, "good")

    dispatch(world, NOW)

    assert [state(one) for one in (good, theirs, after)] == [("sent", ""), ("failed", "refused"), ("sent", "")]
    assert Message.objects.get(pk=theirs).detail.endswith("other_key")
    assert rests() == []


@pytest.mark.parametrize("kind", ["stranger", "theirs"])
def test_a_service_that_took_a_push_before_is_remembered(world: World, service: PushServer, kind: str) -> None:
    push_all(world, service, "good")
    dispatch(world, NOW)
    theirs = push_all(world, service, kind, kind, kind, kind)

    dispatch(world, NOW + timedelta(minutes=1))

    assert {state(one) for one in theirs} == {("failed", "refused")}
    assert rests() == []


def test_what_knew_another_key_is_no_sign_for_ours(world: World, service: PushServer) -> None:
    push_all(world, service, "good")
    dispatch(world, NOW)
    give_keys(world.connector, services="127.0.0.1")
    service.public_key = world.connector.config["public_key"]
    [theirs] = push_all(world, service, "theirs")

    dispatch(world, NOW + timedelta(minutes=1))

    assert state(theirs) == ("queued", "trouble")


def test_who_is_refused_again_and_again_is_given_up(world: World, service: PushServer) -> None:
    [theirs] = push_all(world, service, "theirs")

    for hour in range(9):
        dispatch(world, NOW + timedelta(hours=hour))

    assert state(theirs) == ("failed", "trouble")
    assert len(service.asked) == 8


@pytest.mark.parametrize("kind", ["busy", "down"])
def test_a_service_that_tells_several_to_wait_is_left_alone(world: World, service: PushServer, kind: str) -> None:
    _good, *told, last = push_all(world, service, "good", kind, kind, kind, "good")

    dispatch(world, NOW)

    assert {state(one) for one in told} == {("queued", "trouble")}
    assert state(last) == ("queued", "")
    assert rests() == [("asked", 0)]


def test_hosts_that_nobody_knows_are_the_message_s_fault(
    world: World, service: PushServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = socket.getaddrinfo
    monkeypatch.setattr("channels.web.address.socket.getaddrinfo", lambda host, *a, **k: nowhere(known, host, *a, **k))
    lost = []
    for n in range(6):
        browser = service.subscribe()
        browser.endpoint = f"https://a{n}.push.example/lost/{n}"
        lost.append(push_to(world, browser, due_at=NOW - timedelta(seconds=5)))
    [good] = push_all(world, service, "good")
    Message.objects.filter(pk=good).update(due_at=NOW)

    dispatch(world, NOW)

    assert {state(one) for one in lost} == {("queued", "trouble")}
    assert {Message.objects.get(pk=one).attempts for one in lost} == {1}
    assert state(good) == ("sent", "")
    assert rests() == []


def nowhere(known: Any, host: str, *args: Any, **more: Any) -> Any:
    if host.endswith(".example"):
        raise socket.gaierror(-2, "Name or service not known")
    return known(host, *args, **more)


def test_a_service_that_took_pushes_and_is_gone_rests_the_connector(world: World, service: PushServer) -> None:
    push_all(world, service, "good")
    dispatch(world, NOW)
    service.system.answers = [(500, {}, b"")]
    push_all(world, service, *["good"] * 6)

    dispatch(world, NOW + timedelta(minutes=1))

    assert rests() == [("trouble", 1)]
    assert len(service.system.received) == 1 + 5


def test_a_browser_that_is_back_with_another_endpoint_is_written_to_again(world: World, service: PushServer) -> None:
    old, fresh = service.subscribe("gone"), service.subscribe()
    person = agrees(world, old)
    world.queue(person, channel="push")
    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))
    assert Suppression.objects.filter(lifted_at=None).count() == 1

    assert subscriptions.move(named(old), told(fresh), world.connector, NOW)
    again = world.queue(person, channel="push")
    dispatch(world, NOW + timedelta(minutes=1))

    assert state(again) == ("sent", "")
    assert not Suppression.objects.filter(lifted_at=None).exists()


def test_a_complaint_moves_with_the_browser(world: World, service: PushServer) -> None:
    old, fresh = service.subscribe(), service.subscribe()
    person = agrees(world, old)
    Suppression.objects.create(address=person.address, reason="complaint", created_at=NOW)

    subscriptions.move(named(old), told(fresh), world.connector, NOW)
    message = world.queue(person, channel="push")
    dispatch(world, NOW)

    assert state(message) == ("suppressed", "suppressed")


def test_what_was_said_of_the_endpoint_before_is_not_said_of_the_new_one(world: World, service: PushServer) -> None:
    old, fresh = service.subscribe("gone"), service.subscribe()
    person = agrees(world, old)
    world.queue(person, channel="push")
    dispatch(world, NOW)

    assert subscriptions.move(named(old), told(fresh), world.connector, NOW)
    work_off(NOW + timedelta(seconds=2))

    assert happened() == [("bounced", "known")]
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("trouble", [drops, drips, dawdles])
def test_a_call_of_which_nobody_knows_is_unknown(
    world: World, service: PushServer, settings: Settings, trouble: Any
) -> None:
    settings.PROVIDER_DEADLINE_SECONDS = 0.5
    service.system.answers = [trouble]
    message = push_to(world, service.subscribe())

    dispatch(world, NOW)
    dispatch(world, NOW + timedelta(hours=1))

    assert state(message) == ("unknown", "interrupted")
    assert len(service.system.received) == 1


def test_one_that_was_taken_and_not_answered_is_unknown_and_goes_once(world: World, service: PushServer) -> None:
    service.system.answers = [drops_after(service), service.answer]
    message = push_to(world, service.subscribe())

    dispatch(world, NOW)
    dispatch(world, NOW + timedelta(hours=1))

    assert state(message) == ("unknown", "interrupted")
    assert len(service.pushed) == 1


def test_a_service_that_cannot_be_reached_has_certainly_nothing(
    world: World, service: PushServer, settings: Settings
) -> None:
    closed = f"127.0.0.1:{free_port()}"
    settings.TRILHA_CALL_HOSTS = [*settings.TRILHA_CALL_HOSTS, closed]
    browser = service.subscribe()
    browser.endpoint = f"http://{closed}/push/good/0"
    message = push_to(world, browser)

    dispatch(world, NOW)

    row = Message.objects.get(pk=message)
    assert (row.state, row.reason, row.detail, row.attempts) == ("queued", "trouble", "unreachable", 1)
    assert not RecentSend.objects.exists()
    assert service.system.received == []


def free_port() -> int:
    """One at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_port_that_may_not_be_called_is_not(world: World, service: PushServer) -> None:
    browser = service.subscribe()
    browser.endpoint = browser.endpoint.replace(str(service.system.port), "1")
    message = push_to(world, browser)

    dispatch(world, NOW)

    assert state(message) == ("failed", "refused")
    assert Message.objects.get(pk=message).detail == "not_a_push_service"
    assert service.system.received == []


def test_one_that_was_taken_and_answered_by_a_fault_is_unknown_and_goes_once(world: World, service: PushServer) -> None:
    def taken(handler: Any) -> None:
        service._take(service.system.received[-1])
        handler.send_response(502)
        handler.send_header("content-length", "0")
        handler.end_headers()

    service.system.answers = [taken, service.answer]
    message = push_to(world, service.subscribe())

    dispatch(world, NOW)
    dispatch(world, NOW + timedelta(hours=1))

    assert state(message) == ("unknown", "interrupted")
    assert len(service.pushed) == 1


def test_keys_that_do_not_open_hold_up_nobody(world: World, service: PushServer) -> None:
    spoilt, *good = push_all(world, service, "good", "good", "good")
    first = Message.objects.get(pk=spoilt).address
    PushSubscription.objects.filter(address=first).update(keys=b"x" * 60)

    dispatch(world, NOW)

    assert [state(one) for one in good] == [("sent", "")] * 2
    assert state(spoilt) == ("suppressed", "not_served")


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """It happens once, when the words of the message are ready and its address is not locked yet."""
    ready, left = compose, [happens]

    def late(*given: Any) -> Any:
        outgoing = ready(*given)
        if left:
            assert left.pop()()
        return outgoing

    monkeypatch.setattr("channels.dispatch.due.compose", late)


def test_a_browser_that_moves_meanwhile_is_written_to_where_it_is(
    world: World, service: PushServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, fresh = service.subscribe("gone"), service.subscribe()
    message = push_to(world, old)
    meanwhile(monkeypatch, lambda: subscriptions.move(named(old), told(fresh), world.connector, NOW))

    dispatch(world, NOW)
    assert state(message) == ("queued", "")
    assert service.asked == []
    dispatch(world, NOW + timedelta(minutes=1))

    assert state(message) == ("sent", "")
    assert service.asked == ["good"]
    assert not Suppression.objects.exists()


def test_a_browser_that_unsubscribes_meanwhile_is_not_written_to(
    world: World, service: PushServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = service.subscribe()
    message = push_to(world, browser)
    meanwhile(monkeypatch, lambda: subscriptions.forget(named(browser), world.connector))

    dispatch(world, NOW)

    assert state(message) == ("suppressed", "not_served")
    assert service.asked == []


def test_what_is_longer_than_services_take_is_refused_and_not_sent(world: World, service: PushServer) -> None:
    say(world, text="ã" * 2_000)
    message = push_to(world, service.subscribe())

    dispatch(world, NOW)

    row = Message.objects.get(pk=message)
    assert (row.state, row.reason) == ("failed", "refused")
    assert row.detail.startswith("payload_too_large: 4")
    assert row.detail.endswith("bytes of 3993")
    assert service.system.received == []


def test_the_longest_words_there_may_be_arrive(world: World, service: PushServer) -> None:
    message = push_to(world, service.subscribe())
    dispatch(world, NOW)
    room = 3_993 - len(service.pushed[0].plain)
    say(world, text="Oi Ana" + "a" * room)
    message = push_to(world, service.subscribe())

    dispatch(world, NOW)

    assert state(message) == ("sent", "")
    assert len(service.system.received[-1].body) == 4_096


def test_nothing_to_say_is_not_sent(world: World, service: PushServer) -> None:
    say(world, text=" ")
    world.version.texts.filter(locale="pt").update(subject="")
    message = push_to(world, service.subscribe())

    dispatch(world, NOW)

    assert state(message) == ("failed", "refused")
    assert service.system.received == []


def test_an_app_s_token_is_no_browser(world: World, service: PushServer) -> None:
    message = write_to(world, "cJ8x:APA91bAna")

    dispatch(world, NOW)

    assert state(message) == ("suppressed", "not_served")
    assert service.system.received == []


def test_an_endpoint_that_nobody_subscribed_is_not_served(world: World, service: PushServer) -> None:
    message = write_to(world, service.subscribe().endpoint)

    dispatch(world, NOW)

    assert state(message) == ("suppressed", "not_served")
    assert service.system.received == []


def test_who_withdrew_is_told_so_whichever_connector_would_have_reached_them(world: World) -> None:
    address = make_address("cJ8x:APA91bAna", "push")
    refused = Choice(address.pk, None, Verdict(False, "withdrawn", None))
    allowed = Choice(address.pk, None, Verdict(True, "", None))
    assert served([(world.connector.pk, [refused])]) == [[refused]]
    assert [one.verdict.reason for one in served([(world.connector.pk, [allowed])])[0]] == ["no_address"]


def test_browsers_of_a_key_that_was_replaced_are_not_served(world: World, service: PushServer) -> None:
    message = push_to(world, service.subscribe())
    give_keys(world.connector)

    dispatch(world, NOW)

    assert state(message) == ("suppressed", "not_served")
    assert service.system.received == []
    assert not PushSubscription.objects.get().is_reached


def test_a_browser_that_unsubscribed_meanwhile_is_not_served(world: World, service: PushServer) -> None:
    browser = service.subscribe()
    message = push_to(world, browser)
    assert subscriptions.forget(named(browser), world.connector)

    dispatch(world, NOW)

    assert state(message) == ("suppressed", "not_served")


@pytest.mark.parametrize(
    "endpoint",
    ["https://push.evil.example/1", "https://fcm.googleapis.com.evil.example/1", "https://169.254.169.254/1"],
)
def test_a_connector_speaks_to_the_services_it_names_alone(world: World, service: PushServer, endpoint: str) -> None:
    browser = service.subscribe()
    browser.endpoint = endpoint
    message = push_to(world, browser)

    dispatch(world, NOW)

    assert state(message) == ("failed", "refused")
    assert Message.objects.get(pk=message).detail == "not_a_push_service"
    assert not ConnectorState.objects.filter(rests__gt=0).exists()


def test_a_host_that_leads_inside_is_not_called_and_rests_nobody(
    world: World, service: PushServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.configure(services="")
    monkeypatch.setattr("channels.web.address.socket.getaddrinfo", lambda *_a, **_k: [(2, 1, 6, "", ("10.0.0.1", 443))])
    browser = service.subscribe()
    browser.endpoint = "https://push.inside.example/1"
    message = push_to(world, browser)

    dispatch(world, NOW)

    assert state(message) == ("queued", "trouble")
    assert Message.objects.get(pk=message).detail == "refused_address"
    assert not ConnectorState.objects.filter(rests__gt=0).exists()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"contact": "push@acme.example"}, "mailto: or https://"),
        ({"contact": "mailto:nobody"}, "mailto: or https://"),
        ({"contact": CONTACT, "icon": "http://acme.example/a.png"}, "begins with https://"),
    ],
)
def test_settings_that_do_not_fit_are_named(config: dict[str, str], words: str) -> None:
    filled, secret = provider_class("webpush").completed(config, {})
    with translation.override("en"), pytest.raises(ConfigurationError, match=words):
        build("webpush", filled, secret)


@pytest.mark.parametrize("key", ["x", "AAAA", "A" * 43, "////" * 11, "_" * 43])
def test_what_is_no_key_is_refused_in_the_readers_language(key: str) -> None:
    filled, secret = provider_class("webpush").completed({"contact": CONTACT}, {"private_key": key})
    with translation.override("pt-br"), pytest.raises(ConfigurationError, match="não é uma chave privada"):
        build("webpush", filled, secret)


def test_keys_that_do_not_belong_together_are_refused(world: World) -> None:
    _filled, other = provider_class("webpush").completed({"contact": CONTACT}, {})
    set_credentials(world.connector, **other)
    with translation.override("en"):
        assert probe(world.connector) == "The public key is not that of the private key."


def test_there_is_nothing_to_try_without_a_browser(world: World) -> None:
    with pytest.raises(CannotTry):
        probe(world.connector)
