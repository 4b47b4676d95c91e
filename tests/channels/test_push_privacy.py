"""Subscriptions of browsers as personal data: told to who asks, gone with who is erased, sealed anew with the ring."""

import pytest
from pytest_django import Settings

from channels.models import Connector, PushSubscription
from channels.push import subscriptions
from customers import resealing
from customers.models import Address
from tests.channels.providers.push_server import Subscribed
from tests.channels.push import give_keys, told
from tests.consent import test_erasure, test_export
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db
ENDPOINT = "https://fcm.googleapis.com/fcm/send/"


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def subscribed(stage: Stage, user: str) -> Subscribed:
    """As the door and the resolve stage leave it."""
    connector, _made = Connector.objects.get_or_create(
        brand=stage.brand, key="push", defaults={"name": "Push", "channel": "push", "provider": "webpush"}
    )
    if not connector.config:
        give_keys(connector)
    browser = Subscribed(ENDPOINT + user)
    subscriptions.keep(told(browser), connector, stage.now)
    stage.happen("push.subscribed", user, context={"device": {"token": browser.endpoint}})
    return browser


def test_an_erasure_takes_the_keys_and_the_endpoint_and_nobody_elses(stage: Stage) -> None:
    ana, bia = test_erasure.ANA, test_erasure.BIA
    for one in (ana, bia):
        stage.know(one.user)
        subscribed(stage, one.user)
    test_erasure.carry_out(stage, test_erasure.asked(stage, ana))
    [left] = PushSubscription.objects.all()
    assert left.address.value == ENDPOINT + bia.user
    assert not Address.objects.filter(value__contains=ana.stem).exists()


def test_an_export_tells_of_the_subscription_and_of_no_key(stage: Stage) -> None:
    ana = test_export.ANA
    stage.know(ana.user)
    stage.accept("identify", ana.user, traits={"email": ana.email}, email=ana.email)
    stage.run()
    browser = subscribed(stage, ana.user)
    files = test_export.file_of(stage, test_export.asked(stage, ana))
    text = "".join(files.values())
    assert ENDPOINT + ana.user in text
    assert "subscribed_at" in text
    assert browser.as_json()["keys"]["auth"] not in text


def test_keys_follow_the_ring(stage: Stage, settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = {"old": b"o" * 32}
    subscribed(stage, "ana")
    settings.CREDENTIAL_KEYS = {"new": b"n" * 32, "old": b"o" * 32}
    counted = resealing.reseal()["channels_pushsubscription.keys"]
    assert (counted.current, counted.moved, counted.closed) == (0, 1, [])
    settings.CREDENTIAL_KEYS = {"new": b"n" * 32}
    row = PushSubscription.objects.get()
    assert len(subscriptions.opened([row.pk], row.connector_id, row.public_key)) == 1


def test_keys_of_one_browser_do_not_open_as_another_s(stage: Stage) -> None:
    subscribed(stage, "ana")
    subscribed(stage, "bia")
    one, other = PushSubscription.objects.order_by("pk")
    PushSubscription.objects.filter(pk=other.pk).update(keys=one.keys)
    opened = subscriptions.opened([one.pk, other.pk], other.connector_id, other.public_key)
    assert set(opened) == {one.pk}
