"""What the tests of Web Push share: a connector with a pair of keys, and browsers that subscribed with it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pytest_django import Settings

from channels.models import Connector
from channels.providers.base import provider_class
from channels.push import subscriptions
from channels.push.points import Keys
from channels.secrets import credentials_aad, seal
from customers.models import Address
from tests.channels.providers.push_server import CONTACT, PushServer, Subscribed
from tests.channels.providers.telling import world_of
from tests.channels.web_server import OtherSystem
from tests.channels.world import NOW, Person, World
from tests.consent import people

AGREED = NOW - timedelta(days=1)


def push_world(**config: Any) -> World:
    """Its push service is beside us."""
    world = world_of("webpush", "push", {})
    give_keys(world.connector, **{"services": "127.0.0.1 push.example", **config})
    return world


def give_keys(connector: Connector, **config: Any) -> None:
    """As the connector's page does when it is saved."""
    filled, secret = provider_class("webpush").completed({"contact": CONTACT, **config}, {})
    connector.config = filled
    connector.credentials = seal(secret, credentials_aad(connector.pk))
    connector.save()


def server_of(system: OtherSystem, connector: Connector) -> PushServer:
    return PushServer(system, connector.config["public_key"])


def told(browser: Subscribed) -> subscriptions.Told:
    return subscriptions.Told(browser.endpoint, Keys(browser.p256dh, browser.auth))


def named(browser: Subscribed) -> subscriptions.Named:
    return subscriptions.Named(browser.endpoint, browser.auth)


def agrees(world: World, browser: Subscribed, person: Person | None = None) -> Person:
    """Somebody whose browser subscribed, and who agreed to be written to there."""
    person = person or world.person(f"{browser.endpoint[-8:].strip('/')}@example.com", granted=False)
    address = Address.objects.get(pk=subscriptions.keep(told(browser), world.connector, AGREED))
    people.seen(person.profile, address)
    people.tell(address, person.profile, world.purpose, "given", AGREED)
    person.address = address
    return person


def push_to(world: World, browser: Subscribed, **fields: Any) -> UUID:
    return world.queue(agrees(world, browser), channel="push", **fields)


def allow(settings: Settings, system: OtherSystem, at: datetime = NOW) -> None:
    settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{system.port}"]
