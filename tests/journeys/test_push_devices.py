"""Pushes of a journey: each step's connector speaks to its own kind of device, and to no other."""

from datetime import timedelta

import pytest
from django.utils import timezone

from channels.models import Connector, Message, Template, TemplateText, TemplateVersion
from channels.push import subscriptions
from customers.models import Address
from tests.channels.providers.push_server import Subscribed
from tests.channels.push import give_keys, told
from tests.journeys.stage import T0, Stage, message, welcome
from tests.journeys.test_simulation import simulate_command

TOKEN = "cJ8x:APA91b"
OURS = "https://fcm.googleapis.com/fcm/send/ours"
THEIRS = "https://fcm.googleapis.com/fcm/send/theirs"


def connector(stage: Stage, provider: str, key: str) -> Connector:
    made = Connector.objects.create(brand=stage.brand, key=key, name=key, channel="push", provider=provider)
    if provider == "webpush":
        give_keys(made)
    return made


def push_by(stage: Stage, provider: str) -> list[tuple[str | None, str, str]]:
    """Somebody with an app and two browsers, one of which has another connector's key; whom a push goes to."""
    template = Template.objects.create(brand=stage.brand, key="tap", name="Tap", channel="push")
    version = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(version=version, locale="en", subject="Hello", text="Hello")
    asked = connector(stage, provider, "asked")
    other = connector(stage, "webpush", "other")
    own = asked if provider == "webpush" else other
    subscriptions.keep(told(Subscribed(OURS)), own, timezone.now())
    subscriptions.keep(told(Subscribed(THEIRS)), other, timezone.now())
    stage.know()
    for token in (TOKEN, OURS, THEIRS):
        stage.happen("app.opened", context={"device": {"token": token}})
    stage.publish(welcome(steps=[
        message("welcome", next="done", channel="push", connector="asked", template="tap"),
        {"type": "exit", "id": "done", "state": "activated"},
    ]))  # fmt: skip
    stage.happen("customer.signed_up")
    values = dict(Address.objects.values_list("pk", "value"))
    rows = Message.objects.order_by("id").values_list("address_id", "state", "reason")
    return sorted((values.get(address), state, reason) for address, state, reason in rows)


@pytest.mark.parametrize(
    ("provider", "reached"), [("webpush", [OURS]), ("fcm", [TOKEN]), ("sandbox", [TOKEN, OURS, THEIRS])]
)
def test_a_step_s_connector_reaches_its_own_devices(stage: Stage, provider: str, reached: list[str]) -> None:
    assert push_by(stage, provider) == sorted((one, "queued", "") for one in reached)
    # What is simulated is what would have been sent.
    until = (T0 + timedelta(hours=1)).isoformat()
    told = simulate_command("--version", "1", "--from", T0.isoformat(), "--to", until)
    assert told["1"]["sent"] == [{"channel": "push", "step": "welcome", "messages": len(reached)}]


def test_who_has_no_device_of_that_kind_is_a_message_with_the_reason(stage: Stage) -> None:
    template = Template.objects.create(brand=stage.brand, key="tap", name="Tap", channel="push")
    version = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(version=version, locale="en", subject="Hello", text="Hello")
    connector(stage, "webpush", "asked")
    stage.know()
    stage.happen("app.opened", context={"device": {"token": TOKEN}})
    stage.publish(welcome(steps=[
        message("welcome", next="done", channel="push", connector="asked", template="tap"),
        {"type": "exit", "id": "done", "state": "activated"},
    ]))  # fmt: skip
    stage.happen("customer.signed_up")
    assert stage.messages() == [("suppressed", "no_address")]
