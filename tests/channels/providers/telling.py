"""What the tests of providers share: a world whose connector leads to a server beside us, and calls that come back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.test import Client
from pytest_django import Settings

from channels.dispatch import dispatch_due
from channels.models import Receipt, TemplateText
from channels.receipts import apply, read
from customers.work import work_once
from tests.channels.web_server import OtherSystem, other_system
from tests.channels.world import NOW, World, make_world, set_credentials
from tests.consent import people

AGREED = NOW - timedelta(days=1)
PUBLIC = "https://trilha.example"


@contextmanager
def provider_beside(settings: Settings) -> Iterator[OtherSystem]:
    with other_system() as system:
        settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{system.port}"]
        settings.TRILHA_PUBLIC_URL = PUBLIC
        yield system


def world_of(provider: str, channel: str, config: Mapping[str, Any], **credentials: str) -> World:
    world = make_world(provider, dict(config))
    world.connector.channel = channel
    set_credentials(world.connector, **credentials)
    world.version.template.channel = channel
    world.version.template.save()
    return world


def say(world: World, text: str = "Oi {{ customer.first_name }}", **options: Any) -> None:
    """What the world's template says in Portuguese."""
    TemplateText.objects.filter(version=world.version, locale="pt").update(text=text, options=options, html="")


def write_to(world: World, value: str, **fields: Any) -> UUID:
    """Queue a message for somebody with this address, who has agreed to it."""
    channel = world.connector.channel
    person = world.person(f"{value.strip('+')}@example.com", granted=False)
    address = people.make_address(value, channel)
    people.seen(person.profile, address)
    people.tell(address, person.profile, world.purpose, "given", AGREED)
    person.address = address
    return world.queue(person, channel=channel, **fields)


def dispatch(world: World, now: datetime) -> None:
    dispatch_due(world.connector.pk, now)


def path_of(world: World) -> str:
    return f"/hooks/channels/{world.connector.pk}"


def post(client: Client, path: str, body: bytes, content_type: str, **headers: str) -> Any:
    return client.post(path, body, content_type=content_type, headers=headers)


def work_off(now: datetime) -> None:
    """All that was told, read and applied."""
    while work_once(read.QUEUE, now) + work_once(apply.QUEUE, now):
        pass


def happened() -> list[tuple[str, str]]:
    return list(Receipt.objects.order_by("pk").values_list("happened", "outcome"))
