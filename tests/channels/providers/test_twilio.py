"""Twilio: what is asked, what its answers mean, and what it tells afterwards, against a server that behaves like it."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from pytest_django import Settings

from channels.admin import fares
from channels.care.health import health
from channels.conversations.keywords import obey
from channels.dispatch.reconcile import Said, reconcile
from channels.models import ConnectorHour, Conversation, Inbound, Message, ProviderCallback, Receipt
from channels.providers.base import ConfigurationError, build
from channels.receipts import apply
from consent import keywords
from consent.models import ConsentEntry, Suppression
from customers.clock import utcnow
from customers.models import Address
from customers.pg import raw_cursor
from tests.channels.providers.telling import (
    PUBLIC,
    dispatch,
    happened,
    path_of,
    post,
    provider_beside,
    say,
    work_off,
    world_of,
    write_to,
)
from tests.channels.providers.twilio_server import (
    ACCOUNT,
    LANDLINE,
    NOBODYS,
    STOPPED,
    TOKEN,
    TwilioServer,
    signed,
)
from tests.channels.web_server import drops
from tests.channels.world import NOW, World, set_credentials, state

ANA = "+5511987654321"


@pytest.fixture
def twilio(settings: Settings) -> Iterator[TwilioServer]:
    with provider_beside(settings) as system:
        yield TwilioServer(system)


@pytest.fixture
def world(db: None, twilio: TwilioServer) -> World:
    world = world_of("twilio", "sms", twilio.config(), auth_token=TOKEN)
    say(world)
    return world


def tell(client: Client, world: World, message_id: UUID | None = None, token: str = TOKEN, **form: str) -> int:
    path = path_of(world) + (f"?message={message_id}" if message_id else "")
    body, signature = signed(PUBLIC + path, form, token)
    headers = {"X-Twilio-Signature": signature}
    status: int = post(client, path, body, "application/x-www-form-urlencoded", **headers).status_code
    return status


def test_an_sms_is_asked_for_as_twilio_documents_it(world: World, twilio: TwilioServer) -> None:
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert state(message) == ("sent", "")
    assert Message.objects.get(pk=message).provider_id == twilio.sid(1)
    callback = f"{PUBLIC}/hooks/channels/{world.connector.pk}?message={message}"
    assert twilio.taken == [{"To": ANA, "From": "+15005550006", "Body": "Oi Ana", "StatusCallback": callback}]


def test_a_batch_goes_over_one_connection(world: World, twilio: TwilioServer) -> None:
    messages = [write_to(world, f"+551198765432{n}") for n in range(5)]

    dispatch(world, NOW)

    assert [state(one) for one in messages] == [("sent", "")] * 5
    assert len({(one.headers["host"], one.headers["connection"]) for one in twilio.system.received}) == 1
    assert twilio.system.received[0].headers["connection"] == "keep-alive"


def test_whatsapp_by_twilio_names_an_approved_template_and_fills_its_places(world: World, twilio: TwilioServer) -> None:
    world.connector.channel = "whatsapp"
    world.connector.save()
    template = "HX" + "a" * 32
    say(world, template=template, parameters=["{{ customer.first_name }}", "{{ event.plan }}"])

    message = write_to(world, ANA)
    dispatch(world, NOW)

    assert state(message) == ("sent", "")
    [taken] = twilio.taken
    assert (taken["To"], taken["From"]) == (f"whatsapp:{ANA}", "whatsapp:+15005550006")
    assert taken["ContentSid"] == template
    assert json.loads(taken["ContentVariables"]) == {"1": "Ana", "2": "gold"}
    assert "Body" not in taken


def test_a_messaging_service_stands_in_the_place_of_a_number(world: World, twilio: TwilioServer) -> None:
    service = "MG" + "b" * 32
    world.configure(sender=service)

    write_to(world, ANA)
    dispatch(world, NOW)

    assert twilio.taken[0]["MessagingServiceSid"] == service
    assert "From" not in twilio.taken[0]


@pytest.mark.parametrize("number", [NOBODYS, LANDLINE])
def test_a_number_that_takes_no_messages_fails_and_is_written_to_no_more(
    world: World, twilio: TwilioServer, number: str
) -> None:
    message = write_to(world, number)

    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))

    assert state(message) == ("failed", "refused")
    [suppression] = Suppression.objects.all()
    assert (suppression.address.value, suppression.reason, suppression.brand) == (number, "bounce", None)
    assert twilio.taken == []


def test_who_has_stopped_at_twilio_has_withdrawn(world: World) -> None:
    message = write_to(world, STOPPED)

    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))

    assert state(message) == ("failed", "refused")
    entry = ConsentEntry.objects.latest("pk")
    assert (entry.state, entry.method, entry.profile_id) == ("withdrawn", "provider", None)


def test_a_wrong_token_is_no_fault_of_the_message(world: World, twilio: TwilioServer) -> None:
    set_credentials(world.connector, auth_token="old")
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert state(message) == ("queued", "trouble")
    assert TOKEN not in Message.objects.get(pk=message).detail


def test_too_many_calls_wait_as_long_as_twilio_says_and_are_no_try(world: World, twilio: TwilioServer) -> None:
    twilio.system.answers = []
    twilio.system.answer(429, b'{"code": 20429, "message": "Too Many Requests", "status": 429}', retry_after="7")
    message = write_to(world, ANA)

    dispatch(world, NOW)

    row = Message.objects.get(pk=message)
    assert (row.state, row.reason, row.attempts) == ("queued", "trouble", 0)
    assert timedelta(seconds=7) <= row.due_at - NOW < timedelta(seconds=9)


@pytest.mark.parametrize(
    ("headers", "body"), [({"Retry-After": "8"}, b""), ({}, b'{"code": 20503, "message": "Service unavailable"}')]
)
def test_a_503_that_twilio_itself_tells_of_is_tried_again(
    world: World, twilio: TwilioServer, headers: dict[str, str], body: bytes
) -> None:
    twilio.system.answers = [(503, headers, body), twilio.answer]
    message = write_to(world, ANA)

    dispatch(world, NOW)
    assert state(message) == ("queued", "trouble")
    dispatch(world, NOW + timedelta(minutes=30))

    assert (state(message), len(twilio.taken)) == (("sent", ""), 1)


@pytest.mark.parametrize("trouble", ["500", "503", "drop", "not json"])
def test_a_call_of_which_nobody_knows_is_unknown_and_not_repeated(
    world: World, twilio: TwilioServer, trouble: str
) -> None:
    twilio.system.answers = []
    if trouble in ("500", "503"):
        twilio.system.answer(int(trouble), b"<html>upstream reset</html>" if trouble == "503" else b"{}")
    elif trouble == "drop":
        twilio.system.answers.append(drops)
    else:
        twilio.system.answer(200, b"<html>")
    message = write_to(world, ANA)

    dispatch(world, NOW)
    dispatch(world, NOW + timedelta(minutes=30))

    assert state(message) == ("unknown", "interrupted")
    assert len(twilio.system.received) == 1


def test_what_twilio_tells_moves_the_message_only_on(world: World, client: Client, twilio: TwilioServer) -> None:
    message = write_to(world, ANA)
    dispatch(world, NOW)
    sid = twilio.sid(1)

    for status in ("delivered", "sent", "delivered"):
        assert tell(client, world, message, MessageSid=sid, MessageStatus=status, AccountSid=ACCOUNT) == 200
    work_off(NOW + timedelta(days=400))

    assert state(message) == ("delivered", "")
    assert sorted(happened()) == [("delivered", "moved"), ("sent", "known")]
    assert sorted(ProviderCallback.objects.values_list("repeats", flat=True)) == [0, 1]


def test_an_unknown_message_is_known_by_the_callback_that_names_it(
    world: World, client: Client, twilio: TwilioServer
) -> None:
    twilio.system.answers = [drops]
    message = write_to(world, ANA)
    dispatch(world, NOW)
    assert state(message) == ("unknown", "interrupted")

    tell(client, world, message, MessageSid="SM" + "9" * 32, MessageStatus="delivered")
    work_off(NOW + timedelta(days=400))

    assert state(message) == ("delivered", "")


def test_a_receipt_that_is_early_waits_for_its_message(world: World, client: Client, twilio: TwilioServer) -> None:
    sid = twilio.sid(1)
    tell(client, world, MessageSid=sid, MessageStatus="delivered")
    received = ProviderCallback.objects.latest("pk").received_at
    work_off(received)
    assert happened() == [("delivered", "")]

    message = write_to(world, ANA)
    dispatch(world, NOW)
    work_off(received + timedelta(minutes=1))

    assert state(message) == ("delivered", "")
    assert happened() == [("delivered", "moved")]


def test_a_receipt_of_a_strangers_message_is_given_up_after_a_day(world: World, client: Client) -> None:
    tell(client, world, uuid4(), MessageSid="SM" + "7" * 32, MessageStatus="failed", ErrorCode="30005")
    received = ProviderCallback.objects.latest("pk").received_at

    work_off(received)
    assert happened() == [("bounced", "")]
    work_off(received + timedelta(days=1, minutes=1))

    assert happened() == [("bounced", "unmatched")]
    assert not Suppression.objects.exists()


def test_another_connectors_message_is_none_of_its_business(world: World, client: Client, twilio: TwilioServer) -> None:
    message = write_to(world, ANA)
    dispatch(world, NOW)
    other = type(world.connector).objects.create(
        brand=world.brand, key="other", name="Other", channel="sms", provider="sandbox"
    )
    Message.objects.filter(pk=message).update(connector=other)

    tell(client, world, message, MessageSid=twilio.sid(1), MessageStatus="delivered")
    work_off(NOW + timedelta(days=400))

    assert state(message) == ("sent", "")


def test_a_forged_callback_is_refused_and_nothing_is_kept(world: World, client: Client) -> None:
    message = write_to(world, ANA)
    dispatch(world, NOW)

    assert tell(client, world, message, token="guessed", MessageSid="SM1", MessageStatus="delivered") == 401

    assert not ProviderCallback.objects.exists()
    assert state(message) == ("sent", "")


def test_stop_holds_before_twilio_is_answered(world: World, client: Client) -> None:
    message = write_to(world, ANA)
    dispatch(world, NOW)
    later = write_to(world, "+5511987650000")

    assert (
        tell(client, world, MessageSid="SM" + "5" * 32, From=ANA, To="+15005550006", Body=" Parar. ", NumMedia="0")
        == 200
    )

    # Without any stage having run.
    suppression = Suppression.objects.get()
    assert (suppression.address.value, suppression.reason, suppression.brand) == (ANA, "stop", world.brand)
    entry = ConsentEntry.objects.latest("pk")
    assert (entry.state, entry.method, entry.purpose) == ("withdrawn", "keyword", world.purpose)
    heard = Inbound.objects.get()
    assert (heard.text, heard.meaning) == (" Parar. ", "stop")
    assert Conversation.objects.get().address.value == ANA
    dispatch(world, NOW)
    assert state(later) == ("sent", "")
    assert state(message) == ("sent", "")


def test_start_lifts_the_stop_and_gives_no_consent(world: World, client: Client) -> None:
    write_to(world, ANA)
    tell(client, world, MessageSid="SM" + "5" * 32, From=ANA, Body="STOP")
    tell(client, world, MessageSid="SM" + "6" * 32, From=ANA, Body="start")

    assert Suppression.objects.get().lifted_at is not None
    assert ConsentEntry.objects.latest("pk").state == "withdrawn"
    assert list(Inbound.objects.order_by("pk").values_list("meaning", flat=True)) == ["stop", "start"]


def test_words_around_a_stop_change_nothing_and_are_suggested(world: World, client: Client) -> None:
    write_to(world, ANA)

    tell(client, world, MessageSid="SM" + "5" * 32, From=ANA, Body="please don't stop 🙏")

    said = Inbound.objects.get()
    assert (said.meaning, said.suggestion) == ("", "stop")
    assert not Suppression.objects.exists()


def test_what_strangers_write_is_kept_as_well(world: World, client: Client) -> None:
    for _time in range(2):
        tell(client, world, MessageSid="SM" + "5" * 32, From="+5521999990000", Body="Quem é?")

    assert Inbound.objects.count() == 1
    conversation = Conversation.objects.get()
    assert (conversation.profile_id, Address.objects.get(pk=conversation.address_id).value) == (None, "+5521999990000")


def test_what_is_not_understood_is_kept_and_shown(world: World, client: Client) -> None:
    assert tell(client, world, MessageSid="SM1", MessageStatus="teleported") == 200
    work_off(NOW + timedelta(days=400))

    assert ProviderCallback.objects.get().status == "unhandled"
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    "config", [{"account_sid": "AC1"}, {"base_url": "http://169.254.169.254"}, {"base_url": "https://u:p@twilio.com"}]
)
def test_settings_that_do_not_fit_are_refused(config: dict[str, str]) -> None:
    whole = {"account_sid": ACCOUNT, "sender": "+15005550006", **config}
    with pytest.raises(ConfigurationError):
        build("twilio", whole, {"auth_token": "x"})


def test_a_start_that_comes_late_lifts_no_stop_that_was_said_since(world: World, client: Client) -> None:
    write_to(world, ANA)
    tell(client, world, MessageSid="SM" + "6" * 32, From=ANA, Body="STOP")
    stop = Suppression.objects.get()

    with raw_cursor() as cursor:
        heard = keywords.hear("START", "en")
        obey(cursor, heard, stop.address_id, world.brand.pk, stop.created_at - timedelta(seconds=1), NOW)
    assert Suppression.objects.get().lifted_at is None


def test_a_nul_in_a_stop_stops_all_the_same(world: World, client: Client) -> None:
    write_to(world, ANA)

    assert tell(client, world, MessageSid="SM" + "5" * 32, From=ANA, Body="STOP\0") == 200

    assert Suppression.objects.get().reason == "stop"
    assert Inbound.objects.get().text == "STOP"


def test_a_repeated_call_is_answered_with_nothing_that_could_be_texted(world: World, client: Client) -> None:
    write_to(world, ANA)
    path = path_of(world)
    body, signature = signed(PUBLIC + path, {"MessageSid": "SM" + "5" * 32, "From": ANA, "Body": "Oi"})
    answers = [
        post(client, path, body, "application/x-www-form-urlencoded", **{"X-Twilio-Signature": signature})
        for _time in range(2)
    ]
    assert [(one.status_code, one.content) for one in answers] == [(200, b"")] * 2


def test_calls_without_its_signature_are_counted_and_nothing_of_them_is_kept(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [tell(client, world, token="another", From=ANA, Body="Oi") for _time in range(3)] == [401] * 3
    assert tell(client, world, MessageSid="SM" + "5" * 32, From=ANA, Body="Oi") == 200
    assert ConnectorHour.objects.values_list("unsigned", "taken").get() == (3, 0)
    assert health(world.connector, utcnow()).unsigned == 3
    shown = fares.now(world.connector, utcnow())
    assert "called back without a valid signature, in 24 h" in shown
    assert ProviderCallback.objects.count() == 1
    ConnectorHour.objects.update(unsigned=1_000)
    tell(client, world, token="another", From=ANA, Body="Oi")
    assert ConnectorHour.objects.get().unsigned == 1_000


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join(b"a=1" for _ in range(600))])
def test_what_is_no_form_is_refused_and_not_a_fault_of_ours(world: World, client: Client, body: bytes) -> None:
    assert post(client, path_of(world), body, "application/x-www-form-urlencoded").status_code == 401
    assert not ProviderCallback.objects.exists()


def test_receipts_of_an_earlier_call_say_nothing_of_the_later_one(
    world: World, client: Client, twilio: TwilioServer
) -> None:
    twilio.system.answers = [drops]
    message = write_to(world, ANA)
    dispatch(world, NOW)
    reconcile([message], Said.AGAIN, NOW)
    twilio.system.answers = [twilio.answer]
    dispatch(world, NOW + timedelta(minutes=1))
    assert state(message) == ("sent", "")

    tell(client, world, message, MessageSid="SM" + "9" * 32, MessageStatus="undelivered", ErrorCode="30003")
    tell(client, world, message, MessageSid=twilio.sid(1), MessageStatus="delivered")
    work_off(NOW + timedelta(days=400))

    assert state(message) == ("delivered", "")
    assert sorted(happened()) == [("delivered", "moved"), ("failed", "known")]


def test_a_reply_that_names_no_message_leaves_it_unknown(world: World, twilio: TwilioServer) -> None:
    twilio.system.answers = []
    twilio.system.answer(200, b'{"status": "queued"}')
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert state(message) == ("unknown", "interrupted")


@pytest.mark.django_db(transaction=True)
def test_an_unsubscription_waits_for_the_send_in_hand_before_it_is_answered(settings: Settings, client: Client) -> None:
    """Somebody else applies a receipt of the same message just now: the answer must not overtake it."""
    with provider_beside(settings) as system:
        world = world_of("twilio", "sms", TwilioServer(system).config(), auth_token=TOKEN)
        say(world)
        message = write_to(world, STOPPED)
        row = Message.objects.get(pk=message)
        Receipt.objects.create(
            connector=world.connector, message_key=message, happened="unsubscribed", at=NOW, received_at=utcnow(),
            key=uuid4(), look_at=utcnow() + timedelta(hours=1),
        )  # fmt: skip
        held, free = threading.Event(), threading.Event()

        def hold() -> None:
            with transaction.atomic():
                Message.objects.select_for_update().get(pk=message)
                held.set()
                free.wait(10)
            connection.close()

        with ThreadPoolExecutor(1) as pool:
            holder = pool.submit(hold)
            held.wait(10)
            began = time.monotonic()
            threading.Timer(0.5, free.set).start()
            ids = list(Receipt.objects.values_list("pk", flat=True))
            apply.apply(ids, utcnow(), patiently=True)
            assert time.monotonic() - began > 0.4
            holder.result()
        entry = ConsentEntry.objects.latest("pk")
        assert (entry.state, entry.method, entry.address_id) == ("withdrawn", "provider", row.address_id)
