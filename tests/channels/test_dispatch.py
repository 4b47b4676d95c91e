"""Dispatch on its good days: what is due goes out, once, with the right words and headers."""

import re
from datetime import timedelta
from email import message_from_string
from email.policy import default

import pytest

from channels.dispatch import dispatch_all, dispatch_due
from channels.models import Message, RecentSend
from config.loop.smtp_sink import SmtpSink
from tests.channels.world import NOW, World, content, set_credentials, state


def test_a_due_message_reaches_the_server_with_exact_headers(mail_world: World, sink: SmtpSink) -> None:
    person = mail_world.person("Ana.Souza@example.com")
    message = mail_world.queue(person)
    assert dispatch_due(mail_world.connector.pk, NOW) == 1
    [received] = sink.received
    mail = message_from_string(received.data, policy=default)
    assert (received.sender, received.recipient) == ("news@acme.example", "Ana.Souza@example.com")
    assert mail["From"] == "Acme Café <news@acme.example>"
    assert mail["To"] == "Ana.Souza@example.com"
    assert mail["Subject"] == "Olá Ana"
    assert mail["Date"].startswith("Mon, 02 Mar 2026 12:00:0")
    assert mail["List-Id"] == "<newsletter.acme.acme.example>"
    # Folded or encoded, mailbox providers would not find the link.
    assert re.search(r"\r\nList-Unsubscribe: <http://127\.0\.0\.1:8000/u/[\w.-]+>\r\n", received.data)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Message-ID"] == Message.objects.get(pk=message).provider_id
    assert not {"Bcc", "Cc", "Sender", "Received"} & set(mail.keys())


def test_both_parts_are_filled_in(mail_world: World, sink: SmtpSink) -> None:
    mail_world.queue(mail_world.person(first_name="<Ana>"))
    dispatch_due(mail_world.connector.pk, NOW)
    mail = message_from_string(sink.received[0].data, policy=default)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "Plano gold"
    link = mail["List-Unsubscribe"].strip("<>")
    said, _picture = html.get_content().strip().split('<img src="http://127.0.0.1:8000/o/')
    assert said == f"<p>Olá &lt;Ana&gt;, <a href='{link}'>sair</a></p>"


def test_the_row_tells_what_was_sent_and_by_which_consent(world: World) -> None:
    person = world.person()
    consent = world.tell(person, "renewed", NOW - timedelta(hours=1))
    id_ = world.queue(person)
    dispatch_due(world.connector.pk, NOW)
    message = Message.objects.get(pk=id_)
    assert (message.state, message.reason, message.attempts) == ("sent", "", 1)
    assert message.send_consent_id == consent
    assert message.settled_at is not None
    assert timedelta(0) <= message.settled_at - NOW < timedelta(seconds=5)
    assert (message.lease_token, message.leased_until) == (None, None)
    assert message.provider_id.startswith("sandbox-")
    assert content(id_).subject == "Olá Ana"
    assert content(id_).body.startswith("<p>Olá Ana, ")


def test_what_is_not_due_stays(world: World) -> None:
    message = world.queue(world.person(), due_at=NOW + timedelta(seconds=1))
    assert dispatch_due(world.connector.pk, NOW) == 0
    assert state(message) == ("queued", "")


def test_one_connection_serves_a_batch(mail_world: World, sink: SmtpSink) -> None:
    for number in range(5):
        mail_world.queue(mail_world.person(f"p{number}@example.com"))
    assert dispatch_due(mail_world.connector.pk, NOW) == 5
    assert len(sink.received) == 5
    assert sink.connections == 1


def test_the_provider_key_is_derived_from_the_visit(world: World) -> None:
    person = world.person()
    first = world.queue(person, origin_id="77", visit=3)
    second = world.queue(person, origin_id="77", visit=4)
    dispatch_due(world.connector.pk, NOW)
    keys = set(Message.objects.filter(pk__in=(first, second)).values_list("provider_id", flat=True))
    assert len(keys) == 2


def test_the_round_empties_every_connector(world: World) -> None:
    ids = [world.queue(world.person(f"p{number}@example.com")) for number in range(3)]
    assert dispatch_all(NOW) == 3
    assert {state(id_)[0] for id_ in ids} == {"sent"}
    assert dispatch_all(NOW) == 0


def test_credentials_are_opened_for_the_log_in(mail_world: World, sink: SmtpSink) -> None:
    set_credentials(mail_world.connector, username="acme", password="secret")
    message = mail_world.queue(mail_world.person())
    dispatch_due(mail_world.connector.pk, NOW)
    # The sink offers no AUTH: the log-in fails, and nothing goes out without it.
    assert state(message) == ("queued", "trouble")
    assert sink.received == []


def test_a_legal_message_has_no_way_out(mail_world: World, sink: SmtpSink) -> None:
    mail_world.purpose.kind = "legal"
    mail_world.purpose.save()
    mail_world.version.texts.filter(locale="pt").delete()
    mail_world.queue(mail_world.person(granted=False))
    dispatch_due(mail_world.connector.pk, NOW)
    assert message_from_string(sink.received[0].data)["List-Unsubscribe"] is None


def test_a_sent_copy_is_remembered(world: World) -> None:
    person = world.person()
    message = world.queue(person, copy_key="welcome")
    dispatch_due(world.connector.pk, NOW)
    assert list(RecentSend.objects.values_list("address_id", "copy_key", "message_id")) == [
        (person.address.pk, "welcome", message)
    ]


@pytest.mark.parametrize(
    ("origin", "expected"), [("journey", ("sent", "")), ("broadcast", ("suppressed", "address_duplicate"))]
)
def test_a_journey_may_write_again_after_a_day_and_a_broadcast_may_not(
    world: World, origin: str, expected: tuple[str, str]
) -> None:
    person, later = world.person(), NOW + timedelta(hours=25)
    world.queue(person, copy_key="welcome")
    dispatch_due(world.connector.pk, NOW)
    again = world.queue(person, copy_key="welcome", origin_kind=origin, expires_at=later + timedelta(days=1))
    dispatch_due(world.connector.pk, later)
    assert state(again) == expected
