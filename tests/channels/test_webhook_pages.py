"""Outgoing webhooks on the staff pages: made, looked after, and their secret shown once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.home.attention import Kind, attention
from channels.admin import webhook_deliveries
from channels.admin.webhook_words import words
from channels.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from channels.webhooks import endpoints, secrets
from customers.models import AuditEntry, AwaitedName, Brand, Job
from tests.channels.listener import Stage, listening
from tests.customers.test_import_pages import client_of, marketer

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(db: None, settings: Any) -> Iterator[Stage]:
    with listening(settings) as one:
        yield one


@pytest.fixture
def keeper(stage: Stage) -> Client:
    return client_of(marketer("keeper", stage.brand, "view_brand", "change_brand", "view_pii"))


@pytest.fixture
def masked(stage: Stage) -> Client:
    return client_of(marketer("masked", stage.brand, "view_brand", "change_brand"))


def filled(stage: Stage, **more: Any) -> dict[str, Any]:
    return {
        "name": "Ledger",
        "brand": str(stage.brand.pk),
        "squad": "",
        "url": "https://ledger.example/hooks",
        "is_active": "on",
        "events": "Order Completed\nsegment.entered\n",
        "concurrency": "4",
        "owner": "Finance",
        "documentation_url": "",
    } | more


def page_of(client: Client, endpoint: WebhookEndpoint) -> str:
    return client.get(reverse("admin:channels_webhookendpoint_change", args=[endpoint.pk])).content.decode()


def act(client: Client, endpoint: WebhookEndpoint, what: str, **more: str) -> Any:
    address = reverse("admin:channels_webhookendpoint_act", args=[endpoint.pk])
    return client.post(address, {"do": what, **more}, follow=True)


def kept_of(client: Client) -> str:
    """Whatever the browser and the session keep from page to page, as it can be read."""
    cookies = [unsign_or_same(one.value) for one in client.cookies.values()]
    return str((cookies, dict(client.session)))


def unsign_or_same(value: str) -> str:
    try:
        return signing.b64_decode(value.split(":")[0].encode()).decode("utf-8", "replace") + value
    except ValueError:
        return value


def test_one_is_made_and_its_secret_shown_once(stage: Stage, keeper: Client) -> None:
    answer = keeper.post(reverse("admin:channels_webhookendpoint_add"), filled(stage), follow=True)
    made = WebhookEndpoint.objects.get(name="Ledger")
    secret = secrets.opened(made.pk, bytes(made.secrets))[0].secret
    assert secret in answer.content.decode()
    assert secret not in page_of(keeper, made)
    assert secret not in kept_of(keeper)
    assert made.events == ["Order Completed", "segment.entered"]
    assert set(AwaitedName.objects.filter(waiter=f"subscriber:webhook:{made.pk}").values_list("name", flat=True)) == {
        "Order Completed",
        "segment.entered",
    }
    assert secret not in str([(one.before, one.after) for one in AuditEntry.objects.all()])


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://ledger.example/", "https://db.internal/"])
def test_an_address_that_may_not_be_called_is_refused(stage: Stage, keeper: Client, url: str) -> None:
    answer = keeper.post(reverse("admin:channels_webhookendpoint_add"), filled(stage, url=url))
    assert answer.status_code in (200, 422)
    assert not WebhookEndpoint.objects.filter(name="Ledger").exists()


def test_its_page_says_how_it_goes_and_warns_of_personal_data(stage: Stage, keeper: Client) -> None:
    stage.system.answer(500)
    stage.accept(1)
    stage.deliver()
    stage.clock.on(seconds=1)
    page = page_of(keeper, stage.endpoint)
    assert "it answered 500" in page
    assert "Personal data leaves here" not in page
    WebhookEndpoint.objects.update(tells_personal=True)
    assert "Personal data leaves here" in page_of(keeper, stage.endpoint)


def test_the_list_costs_as_many_statements_for_many_as_for_one(
    stage: Stage, keeper: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        WebhookEndpoint.objects.create(
            brand=stage.brand, name=f"W{number}", url="https://a.example/", events=["A"], owner="Us",
            created_at=stage.clock.now,
        )  # fmt: skip
    with django_assert_max_num_queries(25):
        answer = keeper.get(reverse("admin:channels_webhookendpoint_changelist"))
    assert "W4" in answer.content.decode()


def test_a_test_leads_to_the_page_that_tells_its_outcome(stage: Stage, keeper: Client) -> None:
    stage.system.answer(204, b"")
    page = act(keeper, stage.endpoint, "test").content.decode()
    assert 'http-equiv="refresh"' in page
    stage.clock.on(minutes=1)
    stage.deliver()
    address = reverse("admin:channels_webhookdelivery_change", args=[stage.only().pk])
    page = keeper.get(address).content.decode()
    assert "204" in page
    assert 'http-equiv="refresh"' not in page


def test_a_new_secret_is_shown_once(stage: Stage, keeper: Client) -> None:
    answer = act(keeper, stage.endpoint, "rotate")
    page = answer.content.decode()
    assert answer.redirect_chain == []
    assert "no-store" in answer["Cache-Control"]
    assert stage.secret not in page
    assert secrets.opened(stage.endpoint.pk, bytes(stage.again().secrets))[0].secret not in kept_of(keeper)
    keys = secrets.opened(stage.endpoint.pk, bytes(stage.again().secrets))
    assert keys[0].secret in page
    assert [key.secret for key in keys][1:] == [stage.secret]
    assert AuditEntry.objects.filter(action="webhook_secret").count() == 1


def test_a_fourth_secret_has_to_wait(stage: Stage, keeper: Client) -> None:
    for _time in range(2):
        act(keeper, stage.endpoint, "rotate")
    page = act(keeper, stage.endpoint, "rotate").content.decode()
    assert "Three secrets hold already" in page
    keys = secrets.opened(stage.endpoint.pk, bytes(stage.again().secrets))
    assert (len(keys), keys[-1].secret) == (3, stage.secret)
    assert AuditEntry.objects.filter(action="webhook_secret").count() == 2


def test_a_span_is_told_once_more_as_a_job(stage: Stage, keeper: Client) -> None:
    act(keeper, stage.endpoint, "replay", since="2026-03-01T00:00", until="2026-03-02T00:00", only_failed="1")
    job = Job.objects.get(kind="webhook_replay")
    assert job.arguments["only_failed"] is True
    act(keeper, stage.endpoint, "replay", since="2026-03-02T00:00", until="2026-03-01T00:00")
    act(keeper, stage.endpoint, "replay", since="soon", until="")
    assert Job.objects.filter(kind="webhook_replay").count() == 1


def test_a_removed_one_can_only_be_looked_at(stage: Stage, keeper: Client) -> None:
    act(keeper, stage.endpoint, "remove")
    assert stage.again().off_reason == "removed"
    assert act(keeper, stage.endpoint, "rotate").status_code == 403
    assert bytes(stage.again().secrets) == b""


def test_switched_on_again_it_has_failed_never(stage: Stage, keeper: Client) -> None:
    endpoints.switch_off(stage.endpoint, WebhookEndpoint.Off.FAILING, stage.clock.now)
    WebhookEndpoint.objects.update(failing_since=stage.clock.now, warned_at=stage.clock.now)
    url = reverse("admin:channels_webhookendpoint_change", args=[stage.endpoint.pk])
    changed = filled(stage, name="Warehouse", url=stage.endpoint.url)
    assert keeper.post(url, changed).status_code == 302
    assert (stage.again().is_active, stage.endpoint.off_reason, stage.endpoint.failing_since) == (True, "", None)


def test_a_reply_is_shown_escaped_and_only_to_whom_may_read_personal_data(
    stage: Stage, keeper: Client, masked: Client
) -> None:
    stage.system.answer(500, b"<script>alert(1)</script> of ana@example.com")
    stage.accept(1)
    stage.deliver()
    address = reverse("admin:channels_webhookdelivery_change", args=[stage.only().pk])
    page = keeper.get(address).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; of ana@example.com" in page
    page = masked.get(address).content.decode()
    assert "ana@example.com" not in page
    assert "status" in page


def test_another_brands_webhook_is_not_there(stage: Stage) -> None:
    other = Brand.objects.create(key="other", name="Other")
    stranger = client_of(marketer("stranger", other, "view_brand", "change_brand"))
    for what in ("test", "rotate", "remove", "replay"):
        act(stranger, stage.endpoint, what)
    assert stage.again().off_reason == ""
    assert not WebhookDelivery.objects.exists()
    assert not AuditEntry.objects.filter(action__startswith="webhook").exists()


def test_the_first_page_tells_the_owner(stage: Stage) -> None:
    root = User.objects.create_superuser("root")

    def told() -> set[Kind]:
        return {one.kind for one in attention(root, stage.clock.now) if one.webhook is not None}

    assert told() == set()
    WebhookEndpoint.objects.update(failing_since=stage.clock.now, warned_at=stage.clock.now)
    assert told() == {Kind.WEBHOOK_FAILS}
    WebhookEndpoint.objects.update(failing_since=None)
    assert told() == {Kind.WEBHOOK_FAILS}
    WebhookEndpoint.objects.update(warned_at=stage.clock.now - timedelta(hours=25))
    assert told() == set()
    for why in (WebhookEndpoint.Off.TOKEN, WebhookEndpoint.Off.SECRETS, WebhookEndpoint.Off.FAILING):
        endpoints.switch_off(stage.again(), why, stage.clock.now)
        assert told() == {Kind.WEBHOOK_OFF}
    page = client_of(root).get(reverse("admin:index")).content.decode()
    assert "Data team answers for it" in page


def test_deliveries_that_are_over_are_told_once_more(stage: Stage, keeper: Client) -> None:
    stage.system.answer(200)
    stage.accept(1)
    stage.deliver()
    address = reverse("admin:channels_webhookdelivery_changelist")
    keeper.post(address, {"action": "tell_again", "_selected_action": [str(stage.only().pk)]})
    assert stage.only().replays == 1
    stage.clock.on(minutes=1)
    stage.deliver()
    assert (len(stage.system.received), WebhookAttempt.objects.count()) == (2, 2)


def test_a_page_tells_a_bounded_number_once_more(stage: Stage, keeper: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_deliveries, "MOST_AT_ONCE", 1)
    stage.accept(1, 2)
    WebhookDelivery.objects.update(state="failed", settled_at=stage.clock.now)
    keys = [str(one.pk) for one in stage.deliveries()]
    address = reverse("admin:channels_webhookdelivery_changelist")
    answer = keeper.post(address, {"action": "tell_again", "_selected_action": keys}, follow=True)
    assert "At most 1 at once" in answer.content.decode()
    assert {one.replays for one in stage.deliveries()} == {0}


@pytest.mark.parametrize("page", ["webhookdelivery", "webhookattempt"])
def test_lists_ask_for_no_distinct_reasons_and_sort_by_the_key_alone(stage: Stage, keeper: Client, page: str) -> None:
    stage.system.answer(500)
    stage.accept(1)
    stage.deliver()
    address = reverse(f"admin:channels_{page}_changelist")
    with CaptureQueriesContext(connection) as queries:
        shown = keeper.get(address, {"reason": "status_500", "o": "1"}).content.decode()
    asked = [one["sql"] for one in queries if f"channels_{page}" in one["sql"]]
    assert not [sql for sql in asked if "DISTINCT" in sql]
    [ordered] = {sql.partition("ORDER BY ")[2].partition(" LIMIT")[0] for sql in asked if "ORDER BY" in sql}
    assert ordered == f'"channels_{page}"."id" DESC'
    assert "it answered 500" in shown


@pytest.mark.parametrize("reason", ["timeout", "redirect_not_followed", "gone", "forgotten"])
def test_reasons_have_words(reason: str) -> None:
    assert words(reason) != reason
