"""The page of a connector of Web Push: it makes its own keys, shows the public one and never the other."""

from typing import Any

import pytest
from django.test import Client

from channels.models import Connector
from channels.push.points import public_of
from channels.secrets import credentials_aad, open_sealed
from tests.channels.providers.push_server import CONTACT
from tests.channels.world import World

pytestmark = pytest.mark.django_db
ADD = "/admin/channels/connector/add/"


def form(world: World, **fields: Any) -> dict[str, Any]:
    told = {
        "name": "Web Push",
        "key": "web-push",
        "brand": str(world.brand.pk),
        "channel": "push",
        "provider": "webpush",
        "concurrency": "4",
        "is_active": "on",
        "webpush__contact": CONTACT,
        "webpush__services": "fcm.googleapis.com",
    }
    return told | fields


def made() -> Connector:
    return Connector.objects.get(key="web-push")


def private(connector: Connector) -> str:
    return str(open_sealed(bytes(connector.credentials), credentials_aad(connector.pk))["private_key"])


def change_page(connector: Connector) -> str:
    return f"/admin/channels/connector/{connector.pk}/change/"


def test_a_connector_makes_its_own_pair_of_keys(world: World, admin_client: Client) -> None:
    assert admin_client.post(ADD, form(world)).status_code == 302
    connector = made()
    assert connector.config["public_key"] == public_of(private(connector))
    assert private(connector) not in str(connector.config)
    admin_client.post(ADD, form(world, key="another", name="Another"))
    assert Connector.objects.get(key="another").config["public_key"] != connector.config["public_key"]


def test_the_public_key_and_the_lines_for_the_pages_are_shown(world: World, admin_client: Client) -> None:
    admin_client.post(ADD, form(world))
    connector = made()
    text = admin_client.get(change_page(connector)).content.decode()
    assert f"data-public-key=&quot;{connector.config['public_key']}&quot;" in text
    assert "importScripts(&quot;" in text
    assert private(connector) not in text
    # It follows from the other, and is nobody's to fill in.
    assert 'name="webpush__public_key"' not in text


def test_what_is_saved_again_keeps_its_keys(world: World, admin_client: Client) -> None:
    admin_client.post(ADD, form(world))
    before, secret = made().config["public_key"], private(made())
    page = change_page(made())
    assert admin_client.post(page, form(world, webpush__icon="https://acme.example/i.png")).status_code == 302
    assert made().config == {
        "contact": CONTACT,
        "icon": "https://acme.example/i.png",
        "services": "fcm.googleapis.com",
        "public_key": before,
    }
    assert private(made()) == secret


def test_a_key_is_brought_along(world: World, admin_client: Client) -> None:
    key = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
    admin_client.post(ADD, form(world, webpush__secret__private_key=key))
    assert (private(made()), made().config["public_key"]) == (key, public_of(key))


@pytest.mark.parametrize(
    "fields",
    [
        {"webpush__secret__private_key": "hush"},
        {"webpush__contact": "nobody"},
        {"webpush__contact": ""},
        {"channel": "email"},
        {"webpush__icon": "http://acme.example/i.png"},
    ],
)
def test_what_does_not_fit_makes_no_connector(world: World, admin_client: Client, fields: dict[str, str]) -> None:
    answer = admin_client.post(ADD, form(world, **fields))
    assert answer.status_code == 200
    assert "hush" not in answer.content.decode()
    assert not Connector.objects.filter(key="web-push").exists()


def test_trying_it_out_says_that_there_is_nothing_to_ask(world: World, admin_client: Client) -> None:
    admin_client.post(ADD, form(world))
    data = {"action": "try_out", "_selected_action": [str(made().pk)]}
    answer = admin_client.post("/admin/channels/connector/", data, follow=True)
    assert "Web Push cannot be tried out." in answer.content.decode()
