"""What is not sent is a row with a reason, and nothing else happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from channels import guards
from channels.dispatch import dispatch_due
from channels.models import Message, RecentSend
from channels.stops import release, stop
from config.loop.smtp_sink import SmtpSink
from consent.models import Suppression
from customers.ids import new_id
from tests.channels.world import NOW, World, content, state
from tests.consent import people

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@contextmanager
def guarded(answer: guards.Guard) -> Iterator[list[guards.GuardAsk]]:
    asked: list[guards.GuardAsk] = []

    def guard(ask: guards.GuardAsk) -> guards.Answer:
        asked.append(ask)
        return answer(ask)

    guards.register("broadcast", guard)
    try:
        yield asked
    finally:
        guards.unregister("broadcast", guard)


def test_without_consent_nothing_goes_out(mail_world: World, sink: SmtpSink) -> None:
    message = mail_world.queue(mail_world.person(granted=False))
    dispatch_due(mail_world.connector.pk, NOW)
    assert state(message) == ("suppressed", "no_consent")
    assert sink.received == []
    assert not RecentSend.objects.exists()


def test_a_withdrawal_after_queueing_is_seen_and_named(mail_world: World, sink: SmtpSink) -> None:
    person = mail_world.person()
    message = mail_world.queue(person)
    withdrawal = mail_world.tell(person, "withdrawn", NOW)
    dispatch_due(mail_world.connector.pk, NOW)
    assert state(message) == ("suppressed", "withdrawn")
    assert Message.objects.get(pk=message).send_consent_id == withdrawal
    assert sink.received == []


def test_expired_consent_is_none(world: World) -> None:
    person = world.person(granted=False)
    people.tell(person.address, person.profile, world.purpose, "given", NOW - DAY, valid_until=NOW)
    message = world.queue(person)
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("suppressed", "consent_expired")


def test_a_suppressed_address_gets_nothing(world: World) -> None:
    person = world.person()
    Suppression.objects.create(address=person.address, reason="bounce", created_at=NOW)
    message = world.queue(person)
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("suppressed", "suppressed")


def test_a_second_copy_to_one_address_is_refused_for_a_day(world: World) -> None:
    person = world.person()
    first, second = (world.queue(person, copy_key="welcome") for _copy in range(2))
    other = world.queue(world.person("bo@example.com"), copy_key="welcome")
    dispatch_due(world.connector.pk, NOW)
    assert state(first) == ("sent", "")
    assert state(second) == ("suppressed", "address_duplicate")
    assert state(other) == ("sent", "")
    # But for broadcasts, which say a thing once.
    later = world.queue(person, origin_kind="case", copy_key="welcome", expires_at=NOW + 2 * DAY)
    dispatch_due(world.connector.pk, NOW + DAY + MINUTE)
    assert state(later) == ("sent", "")


def test_a_copy_that_was_not_sent_leaves_room_for_the_other(world: World) -> None:
    person = world.person()
    first, second = (world.queue(person, origin_id=run, copy_key="welcome") for run in ("1", "2"))
    with guarded(lambda ask: guards.Refuse("acted") if ask.origin_id == "1" else None) as asked:
        dispatch_due(world.connector.pk, NOW)
    assert len(asked) == 2
    assert [state(first), state(second)] == [("cancelled", "acted"), ("sent", "")]


@pytest.mark.parametrize("reason", ["acted", "ended", "merged"])
def test_a_guard_has_the_last_word(mail_world: World, sink: SmtpSink, reason: str) -> None:
    person = mail_world.person()
    message = mail_world.queue(person, origin_id="41")
    with guarded(lambda ask: guards.Refuse(reason)) as asked:
        dispatch_due(mail_world.connector.pk, NOW)
    assert state(message) == ("cancelled", reason)
    assert [(ask.message_id, ask.origin_id, ask.customer_id) for ask in asked] == [(message, "41", person.customer.pk)]
    assert sink.received == []


def test_a_guard_may_ask_for_time(world: World) -> None:
    message = world.queue(world.person())
    with guarded(lambda ask: guards.Wait(1.0, "unresolved")):
        dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("held", "unresolved")
    assert Message.objects.get(pk=message).attempts == 0
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("held", "unresolved")
    dispatch_due(world.connector.pk, NOW + timedelta(seconds=3))
    assert state(message) == ("sent", "")


def test_a_refused_person_is_not_asked_about(world: World) -> None:
    world.queue(world.person(granted=False))
    with guarded(lambda ask: None) as asked:
        dispatch_due(world.connector.pk, NOW)
    assert asked == []


@pytest.mark.parametrize("scope", ["journey", "connector", "brand"])
def test_a_stop_holds_and_a_release_lets_go(world: World, scope: str) -> None:
    scopes = {"journey": world.journey_id, "connector": world.connector.pk, "brand": world.brand.pk}
    message = world.queue(world.person())
    assert stop(scopes[scope], None, "wrong price", NOW)
    assert not stop(scopes[scope], None, "again", NOW)
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("held", "stopped")
    assert release(scopes[scope], NOW)
    assert not release(scopes[scope], NOW)
    dispatch_due(world.connector.pk, NOW + MINUTE)
    assert state(message) == ("sent", "")


def test_what_is_too_late_expires(world: World) -> None:
    message = world.queue(world.person(), expires_at=NOW)
    assert dispatch_due(world.connector.pk, NOW) == 1
    assert state(message) == ("expired", "late")
    assert Message.objects.get(pk=message).settled_at == NOW


def test_a_connector_that_is_off_holds_its_messages(world: World) -> None:
    message = world.queue(world.person())
    world.connector.is_active = False
    world.connector.save()
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("held", "connector_off")
    world.connector.is_active = True
    world.connector.save()
    dispatch_due(world.connector.pk, NOW + MINUTE)
    assert state(message) == ("sent", "")


def test_a_connector_that_is_off_lets_messages_expire(world: World) -> None:
    message = world.queue(world.person(), expires_at=NOW + timedelta(seconds=30))
    world.connector.is_active = False
    world.connector.save()
    dispatch_due(world.connector.pk, NOW)
    dispatch_due(world.connector.pk, NOW + timedelta(seconds=30))
    assert state(message) == ("expired", "late")


@pytest.mark.parametrize("provider", ["smtp", "nowhere"])
def test_a_connector_whose_settings_do_not_fit_holds_its_messages(world: World, provider: str) -> None:
    message = world.queue(world.person())
    world.connector.provider = provider
    world.connector.save()
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("held", "connector_off")


def test_a_missing_field_fails_the_message(world: World) -> None:
    message = world.queue(world.person(first_name=None))
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("failed", "missing_field")
    assert Message.objects.get(pk=message).detail == "customer.first_name is undefined"


def test_a_broken_template_fails_its_message_only(world: World) -> None:
    other = world.person("bo@example.com")
    other.customer.locale = "en"
    other.customer.save()
    broken, fine = world.queue(world.person()), world.queue(other)
    world.version.texts.filter(locale="pt").update(text="{% for x in (1..99999999) %}x{% endfor %}")
    dispatch_due(world.connector.pk, NOW)
    assert state(broken) == ("failed", "template_limit")
    assert Message.objects.get(pk=broken).detail == "too many items in line 1"
    assert state(fine) == ("sent", "")


def test_a_value_that_cannot_be_said_fails_its_message(world: World) -> None:
    message = world.queue(world.person())
    world.version.texts.filter(locale="pt").update(text="{{ customer.first_name | money }}")
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("failed", "template_error")
    assert Message.objects.get(pk=message).detail == "money: whole minor units, such as cents in line 1"


def test_what_the_template_calls_off_is_not_sent_and_says_why(world: World) -> None:
    message = world.queue(world.person())
    world.version.texts.filter(locale="pt").update(text="{% abort 'nothing left in the cart' %}")
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("suppressed", "aborted")
    assert Message.objects.get(pk=message).detail == "nothing left in the cart"
    assert not RecentSend.objects.exists()


def test_a_text_is_said_by_the_clock_and_money_of_its_reader(world: World) -> None:
    person = world.person()
    person.customer.zone = "Asia/Tokyo"
    person.customer.save()
    world.brand.currency = "BRL"
    world.brand.save()
    here, there = world.queue(world.person("bo@example.com")), world.queue(person)
    said = "{{ now | time }} {{ 1990 | money }}"
    world.version.texts.filter(locale="pt").update(subject=said, html="", text="x")
    dispatch_due(world.connector.pk, NOW)
    assert [content(here).subject, content(there).subject] == ["12:00 R$\xa019,90", "21:00 R$\xa019,90"]


def test_an_address_erased_meanwhile_is_no_address(world: World) -> None:
    message = world.queue(world.person(), address_id=new_id())
    dispatch_due(world.connector.pk, NOW)
    assert state(message) == ("suppressed", "no_address")
