"""What we say to providers is what their own libraries say: both are pointed at the same server."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid
from pytest_django import Settings
from pywebpush import webpush
from twilio.request_validator import RequestValidator
from twilio.rest import Client as TwilioClient

from channels.push.points import encoded, written
from tests.channels.providers.push_server import CONTACT
from tests.channels.providers.telling import PUBLIC, dispatch, provider_beside, say, world_of, write_to
from tests.channels.providers.twilio_server import ACCOUNT, TOKEN, TwilioServer, signed
from tests.channels.push import push_to, push_world, server_of
from tests.channels.world import NOW, World

ANA = "+5511987654321"
SENDER = "+15005550006"


@pytest.fixture
def twilio(settings: Settings) -> Iterator[TwilioServer]:
    with provider_beside(settings) as system:
        yield TwilioServer(system)


@pytest.fixture
def world(db: None, twilio: TwilioServer) -> World:
    world = world_of("twilio", "sms", twilio.config(), auth_token=TOKEN)
    say(world)
    return world


@pytest.fixture
def sdk(twilio: TwilioServer) -> TwilioClient:
    client = TwilioClient(ACCOUNT, TOKEN)
    client.api.base_url = twilio.system.url
    return client


def test_an_sms_is_what_twilios_library_asks_for(world: World, twilio: TwilioServer, sdk: TwilioClient) -> None:
    message = write_to(world, ANA)
    dispatch(world, NOW)
    callback = f"{PUBLIC}/hooks/channels/{world.connector.pk}?message={message}"
    made = sdk.messages.create(to=ANA, from_=SENDER, body="Oi Ana", status_callback=callback)

    ours, theirs = twilio.system.received
    assert twilio.taken == [twilio.taken[1]] * 2
    assert made.sid == twilio.sid(2)
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    for header in ("authorization", "content-type"):
        assert ours.headers[header] == theirs.headers[header]


def test_an_approved_template_is_what_twilios_library_asks_for(
    world: World, twilio: TwilioServer, sdk: TwilioClient
) -> None:
    world.connector.channel = "whatsapp"
    world.connector.save()
    template = "HX" + "a" * 32
    say(world, template=template, parameters=["{{ customer.first_name }}"])
    message = write_to(world, ANA)
    dispatch(world, NOW)
    sdk.messages.create(
        to=f"whatsapp:{ANA}",
        from_=f"whatsapp:{SENDER}",
        content_sid=template,
        content_variables=json.dumps({"1": "Ana"}),
        status_callback=f"{PUBLIC}/hooks/channels/{world.connector.pk}?message={message}",
    )

    ours, theirs = twilio.taken
    assert json.loads(ours.pop("ContentVariables")) == json.loads(theirs.pop("ContentVariables"))
    assert ours == theirs


def test_a_callback_is_signed_as_twilios_library_validates_it() -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": ANA, "Ação": "é"}
    url = f"{PUBLIC}/hooks/channels/1?message=2"
    _body, signature = signed(url, form)
    assert RequestValidator(TOKEN).validate(url, form, signature)
    assert not RequestValidator("another").validate(url, form, signature)


def test_a_push_is_what_the_library_for_it_sends(db: None, settings: Settings) -> None:
    with provider_beside(settings) as system:
        world = push_world()
        say(world)
        service = server_of(system, world.connector)
        browser = service.subscribe()
        push_to(world, browser, expires_at=NOW + timedelta(hours=1))
        dispatch(world, NOW)
        own = Vapid(ec.generate_private_key(ec.SECP256R1()))
        service.public_key = written(encoded(own.public_key))
        said = json.dumps(service.pushed[0].said)
        webpush(browser.as_json(), said, own, {"sub": CONTACT, "exp": int(time.time()) + 3600}, ttl=3600)

    ours, theirs = service.pushed
    assert ours.said == theirs.said
    assert (set(ours.claims), ours.claims["aud"], ours.claims["sub"]) == (
        set(theirs.claims), theirs.claims["aud"], theirs.claims["sub"],
    )  # fmt: skip
    assert ours.headers["content-encoding"] == theirs.headers["content-encoding"]
    # Seconds, whole ones.
    assert 3_590 <= int(ours.headers["ttl"]) <= int(theirs.headers["ttl"])
    assert len(service.system.received[0].body) - len(ours.plain) == len(service.system.received[1].body) - len(
        theirs.plain
    )
