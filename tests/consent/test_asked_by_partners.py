"""Consent asked for by an event of a source: a mail, a request in the ledger, and a refusal that can be replayed."""

import pytest
from msgspec.structs import replace

from consent import queue, requests
from consent.confirming import ask
from consent.models import Confirmation, ConsentEntry, Notice, NoticeVersion, Purpose
from consent.queue import Item
from consent.requests import REQUESTED
from consent.stage import apply_at_once, apply_queued
from customers.models import Address, Profile, QuarantinedEvent, Source
from customers.pg import raw_cursor
from tests.consent import people
from tests.consent.people import T0

pytestmark = pytest.mark.django_db
IDENTIFIERS = (("email", "ana@example.com"),)


def asked(address: Address, profile: Profile, source: Source, **said: object) -> Item:
    [request], _problems = requests.read(REQUESTED, {"properties": {"purpose": "newsletter", **said}}, IDENTIFIERS)
    return Item(
        address_id=address.pk, profile_id=profile.pk, brand_id=source.brand_id, source_id=source.pk, event_id=None,
        message_id="m-1", occurred_at=T0, received_at=T0, request=request.body,
    )  # fmt: skip


def put(item: Item) -> None:
    with raw_cursor() as cursor:
        queue.put(cursor, [replace(item, event_id=1)])


def test_the_stage_sends_the_mail_and_notes_the_request(
    address: Address, profile: Profile, source: Source, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    version = people.make_notice(newsletter.brand)
    put(asked(address, profile, source, notice="sign-up", notice_version=1, language="pt-BR"))
    apply_queued(T0)
    [mail] = mails
    assert (mail.language, mail.notice_version_id, mail.method) == ("pt-BR", version.pk, "event")
    entry = ConsentEntry.objects.get()
    assert (entry.state, entry.source_id, entry.message_id, entry.event_id) == ("requested", source.pk, "m-1", 1)


def test_who_names_no_notice_has_the_purposes_own_shown(
    address: Address, profile: Profile, source: Source, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    version = people.make_notice(newsletter.brand)
    Purpose.objects.filter(pk=newsletter.pk).update(notice=Notice.objects.get())
    put(asked(address, profile, source))
    apply_queued(T0)
    assert mails[0].notice_version_id == version.pk


def test_where_no_mail_can_be_sent_it_is_kept_in_quarantine(
    address: Address, profile: Profile, source: Source, newsletter: Purpose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "_senders", [])
    put(asked(address, profile, source))
    apply_queued(T0)
    assert QuarantinedEvent.objects.get().code == "cannot_ask"
    assert ConsentEntry.objects.count() == 0


def test_at_once_it_answers_with_the_request(
    address: Address, profile: Profile, source: Source, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    with raw_cursor() as cursor:
        first = apply_at_once(cursor, asked(address, profile, source), T0)
        again = apply_at_once(cursor, asked(address, profile, source), T0)
    assert first.entry_id == again.entry_id == ConsentEntry.objects.get().pk
    assert len(mails) == 1


@pytest.mark.parametrize(
    ("said", "identifiers", "code"),
    [
        ({}, IDENTIFIERS, "required"),
        ({"purpose": "newsletter"}, (), "required"),
        ({"purpose": "newsletter", "address": "nobody"}, IDENTIFIERS, "invalid_email"),
        ({"purpose": "newsletter", "notice": "x"}, IDENTIFIERS, "wrong_type"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    said: dict[str, object], identifiers: tuple[tuple[str, str], ...], code: str
) -> None:
    found, problems = requests.read(REQUESTED, {"properties": said}, identifiers)
    assert found == []
    assert [problem.code for problem in problems] == [code]


def test_a_request_proves_nothing_whoever_sends_it() -> None:
    [request], _problems = requests.read(
        REQUESTED, {"properties": {"purpose": "news", "method": "double_opt_in"}}, IDENTIFIERS
    )
    assert (request.body["state"], request.body["method"]) == ("requested", "event")
    assert request.body["evidence"] == {"claimed_method": "double_opt_in"}


def test_an_unpublished_notice_cannot_be_cited(
    address: Address, profile: Profile, source: Source, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    people.make_notice(newsletter.brand)
    NoticeVersion.objects.create(notice=Notice.objects.get(), number=2)
    put(asked(address, profile, source, notice="sign-up", notice_version=2))
    apply_queued(T0)
    assert QuarantinedEvent.objects.get().code == "unknown_notice"
    assert mails == []
