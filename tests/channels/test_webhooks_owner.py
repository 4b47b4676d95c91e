"""An endpoint that was switched off by itself mails its owner, once, where the installation has a mail to do so."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from channels.models import WebhookEndpoint
from channels.webhooks import endpoints
from channels.webhooks.off import switch_off
from channels.webhooks.owner import addresses
from customers import jobs
from customers.models import Job
from tests.channels.listener import Stage, listening

pytestmark = pytest.mark.django_db
Off = WebhookEndpoint.Off


@pytest.fixture
def stage(db: None, settings: Any) -> Iterator[Stage]:
    settings.TRILHA_MAIL_FROM = "trilha@example.com"
    settings.TRILHA_PUBLIC_URL = "https://t.example"
    with listening(settings) as one:
        owned_by(one, "The shop's team <shop@example.com>, Rita rita@example.com")
        yield one


def owned_by(stage: Stage, owner: str) -> None:
    WebhookEndpoint.objects.filter(pk=stage.endpoint.pk).update(owner=owner)


def off(stage: Stage, why: WebhookEndpoint.Off = Off.GONE) -> None:
    switch_off(stage.endpoint.pk, why, stage.clock.now)


def work(stage: Stage) -> None:
    assert jobs.work_on(lambda: stage.clock.now, seconds=30)


def test_the_owner_is_told_once_what_was_switched_off_and_why(stage: Stage) -> None:
    off(stage)
    off(stage)
    work(stage)
    work(stage)
    [told] = mail.outbox
    assert (told.to, told.from_email) == (["shop@example.com", "rita@example.com"], "trilha@example.com")
    assert told.subject == f"Outgoing webhook switched off: {stage.endpoint.name}"
    assert "it answered that it is gone (410)." in told.body
    assert f"https://t.example/admin/channels/webhookendpoint/{stage.endpoint.pk}/change/" in told.body
    # Where it leads may hold a secret.
    assert stage.endpoint.url not in told.body


def test_a_worker_that_died_as_it_sent_sends_none_twice(stage: Stage) -> None:
    off(stage)
    Job.objects.update(cursor={"sent": True})
    work(stage)
    assert (mail.outbox, Job.objects.get().state) == ([], Job.State.DONE)


def test_a_mail_server_that_cannot_be_reached_is_tried_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_given: object) -> None:
        raise ConnectionRefusedError

    off(stage)
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.open", away)
        jobs.work_on(lambda: stage.clock.now, seconds=0)
        assert Job.objects.get().cursor == {"tried": 1}
    stage.clock.now += timedelta(minutes=11)
    work(stage)
    assert len(mail.outbox) == 1


def test_what_is_on_again_by_then_is_not_told_of(stage: Stage) -> None:
    off(stage)
    WebhookEndpoint.objects.update(is_active=True, off_at=None, off_reason="")
    work(stage)
    assert mail.outbox == []


def test_by_hand_nobody_is_mailed(stage: Stage) -> None:
    endpoints.switch_off(stage.again(), Off.BY_HAND, stage.clock.now)
    assert Job.objects.count() == 0


@pytest.mark.parametrize(("sender", "owner"), [("", "rita@example.com"), ("trilha@example.com", "The shop's team")])
def test_without_a_mail_of_its_own_or_an_address_nobody_is(
    stage: Stage, settings: Any, sender: str, owner: str
) -> None:
    settings.TRILHA_MAIL_FROM = sender
    owned_by(stage, owner)
    off(stage)
    assert (Job.objects.count(), stage.again().off_reason) == (0, "gone")


def test_the_brands_language_is_spoken(stage: Stage) -> None:
    stage.brand.locale = "pt-BR"
    stage.brand.save()
    off(stage, Off.FAILING)
    work(stage)
    assert mail.outbox[0].subject.startswith("Webhook de saída desligado: ")


@pytest.mark.parametrize(
    ("owner", "wanted"),
    [
        ("", []),
        ("team shop", []),
        ("a@b", []),
        ("Ana <a@b.example>; b@c.example\nx@d.example", ["a@b.example", "b@c.example", "x@d.example"]),
        ("a@b.example, a@b.example", ["a@b.example"]),
        (" ".join(f"p{n}@b.example" for n in range(9)), [f"p{n}@b.example" for n in range(5)]),
        ("a@b.example\r\nBcc:all@c.example", ["a@b.example"]),
    ],
)
def test_addresses_are_found_in_what_was_written(owner: str, wanted: list[str]) -> None:
    assert addresses(owner) == wanted
