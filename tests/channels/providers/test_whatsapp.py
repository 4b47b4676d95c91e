"""WhatsApp's Cloud API: what is asked, what its numbers of errors mean, and what its webhooks tell."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

from channels.models import Inbound, Message, ProviderCallback, Receipt
from consent.models import ConsentEntry, Suppression
from tests.channels.providers import whatsapp_server
from tests.channels.providers.telling import (
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
from tests.channels.providers.whatsapp_server import (
    HURRIED,
    NOT_THERE,
    NUMBER,
    SECRET,
    SILENT,
    STOPPED,
    TOKEN,
    WhatsAppServer,
    signature,
)
from tests.channels.web_server import drops
from tests.channels.world import NOW, World, set_credentials, state

ANA = "+5511987654321"
EVER = NOW + timedelta(days=400)


@pytest.fixture
def meta(settings: Settings) -> Iterator[WhatsAppServer]:
    with provider_beside(settings) as system:
        yield WhatsAppServer(system)


@pytest.fixture
def world(db: None, meta: WhatsAppServer) -> World:
    world = world_of("whatsapp", "whatsapp", meta.config(), access_token=TOKEN, app_secret=SECRET, verify_token="hello")
    say(world, template="order_ready", language="pt_BR", parameters=["{{ customer.first_name }}"])
    return world


def tell(client: Client, world: World, body: bytes, secret: str = SECRET) -> int:
    headers = {"X-Hub-Signature-256": signature(body, secret)}
    status: int = post(client, path_of(world), body, "application/json", **headers).status_code
    return status


def status_of(message: UUID | None, id_: str, status: str, at: int = 1_772_452_800, **more: Any) -> dict[str, Any]:
    said = {"id": id_, "status": status, "timestamp": str(at), "recipient_id": "5511987654321", **more}
    return said if message is None else said | {"biz_opaque_callback_data": str(message)}


def test_an_approved_template_is_named_and_its_places_are_filled(world: World, meta: WhatsAppServer) -> None:
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert state(message) == ("sent", "")
    assert Message.objects.get(pk=message).provider_id == meta.wamid(1)
    assert meta.taken == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "5511987654321",
            "type": "template",
            "template": {
                "name": "order_ready",
                "language": {"code": "pt_BR"},
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}],
            },
            "biz_opaque_callback_data": str(message),
        }
    ]


def test_free_words_go_within_a_day_of_what_somebody_wrote(world: World, client: Client, meta: WhatsAppServer) -> None:
    say(world, "Oi {{ customer.first_name }}")
    message = write_to(world, ANA)
    tell(client, world, whatsapp_server.told(messages=[written("Oi", 1_772_452_000)]))
    work_off(EVER)

    dispatch(world, NOW)

    assert state(message) == ("sent", "")
    assert meta.taken[0]["text"] == {"preview_url": False, "body": "Oi Ana"}


@pytest.mark.parametrize("wrote_at", [None, 1_772_300_000])
def test_free_words_to_who_has_not_written_for_a_day_are_not_sent(
    world: World, client: Client, meta: WhatsAppServer, wrote_at: int | None
) -> None:
    say(world, "Oi {{ customer.first_name }}")
    message = write_to(world, ANA)
    if wrote_at:
        tell(client, world, whatsapp_server.told(messages=[written("Oi", wrote_at)]))
        work_off(EVER)

    dispatch(world, NOW)

    assert state(message) == ("suppressed", "window_closed")
    assert meta.system.received == []


def test_who_is_not_at_whatsapp_is_written_to_no_more(world: World) -> None:
    message = write_to(world, f"+{NOT_THERE}")

    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))

    assert state(message) == ("failed", "refused")
    assert Suppression.objects.get().reason == "bounce"


def test_who_has_stopped_marketing_at_whatsapp_has_withdrawn(world: World) -> None:
    message = write_to(world, f"+{STOPPED}")

    dispatch(world, NOW)
    work_off(NOW + timedelta(seconds=2))

    assert state(message) == ("failed", "refused")
    assert (ConsentEntry.objects.latest("pk").state, ConsentEntry.objects.latest("pk").method) == (
        "withdrawn",
        "provider",
    )


@pytest.mark.parametrize(("number", "wanted"), [(SILENT, ("failed", "refused")), (HURRIED, ("queued", "trouble"))])
def test_metas_number_says_more_than_its_status(world: World, number: str, wanted: tuple[str, str]) -> None:
    message = write_to(world, f"+{number}")

    dispatch(world, NOW)

    assert state(message) == wanted
    assert not Suppression.objects.exists()


def test_a_template_that_is_not_approved_fails_with_metas_words(world: World) -> None:
    say(world, template="unapproved")
    message = write_to(world, ANA)

    dispatch(world, NOW)

    row = Message.objects.get(pk=message)
    assert (row.state, row.reason) == ("failed", "refused")
    assert "132001" in row.detail


def test_a_token_that_has_expired_is_no_fault_of_the_message(world: World) -> None:
    set_credentials(world.connector, access_token="old", app_secret=SECRET)
    message = write_to(world, ANA)

    dispatch(world, NOW)

    assert state(message) == ("queued", "trouble")


def test_statuses_move_the_message_on_by_our_own_id(world: World, client: Client, meta: WhatsAppServer) -> None:
    meta.system.answers = [drops]
    message = write_to(world, ANA)
    dispatch(world, NOW)
    assert state(message) == ("unknown", "interrupted")

    statuses = [status_of(message, "wamid.X", "read", 1_772_452_900), status_of(message, "wamid.X", "sent")]
    assert tell(client, world, whatsapp_server.told(statuses=statuses)) == 200
    work_off(EVER)

    assert state(message) == ("opened", "")
    assert sorted(happened()) == [("opened", "moved"), ("sent", "moved")]


def test_a_status_that_failed_says_why(world: World, client: Client, meta: WhatsAppServer) -> None:
    message = write_to(world, ANA)
    dispatch(world, NOW)

    error = {"code": 131026, "title": "Message undeliverable"}
    tell(client, world, whatsapp_server.told(statuses=[status_of(message, meta.wamid(1), "failed", errors=[error])]))
    work_off(EVER)

    assert state(message) == ("failed", "bounced")
    assert Receipt.objects.get().code == "131026"


def written(text: str, at: int = 1_772_452_800, about: str = "") -> dict[str, Any]:
    said: dict[str, Any] = {"from": "5511987654321", "id": f"wamid.{text}", "timestamp": str(at), "type": "text"}
    said["text"] = {"body": text}
    return said | ({"context": {"id": about}} if about else {})


def test_an_answer_is_kept_with_what_it_answers(world: World, client: Client, meta: WhatsAppServer) -> None:
    message = write_to(world, ANA)
    dispatch(world, NOW)

    tell(client, world, whatsapp_server.told(messages=[written("Obrigada!", about=meta.wamid(1))]))
    work_off(EVER)

    heard = Inbound.objects.get()
    assert (heard.text, heard.about_id, heard.meaning) == ("Obrigada!", message, "")


def test_sair_holds_before_meta_is_answered(world: World, client: Client) -> None:
    write_to(world, ANA)

    assert tell(client, world, whatsapp_server.told(messages=[written("SAIR")])) == 200

    assert (Suppression.objects.get().reason, Suppression.objects.get().brand) == ("stop", world.brand)


def test_another_number_of_the_account_is_none_of_ours(world: World, client: Client) -> None:
    write_to(world, ANA)

    tell(client, world, whatsapp_server.told("999", messages=[written("SAIR")]))
    work_off(EVER)

    assert not Suppression.objects.exists()
    assert ProviderCallback.objects.get().status == "unhandled"


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"entry": 3}', b'{"entry": [{"changes": [{"value": []}]}]}'])
def test_what_cannot_be_read_is_kept_with_the_reason(world: World, client: Client, body: bytes) -> None:
    assert tell(client, world, body) == 200
    work_off(EVER)

    row = ProviderCallback.objects.get()
    assert (row.status, bool(row.reason)) == ("failed", True)


def test_a_forged_call_is_refused(world: World, client: Client) -> None:
    assert tell(client, world, whatsapp_server.told(messages=[written("SAIR")]), "guessed") == 401
    assert not ProviderCallback.objects.exists()


@pytest.mark.parametrize(("token", "status", "answer"), [("hello", 200, b"1158201444"), ("guessed", 404, None)])
def test_meta_makes_sure_that_the_address_is_ours(
    world: World, client: Client, token: str, status: int, answer: bytes | None
) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
    response = client.get(path_of(world), asked)

    assert response.status_code == status
    assert answer is None or response.content == answer


def test_the_other_system_gets_json(world: World, meta: WhatsAppServer) -> None:
    write_to(world, ANA)
    dispatch(world, NOW)

    [asked] = meta.system.received
    assert (asked.method, asked.path) == ("POST", f"/v23.0/{NUMBER}/messages")
    assert json.loads(asked.body)["to"] == "5511987654321"
