"""What services for letters tell: who may, what it moves, whether it was a person, and what people write back."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

from channels.models import Inbound, Message, ProviderCallback, Receipt
from channels.providers.base import build
from channels.providers.esp.services import ESPS
from channels.receipts.told import BadSignature, Callback, Happened, Unreadable
from consent.models import ConsentEntry, Suppression
from tests.channels.providers.esp_server import KEY, LOG_IN, SIGNING, EspServer, basic, mailgun_told
from tests.channels.providers.telling import (
    PUBLIC,
    dispatch,
    happened,
    path_of,
    post,
    provider_beside,
    work_off,
    world_of,
    write_to,
)
from tests.channels.web_server import OtherSystem, drops
from tests.channels.world import NOW, World, set_credentials, state

ANA = "ana@example.com"
EVER = NOW + timedelta(days=400)


@pytest.fixture
def beside(settings: Settings) -> Iterator[OtherSystem]:
    with provider_beside(settings) as system:
        yield system


def sent_by(beside: OtherSystem, service: str) -> tuple[World, UUID]:
    """A letter that the service has taken."""
    world = world_of("esp", "email", EspServer(beside, service).config(), api_key=KEY)
    proof = {"callback_key": SIGNING} if service == "mailgun" else {"callback_login": LOG_IN}
    set_credentials(world.connector, api_key=KEY, **proof)
    message = write_to(world, ANA)
    dispatch(world, NOW)
    return world, message


def tell(client: Client, world: World, body: bytes, kind: str = "application/json", **headers: str) -> int:
    status: int = post(client, path_of(world), body, kind, **headers).status_code
    return status


def tell_json(client: Client, world: World, said: Any, log_in: str = LOG_IN) -> int:
    return tell(client, world, json.dumps(said).encode(), **basic(log_in))


def postmark_told(kind: str, message: UUID, **more: Any) -> dict[str, Any]:
    return {
        "RecordType": kind,
        "MessageID": "b7bc2f4a-e38e-4336-af7d-000000000001",
        "Recipient": ANA,
        "Metadata": {"message": str(message)},
        **more,
    }


def brevo_told(event: str, message: UUID, **more: Any) -> dict[str, Any]:
    return {
        "event": event,
        "email": ANA,
        "message-id": "<2026030212.1@smtp-relay.mailin.fr>",
        "ts_epoch": 1_772_452_800_000,
        "X-Mailin-custom": json.dumps({"message": str(message)}),
        **more,
    }


def sparkpost_told(kind: str, message: UUID, group: str = "message_event", **more: Any) -> list[dict[str, Any]]:
    event = {
        "type": kind,
        "event_id": f"{kind}-1",
        "timestamp": "1772452800",
        "transmission_id": "11661",
        "rcpt_meta": {"message": str(message)},
        "raw_rcpt_to": ANA,
        **more,
    }
    return [{"msys": {group: event}}]


def test_mailgun_moves_the_message_by_our_own_id(db: None, client: Client, beside: OtherSystem) -> None:
    world, message = sent_by(beside, "mailgun")

    for event in ("delivered", "opened", "delivered"):
        assert tell(client, world, mailgun_told(event, str(message))) == 200
    work_off(EVER)

    assert state(message) == ("opened", "")
    assert sorted(happened()) in (
        [("delivered", "known"), ("opened", "moved")],
        [("delivered", "moved"), ("opened", "moved")],
    )
    assert sorted(ProviderCallback.objects.values_list("repeats", flat=True)) == [0, 1]


def test_an_unknown_message_is_known_by_the_callback_that_names_it(
    db: None, client: Client, beside: OtherSystem
) -> None:
    world, _sent = sent_by(beside, "mailgun")
    beside.answers = [drops]
    message = write_to(world, "bia@example.com")
    dispatch(world, NOW)
    assert state(message) == ("unknown", "interrupted")

    tell(client, world, mailgun_told("delivered", str(message)))
    work_off(EVER)

    assert state(message) == ("delivered", "")


def test_a_message_is_known_by_the_services_id_as_well(db: None, client: Client, beside: OtherSystem) -> None:
    world, message = sent_by(beside, "mailgun")
    id_ = Message.objects.get(pk=message).provider_id

    tell(client, world, mailgun_told("delivered", message={"headers": {"message-id": id_.strip("<>")}}))
    work_off(EVER)

    assert state(message) == ("delivered", "")


@pytest.mark.parametrize("body", [mailgun_told("complained", key="guessed"), b"{}", b"[]", b"\xff", b"", b"a=1&b=2"])
def test_what_mailgun_did_not_sign_is_refused(db: None, client: Client, beside: OtherSystem, body: bytes) -> None:
    world, _message = sent_by(beside, "mailgun")

    assert tell(client, world, body) == 401
    assert tell(client, world, body, "application/x-www-form-urlencoded") == 401
    assert not ProviderCallback.objects.exists()


@pytest.mark.parametrize("service", ["postmark", "brevo", "sparkpost"])
def test_without_the_log_in_nobody_is_believed(db: None, client: Client, beside: OtherSystem, service: str) -> None:
    world, message = sent_by(beside, service)
    said = postmark_told("SpamComplaint", message)

    assert tell_json(client, world, said, "trilha:guessed") == 401
    assert tell(client, world, json.dumps(said).encode()) == 401
    set_credentials(world.connector, api_key=KEY)
    assert tell_json(client, world, said) == 401
    assert tell_json(client, world, said, "None") == 401
    assert not ProviderCallback.objects.exists()


@pytest.mark.parametrize(
    ("event", "more", "wanted", "told", "suppressed"),
    [
        ("failed", {"severity": "permanent", "reason": "bounce"}, "failed", "bounced", ["bounce"]),
        ("failed", {"severity": "permanent", "reason": "generic"}, "failed", "failed", []),
        ("failed", {"severity": "temporary", "reason": "generic"}, "sent", "delayed", []),
        ("complained", {}, "delivered", "complained", ["complaint"]),
        ("rejected", {"reject": {"reason": "Sandbox"}}, "failed", "failed", []),
        ("opened", {"client-info": {"bot": "apple"}}, "delivered", "opened", []),
        ("opened", {"client-info": {"bot": ""}}, "opened", "opened", []),
        ("clicked", {"url": "https://acme.example"}, "clicked", "clicked", []),
    ],
)
def test_what_mailgun_says_of_a_letter(
    db: None,
    client: Client,
    beside: OtherSystem,
    event: str,
    more: dict[str, Any],
    wanted: str,
    told: str,
    suppressed: list[str],
) -> None:
    world, message = sent_by(beside, "mailgun")

    assert tell(client, world, mailgun_told(event, str(message), **more)) == 200
    work_off(EVER)

    assert (state(message)[0], Receipt.objects.get().happened) == (wanted, told)
    assert [one.reason for one in Suppression.objects.all()] == suppressed


@pytest.mark.parametrize(
    ("service", "said", "wanted", "told", "is_machine"),
    [
        ("postmark", ("Bounce", {"Type": "HardBounce", "ID": 7}), "failed", "bounced", False),
        ("postmark", ("Bounce", {"Type": "SoftBounce", "ID": 7}), "sent", "soft_bounced", False),
        ("postmark", ("Bounce", {"Type": "Transient", "ID": 7}), "sent", "delayed", False),
        ("postmark", ("Bounce", {"Type": "Blocked", "ID": 7}), "failed", "failed", False),
        ("postmark", ("SpamComplaint", {"Type": "SpamComplaint"}), "delivered", "complained", False),
        ("postmark", ("Delivery", {"DeliveredAt": "2026-03-02T12:00:01Z"}), "delivered", "delivered", False),
        ("postmark", ("Open", {"ReceivedAt": "2026-03-02T12:00:01Z"}), "opened", "opened", False),
        ("postmark", ("Open", {"UserAgent": "Mozilla/5.0"}), "delivered", "opened", True),
        ("postmark", ("Open", {"UserAgent": "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15"}), "opened", "opened", False),
        ("postmark", ("Click", {"UserAgent": "Barracuda Sentinel (EE)"}), "delivered", "clicked", True),
        ("postmark", ("Click", {"UserAgent": ""}), "clicked", "clicked", False),
        (
            "sparkpost",
            ("open", {"user_agent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"}),
            "opened",
            "opened",
            False,
        ),
        ("sparkpost", ("click", {"user_agent": "python-requests/2.32"}), "delivered", "clicked", True),
        ("brevo", ("hard_bounce", {}), "failed", "bounced", False),
        ("brevo", ("soft_bounce", {}), "sent", "soft_bounced", False),
        ("brevo", ("blocked", {}), "failed", "failed", False),
        ("brevo", ("unique_opened", {}), "opened", "opened", False),
        ("brevo", ("unique_proxy_open", {}), "delivered", "opened", True),
        ("brevo", ("click", {"link": "https://acme.example"}), "clicked", "clicked", False),
        ("sparkpost", ("delivery", {}), "delivered", "delivered", False),
        ("sparkpost", ("bounce", {"bounce_class": "10"}), "failed", "bounced", False),
        ("sparkpost", ("bounce", {"bounce_class": "22"}), "sent", "soft_bounced", False),
        ("sparkpost", ("bounce", {"bounce_class": "51"}), "failed", "failed", False),
        ("sparkpost", ("open", {"user_agent_parsed": {"is_prefetched": True}}), "delivered", "opened", True),
        ("sparkpost", ("open", {"user_agent_parsed": {"is_prefetched": False}}), "opened", "opened", False),
    ],
)
def test_what_the_others_say_of_a_letter(
    db: None,
    client: Client,
    beside: OtherSystem,
    service: str,
    said: tuple[str, dict[str, Any]],
    wanted: str,
    told: str,
    is_machine: bool,
) -> None:
    world, message = sent_by(beside, service)
    kinds: dict[str, Any] = {"postmark": postmark_told, "brevo": brevo_told, "sparkpost": sparkpost_told}

    assert tell_json(client, world, kinds[service](said[0], message, **said[1])) == 200
    work_off(EVER)

    receipt = Receipt.objects.get()
    assert (state(message)[0], receipt.happened, receipt.is_machine) == (wanted, told, is_machine)


def test_who_unsubscribes_there_has_withdrawn_before_they_are_answered(
    db: None, client: Client, beside: OtherSystem
) -> None:
    world, message = sent_by(beside, "sparkpost")

    assert tell_json(client, world, sparkpost_told("list_unsubscribe", message, "unsubscribe_event")) == 200

    entry = ConsentEntry.objects.latest("pk")
    assert (entry.state, entry.method) == ("withdrawn", "provider")


def test_the_words_of_a_bounce_name_nobody(db: None, client: Client, beside: OtherSystem) -> None:
    world, message = sent_by(beside, "brevo")

    tell_json(client, world, brevo_told("hard_bounce", message, reason=f"550 5.1.1 <{ANA}> no such user"))
    work_off(EVER)

    assert Receipt.objects.get().detail == "550 5.1.1 <…> no such user"


def test_a_ping_tells_nothing_and_what_is_new_is_kept_for_a_look(db: None, client: Client, beside: OtherSystem) -> None:
    world, message = sent_by(beside, "sparkpost")

    tell_json(client, world, [{"msys": {}}])
    tell_json(client, world, sparkpost_told("a_new_kind", message))
    work_off(EVER)

    assert sorted(ProviderCallback.objects.values_list("status", flat=True)) == ["done", "unhandled"]
    assert state(message) == ("sent", "")


@pytest.mark.parametrize("said", [[], {}, 3, {"RecordType": "Bounce", "BouncedAt": 5}, {"FromFull": 3}, [[[]]]])
def test_what_cannot_be_read_is_kept_with_the_reason(db: None, client: Client, beside: OtherSystem, said: Any) -> None:
    world, _message = sent_by(beside, "postmark")

    assert tell_json(client, world, said) == 200
    work_off(EVER)

    row = ProviderCallback.objects.get()
    assert row.status in ("failed", "unhandled")
    assert (row.status == "failed") == bool(row.reason)


def letter_to_mailgun(about: str, text: str, **more: str) -> dict[str, str]:
    headers = [["From", f"Ana <{ANA}>"], ["Message-Id", "<r1@example.com>"], ["In-Reply-To", about]]
    headers += [[name.replace("_", "-"), value] for name, value in more.items()]
    signed = json.loads(mailgun_told("x"))["signature"]
    return {
        **signed,
        "sender": ANA,
        "recipient": "oi@acme.example",
        "message-headers": json.dumps(headers),
        "body-plain": f"{text}\n\n> Olá Ana",
        "stripped-text": text,
    }


@pytest.mark.parametrize("is_multipart", [False, True])
def test_a_letter_back_is_kept_with_what_it_answers(
    db: None, client: Client, beside: OtherSystem, is_multipart: bool
) -> None:
    world, message = sent_by(beside, "mailgun")
    letter = letter_to_mailgun(Message.objects.get(pk=message).provider_id, "Obrigada!")

    if is_multipart:
        # Django's client encodes by itself where it is told that this is a form of many parts.
        response = client.post(path_of(world), letter)
        assert response.status_code == 200
    else:
        assert tell(client, world, urlencode(letter).encode(), "application/x-www-form-urlencoded") == 200
    work_off(EVER)

    heard = Inbound.objects.get()
    assert (heard.text, heard.about_id, heard.meaning) == ("Obrigada!", message, "")


def test_a_stop_by_letter_holds_before_they_are_answered(db: None, client: Client, beside: OtherSystem) -> None:
    world, _message = sent_by(beside, "mailgun")

    body = urlencode(letter_to_mailgun("<?@?>", "SAIR")).encode()
    assert tell(client, world, body, "application/x-www-form-urlencoded") == 200

    assert (Suppression.objects.get().reason, Suppression.objects.get().brand) == ("stop", world.brand)


def test_what_a_machine_writes_back_is_no_answer(db: None, client: Client, beside: OtherSystem) -> None:
    world, _message = sent_by(beside, "mailgun")

    body = urlencode(letter_to_mailgun("<?@?>", "SAIR", Auto_Submitted="auto-replied")).encode()
    assert tell(client, world, body, "application/x-www-form-urlencoded") == 200
    work_off(EVER)

    assert not Inbound.objects.exists()
    assert not Suppression.objects.exists()
    assert ProviderCallback.objects.get().status == "done"


def test_postmarks_letter_answers_the_one_its_id_is_of(db: None, client: Client, beside: OtherSystem) -> None:
    world, message = sent_by(beside, "postmark")
    about = f"<{Message.objects.get(pk=message).provider_id}@mtasv.net>"
    letter = {
        "FromFull": {"Email": ANA, "Name": "Ana"},
        "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b",
        "Subject": "Re: Olá",
        "Headers": [{"Name": "In-Reply-To", "Value": about}, {"Name": "Message-ID", "Value": "<r2@example.com>"}],
        "TextBody": "Obrigada!\n\n> Olá",
        "HtmlBody": "<p>Obrigada!</p>",
        "StrippedTextReply": "Obrigada!",
        "Attachments": [{"Name": "a.txt", "ContentType": "text/plain", "Content": "b2k="}],
    }

    assert tell_json(client, world, letter) == 200
    work_off(EVER)

    heard = Inbound.objects.get()
    assert (heard.text, heard.about_id, heard.attachments) == ("Obrigada!", message, 1)


def test_attachments_of_brevos_letters_are_counted_and_not_fetched(
    db: None, client: Client, beside: OtherSystem
) -> None:
    world, message = sent_by(beside, "brevo")
    item = {
        "Uuid": ["u1"],
        "Headers": {"From": f"Ana <{ANA}>", "In-Reply-To": "<2026030212.1@smtp-relay.mailin.fr>"},
        "RawTextBody": "Oi",
        "Attachments": [{"Name": "a.pdf", "ContentType": "application/pdf", "DownloadToken": "t"}],
    }

    assert tell_json(client, world, {"items": [item]}) == 200
    work_off(EVER)

    heard = Inbound.objects.get()
    assert (heard.text, heard.about_id, heard.attachments) == ("Oi", message, 1)
    assert len(beside.received) == 1


@pytest.mark.parametrize(
    ("service", "body", "kind", "wanted"),
    [
        ("mailjet", [{"event": "bounce", "hard_bounce": True, "MessageID": 1, "time": 1}], "", Happened.BOUNCED),
        ("mailjet", {"event": "bounce", "hard_bounce": False, "MessageID": 1, "time": 1}, "", Happened.SOFT_BOUNCED),
        ("mandrill", [{"event": "soft_bounce", "_id": "m", "ts": 1}], "form", Happened.SOFT_BOUNCED),
        ("mandrill", [{"event": "hard_bounce", "_id": "m", "ts": 1}], "form", Happened.BOUNCED),
        ("mailersend", {"type": "activity.soft_bounced", "data": {"type": "soft_bounced"}}, "", Happened.SOFT_BOUNCED),
        (
            "resend",
            {"type": "email.bounced", "data": {"bounce": {"type": "Transient", "message": "bounce message"}}},
            "",
            Happened.SOFT_BOUNCED,
        ),
        (
            "resend",
            {"type": "email.bounced", "data": {"bounce": {"type": "Permanent", "message": "bounce message"}}},
            "",
            Happened.BOUNCED,
        ),
        ("postal", {"uuid": "u", "payload": {"message": {"id": 3}, "bounce": {}}}, "", Happened.BOUNCED),
        (
            "mailtrap",
            {"events": [{"event": "bounce", "message_id": "m", "timestamp": 1, "email": ANA}]},
            "",
            Happened.BOUNCED,
        ),
        (
            "unisender_go",
            {
                "event_name": "transactional_email_status",
                "status": "hard_bounced",
                "email": ANA,
                "job_id": "j",
                "event_time": "2026-03-02 12:00:00",
                "delivery_info": {"delivery_status": "err_user_unknown"},
            },
            "",
            Happened.BOUNCED,
        ),
    ],
)
def test_bounces_of_the_other_services(service: str, body: Any, kind: str, wanted: Happened) -> None:
    config = {"service": service, "base_url": "https://api.example", "project_id": "p"}
    provider: Any = build("esp", config, {"api_key": KEY, "secret_key": "s", "callback_key": SIGNING})
    written = json.dumps(body).encode()
    content_type = "application/json"
    if kind == "form":
        written = urlencode({"mandrill_events": written}).encode()
        content_type = "application/x-www-form-urlencoded"

    [told] = provider.told(Callback("POST", "", "", {}, content_type, written)).told

    assert told.happened == wanted


@pytest.mark.parametrize("service", ["mailjet", "resend", "sparkpost", "postal", "mandrill", "scaleway", "mailtrap"])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"3", b"\xff", b"[" * 3000, b'{"timestamp": 1e400}', b'[{"msys": 3}]']
)
def test_bytes_that_mean_nothing_are_unreadable_or_tell_nothing(service: str, body: bytes) -> None:
    config = {"service": service, "base_url": "https://api.example", "project_id": "p"}
    provider: Any = build("esp", config, {"api_key": KEY, "secret_key": "s", "callback_key": SIGNING})
    try:
        reading = provider.told(Callback("POST", "", "", {}, "application/json", body))
    except Unreadable:
        return
    assert not reading.told


def signed_by(service: str, key: str) -> Callback:
    """A call as the service signs it, each in its own way."""
    url, kind, headers = f"{PUBLIC}/hooks/channels/1", "application/json", {}
    body = json.dumps({"type": "activity.delivered", "events": [], "auth": "0" * 32, "event_name": "x"}).encode()
    if service in ("mailersend", "mailtrap"):
        name = {"mailersend": "signature", "mailtrap": "mailtrap-signature"}[service]
        headers[name] = hmac.new(key.encode(), body, "sha256").hexdigest()
    elif service == "mandrill":
        body, kind = urlencode({"mandrill_events": "[]"}).encode(), "application/x-www-form-urlencoded"
        digest = hmac.new(key.encode(), f"{url}mandrill_events[]".encode(), "sha1").digest()
        headers["x-mandrill-signature"] = base64.b64encode(digest).decode()
    else:
        auth = hashlib.md5(body.replace(b"0" * 32, key.encode())).hexdigest()
        body = body.replace(b"0" * 32, auth.encode())
    return Callback("POST", url, "", headers, kind, body)


@pytest.mark.parametrize("service", ["mailersend", "mailtrap", "mandrill", "unisender_go"])
def test_the_others_are_known_by_what_they_sign(service: str) -> None:
    config = {"service": service, "base_url": "https://api.example"}
    key = KEY if service == "unisender_go" else SIGNING
    provider: Any = build("esp", config, {"api_key": KEY, "callback_key": SIGNING})

    provider.verify(signed_by(service, key), NOW)
    with pytest.raises(BadSignature):
        provider.verify(signed_by(service, "guessed"), NOW)


def test_mailersend_signs_letters_by_another_key() -> None:
    provider: Any = build(
        "esp", {"service": "mailersend"}, {"api_key": KEY, "callback_key": SIGNING, "inbound_key": "of-letters"}
    )
    for key in (SIGNING, "of-letters"):
        provider.verify(signed_by("mailersend", key), NOW)
    with pytest.raises(BadSignature):
        provider.verify(signed_by("mailersend", KEY), NOW)


@pytest.mark.parametrize("service", sorted(ESPS))
def test_without_a_proof_agreed_on_nobody_is_believed(service: str) -> None:
    config = {"service": service, "base_url": "https://api.example", "project_id": "p"}
    provider: Any = build("esp", config, {"api_key": KEY, "secret_key": "s"})
    for key in ("", "None", SIGNING):
        for kind in ("mailersend", "mailtrap", "mandrill"):
            with pytest.raises(BadSignature):
                provider.verify(signed_by(kind, key), NOW)
