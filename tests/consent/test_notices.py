"""Notices: drafts are edited, what is published never changes, and grants cite what was published."""

from hashlib import sha256

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from consent.ledger import append
from consent.models import ConsentEntry, Notice, NoticeText, NoticeVersion, Purpose
from consent.notices import NotPublished, latest, publish
from customers.models import Address, AuditEntry, Brand, Profile
from tests.consent import people
from tests.consent.people import T0, new_entry

pytestmark = pytest.mark.django_db
WORDS = "Podemos escrever para você?"


@pytest.fixture
def draft(brand: Brand) -> NoticeVersion:
    notice = Notice.objects.create(brand=brand, key="sign-up", name="Sign-up")
    version = NoticeVersion.objects.create(notice=notice, number=1)
    NoticeText.objects.create(version=version, locale="pt-BR", text=WORDS)
    return version


def test_published_its_exact_words_are_sealed(draft: NoticeVersion) -> None:
    publish(draft, T0)
    publish(draft, T0 + people.HOUR)
    draft.refresh_from_db()
    assert draft.published_at == T0
    assert bytes(draft.texts.get().digest or b"") == sha256(WORDS.encode()).digest()


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_without_words_it_is_not_published(draft: NoticeVersion, text: str | None) -> None:
    if text is None:
        draft.texts.all().delete()
    else:
        draft.texts.update(text=text)
    with pytest.raises(NotPublished):
        publish(draft, T0)


def test_the_database_lets_nobody_change_what_is_published(draft: NoticeVersion) -> None:
    publish(draft, T0)
    texts, versions = NoticeText.objects.filter(version=draft), NoticeVersion.objects.filter(pk=draft.pk)
    for change in (
        lambda: texts.update(text="Anything"),
        lambda: texts.update(digest=None),
        lambda: texts.delete(),
        lambda: NoticeText.objects.create(version=draft, locale="en", text="More"),
        lambda: versions.update(published_at=None),
        lambda: versions.update(number=2),
        lambda: versions.delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    assert texts.get().text == WORDS


def test_the_database_lets_nobody_publish_without_the_seal(draft: NoticeVersion) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeVersion.objects.filter(pk=draft.pk).update(published_at=T0)
    draft.texts.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeVersion.objects.filter(pk=draft.pk).update(published_at=T0)


def test_there_is_one_draft_at_a_time(draft: NoticeVersion) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeVersion.objects.create(notice=draft.notice, number=2)
    publish(draft, T0)
    NoticeVersion.objects.create(notice=draft.notice, number=2)


def test_people_are_shown_the_newest_that_is_published(draft: NoticeVersion, newsletter: Purpose) -> None:
    assert latest(newsletter) is None
    newsletter.notice = draft.notice
    assert latest(newsletter) is None
    publish(draft, T0)
    NoticeVersion.objects.create(notice=draft.notice, number=2)
    assert latest(newsletter) == draft


def test_the_words_are_those_of_the_closest_language(draft: NoticeVersion) -> None:
    NoticeText.objects.create(version=draft, locale="en", text="May we write to you?")
    said = {wanted: draft.words(wanted, "en") for wanted in ("pt-br", "en-AU", "de")}
    assert {wanted: words.locale for wanted, words in said.items() if words} == {
        "pt-br": "pt-BR", "en-AU": "en", "de": "en",
    }  # fmt: skip


@pytest.mark.parametrize(("state", "ends"), [("given", True), ("renewed", True), ("withdrawn", False)])
def test_a_grant_that_names_no_end_has_that_of_its_purpose(
    state: str, ends: bool, address: Address, profile: Profile, newsletter: Purpose
) -> None:
    Purpose.objects.filter(pk=newsletter.pk).update(valid_days=10)
    append([new_entry(address, profile, newsletter, state, T0)], T0 + people.HOUR)
    assert ConsentEntry.objects.get().valid_until == (people.hours(240) if ends else None)


def test_a_grant_that_names_its_end_keeps_it(address: Address, profile: Profile, newsletter: Purpose) -> None:
    Purpose.objects.filter(pk=newsletter.pk).update(valid_days=10)
    people.tell(address, profile, newsletter, "given", T0, valid_until=people.hours(1))
    assert ConsentEntry.objects.get().valid_until == people.hours(1)


def test_a_draft_is_written_and_published_in_the_admin(client: Client, draft: NoticeVersion) -> None:
    client.force_login(User.objects.create_superuser("root"), backend="django.contrib.auth.backends.ModelBackend")
    url = f"/admin/consent/noticeversion/{draft.pk}/change/"
    assert "Save and publish" in client.get(url).content.decode()
    text = draft.texts.get()
    form = {
        "texts-TOTAL_FORMS": "1", "texts-INITIAL_FORMS": "1", "texts-MIN_NUM_FORMS": "1", "texts-MAX_NUM_FORMS": "9",
        "texts-0-id": str(text.pk), "texts-0-version": str(draft.pk), "texts-0-locale": "pt-BR",
        "texts-0-text": "Outras palavras", "consent_noticeversion_publish": "1",
    }  # fmt: skip
    assert client.post(url, form, follow=True).status_code == 200
    draft.refresh_from_db()
    assert draft.published_at is not None
    assert draft.texts.get().text == "Outras palavras"
    assert AuditEntry.objects.filter(action="publish", object_type="consent.noticeversion").count() == 1
    shown = client.get(url).content.decode()
    assert "Save and publish" not in shown
    assert 'name="texts-1-text"' not in shown, "nothing is there to be filled in"
    assert client.post(url, form | {"texts-0-text": "Third"}).status_code == 403
    assert draft.texts.get().text == "Outras palavras"
