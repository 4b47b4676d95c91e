"""Whatever a provider does, a message is sent, tried again, refused or unknown; never twice, never lost."""

import socket
import time
from datetime import timedelta

import pytest

from channels.dispatch import dispatch_due
from channels.models import Message
from channels.providers.base import DeliveryError
from config.loop.smtp_sink import Behaviour, SmtpSink
from tests.channels.doubles import Recorder
from tests.channels.world import NOW, World, make_world, smtp_config, state

HOUR = timedelta(hours=1)


def send_to(world: World, email: str) -> Message:
    id_ = world.queue(world.person(email))
    dispatch_due(world.connector.pk, NOW)
    return Message.objects.get(pk=id_)


@pytest.mark.parametrize("behaviour", ["later", "busy", "vanish"])
def test_passing_trouble_is_tried_again(mail_world: World, sink: SmtpSink, behaviour: str) -> None:
    sink.script["ana@example.com"] = [Behaviour(behaviour)]
    message = send_to(mail_world, "ana@example.com")
    assert (message.state, message.reason, message.attempts) == ("queued", "trouble", 1)
    assert NOW + timedelta(seconds=1) <= message.due_at <= NOW + timedelta(seconds=35)
    assert sink.accepted() == []
    dispatch_due(mail_world.connector.pk, NOW + HOUR)
    message.refresh_from_db()
    assert (message.state, message.reason, message.attempts) == ("sent", "", 2)
    assert len(sink.accepted()) == 1


@pytest.mark.parametrize("behaviour", ["never", "reject"])
def test_a_clear_no_is_final(mail_world: World, sink: SmtpSink, behaviour: str) -> None:
    message = send_to(mail_world, f"ana+{behaviour}@example.com")
    assert (message.state, message.reason, message.attempts) == ("failed", "refused", 1)
    assert message.detail.startswith("55")
    assert "example.com" not in message.detail
    assert dispatch_due(mail_world.connector.pk, NOW + HOUR) == 0
    assert sink.accepted() == []


def test_an_answer_that_was_lost_leaves_the_message_unknown(mail_world: World, sink: SmtpSink) -> None:
    message = send_to(mail_world, "ana+drop@example.com")
    assert (message.state, message.reason) == ("unknown", "interrupted")
    assert dispatch_due(mail_world.connector.pk, NOW + HOUR) == 0
    assert len(sink.accepted()) == 1


def test_an_unknown_message_still_counts_as_the_copy_of_its_address(mail_world: World, sink: SmtpSink) -> None:
    person = mail_world.person("ana+drop@example.com")
    mail_world.queue(person, copy_key="welcome")
    dispatch_due(mail_world.connector.pk, NOW)
    second = mail_world.queue(person, copy_key="welcome")
    dispatch_due(mail_world.connector.pk, NOW)
    assert state(second) == ("suppressed", "address_duplicate")
    assert len(sink.accepted()) == 1


def test_a_server_that_hangs_is_left_at_the_deadline(mail_world: World, short_deadline: float) -> None:
    began = time.monotonic()
    message = send_to(mail_world, "ana+hang@example.com")
    assert (message.state, message.reason) == ("unknown", "interrupted")
    assert short_deadline <= time.monotonic() - began < short_deadline + 0.8


def test_a_server_that_drips_gets_no_more_time(mail_world: World, sink: SmtpSink, short_deadline: float) -> None:
    began = time.monotonic()
    message = send_to(mail_world, "ana+drip@example.com")
    assert (message.state, message.reason) == ("queued", "trouble")
    assert time.monotonic() - began < short_deadline + 0.8
    assert sink.received == []


def test_a_refused_recipient_does_not_disturb_the_next(mail_world: World, sink: SmtpSink) -> None:
    tags = ("never", "accept", "later", "drop", "accept")
    ids = [mail_world.queue(mail_world.person(f"p{place}+{tag}@example.com")) for place, tag in enumerate(tags)]
    dispatch_due(mail_world.connector.pk, NOW)
    assert [state(id_)[0] for id_ in ids] == ["failed", "sent", "queued", "unknown", "sent"]
    assert len(sink.accepted()) == 3


def test_an_unreachable_server_costs_one_message_a_try(db: None) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        world = make_world("smtp", smtp_config(closed.getsockname()[1]))
        first, second = (world.queue(world.person(f"p{n}@example.com")) for n in range(2))
        dispatch_due(world.connector.pk, NOW)
    assert state(first) == ("queued", "trouble")
    assert state(second) == ("queued", "")
    tries = Message.objects.order_by("id").values_list("attempts", flat=True)
    assert list(tries) == [1, 0]
    assert not Message.objects.filter(due_at__lte=NOW).exists()


def test_the_eighth_try_is_the_last(mail_world: World) -> None:
    id_ = mail_world.queue(mail_world.person("ana+later@example.com"), expires_at=NOW + 48 * HOUR)
    for hour in range(10):
        dispatch_due(mail_world.connector.pk, NOW + hour * HOUR)
    message = Message.objects.get(pk=id_)
    assert (message.state, message.reason, message.attempts) == ("failed", "trouble", 8)


def test_a_wish_to_wait_is_no_try(db: None, recorder: type[Recorder]) -> None:
    recorder.errors = [DeliveryError("429", retry_after=90)]
    message = send_to(make_world("recorder"), "ana@example.com")
    assert (message.state, message.reason, message.attempts) == ("queued", "trouble", 0)
    assert timedelta(seconds=90) <= message.due_at - NOW < timedelta(seconds=95)


def test_a_provider_that_knows_our_key_is_asked_again(db: None, recorder: type[Recorder]) -> None:
    world = make_world("repeatable-recorder")
    recorder.errors.append(DeliveryError("timed out", accepted="maybe"))
    message = send_to(world, "ana@example.com")
    assert (message.state, message.attempts) == ("queued", 1)
    dispatch_due(world.connector.pk, NOW + HOUR)
    assert state(message.pk) == ("sent", "")
    assert len({call.outgoing.key for call in recorder.calls}) == 1
    assert len(recorder.calls) == 2


def test_a_fault_in_a_provider_is_an_unknown_outcome(db: None, recorder: type[Recorder]) -> None:
    recorder.errors.append(ZeroDivisionError())
    message = send_to(make_world("recorder"), "ana@example.com")
    assert (message.state, message.reason, message.detail) == ("unknown", "interrupted", "ZeroDivisionError")


@pytest.mark.parametrize("address", ["a@b.example, c@d.example", "x <a@b.example>", "a@b.example\nBcc: c@d.example"])
def test_more_than_one_address_is_refused(mail_world: World, sink: SmtpSink, address: str) -> None:
    message = send_to(mail_world, address)
    assert (message.state, message.reason, message.detail) == ("failed", "refused", "not_one_address")
    assert sink.received == []


def test_an_address_beyond_ascii_needs_a_server_that_takes_it(mail_world: World, sink: SmtpSink) -> None:
    message = send_to(mail_world, "joão@example.com")
    assert (message.state, message.reason) == ("sent", "")
    assert sink.received[0].recipient == "joão@example.com"
