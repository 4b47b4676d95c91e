"""Outgoing webhooks at the partner API: a token's own, told no more than the token may read."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from channels.models import WebhookDelivery, WebhookEndpoint
from channels.webhooks import deliver
from channels.webhooks.claim import due_endpoints
from channels.webhooks.endpoints import switch_off
from channels.webhooks.off import end_with_tokens
from customers import internal, tokens
from customers.models import AuditEntry, AwaitedName, Job, KeptAnswer, PartnerToken, Profile, ProfileSource, Source
from customers.pg import raw_cursor
from tests.config.partners import Partners, make_partners
from tests.customers.partner_api import EVERY_SCOPE, Api, code_of, event, pointer_of

pytestmark = pytest.mark.django_db
URL = "https://partner.example/hooks"


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    return made


def asked(**more: Any) -> dict[str, Any]:
    return {"name": "Mine", "url": URL, "events": ["Order Placed"], "owner": "Us"} | more


def made(api: Api, **more: Any) -> dict[str, Any]:
    answer = api.post("webhooks", asked(**more))
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = answer.json()
    return told


def send(partners: Partners, api: Api, user: str = "ana", name: str = "Order Placed") -> None:
    answer = api.post(
        "events",
        event(
            id=f"{user}-{name}-{id(api)}",
            name=name,
            identifiers={"user_id": user},
            occurred_at=partners.stage.now.isoformat(),
        ),
    )
    assert answer.status_code == 200, answer.content
    partners.stage.run()


def heard() -> list[str]:
    return sorted(WebhookDelivery.objects.values_list("endpoint__name", flat=True))


def test_the_secret_is_told_once_and_kept_nowhere_in_the_clear(partners: Partners) -> None:
    first = partners.shop.post("webhooks", asked(), **{"Idempotency-Key": "k-1"})
    again = partners.shop.post("webhooks", asked(), **{"Idempotency-Key": "k-1"})
    secret = first.json()["secret"]
    assert secret.startswith("whsec_")
    assert (first.status_code, again.status_code, again.json()["secret"]) == (201, 201, None)
    assert again.json()["id"] == first.json()["id"]
    shown = partners.shop.get(f"webhooks/{first.json()['id']}").content
    kept = b"".join(bytes(one) for one in KeptAnswer.objects.values_list("body", flat=True))
    sealed = bytes(WebhookEndpoint.objects.get().secrets)
    trail = orjson.dumps([[one.before, one.after] for one in AuditEntry.objects.all()])
    assert not any(secret.removeprefix("whsec_").encode() in one for one in (shown, kept, sealed, trail))


def test_it_is_told_of_its_own_sources_events_and_of_nobody_elses(partners: Partners) -> None:
    made(partners.shop)
    send(partners, partners.till)
    assert heard() == []
    send(partners, partners.shop)
    assert heard() == ["Mine"]


def test_of_what_happens_here_it_is_told_what_concerns_those_it_named(partners: Partners) -> None:
    partners.know(partners.shop, "ana")
    partners.know(partners.till, "bia")
    made(partners.shop, events=["segment.entered"])
    with raw_cursor() as cursor:
        happened = [
            internal.Internal("segment.entered", profile, str(profile), {}, brand_id=partners.stage.brand.pk)
            for profile in Profile.objects.values_list("pk", flat=True)
        ]
        internal.tell(cursor, happened, frozenset({"segment.entered"}), partners.stage.now)
    told = list(WebhookDelivery.objects.values_list("profile_id", flat=True))
    named = ProfileSource.objects.filter(profile_id__in=told).values_list("source__key", flat=True)
    assert (len(told), set(named)) == (len(named), {"shop"})


def test_of_a_customer_it_is_told_by_whichever_profile_something_happens(partners: Partners) -> None:
    partners.know(partners.shop, "ana")
    partners.know(partners.till, "bia")
    named, other = Profile.objects.get(identifier__value="ana"), Profile.objects.get(identifier__value="bia")
    other.customer_id = named.customer_id
    other.save()
    made(partners.shop, events=["segment.entered"])
    with raw_cursor() as cursor:
        happened = internal.Internal("segment.entered", other.pk, "x", {}, brand_id=partners.stage.brand.pk)
        internal.tell(cursor, [happened], frozenset({"segment.entered"}), partners.stage.now)
    assert WebhookDelivery.objects.get().profile_id == other.pk


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("Order Placed", "customers:read"),
        ("segment.entered", "segments:read"),
        ("customer.merged", "customers:read"),
    ],
)
def test_names_take_the_scope_that_reads_them(name: str, scope: str) -> None:
    partners = make_partners(shop=tuple(one for one in EVERY_SCOPE if one != scope))
    answer = partners.shop.post("webhooks", asked(events=["Order Placed", name] if "Placed" not in name else [name]))
    assert code_of(answer, 422) == "name_not_allowed"
    assert scope in answer.content.decode()


def test_changes_of_traits_are_told_to_no_partner(partners: Partners) -> None:
    assert code_of(partners.shop.post("webhooks", asked(events=["trait.changed"])), 422) == "name_not_allowed"


def test_personal_data_takes_the_scope_for_it() -> None:
    partners = make_partners(shop=tuple(one for one in EVERY_SCOPE if one != "customers:personal"))
    answer = partners.shop.post("webhooks", asked(tells_personal=True))
    assert (code_of(answer, 422), pointer_of(answer)) == ("name_not_allowed", "/tells_personal")
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example/", "https://localhost/", "https://127.0.0.1/", "https://127.1/", "https://0x7f000001/",
        "https://2130706433/", "https://[::ffff:127.0.0.1]/", "https://0.0.0.0/", "https://169.254.169.254/",
        "https://[fd00::1]/", "https://100.64.0.1/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
        "https://metadata.google.internal/", "https://printer.local/", "https://intranet/", "https://a.example:22/",
        "https://a.example:6379/", "file:///etc/passwd", "gopher://a.example/", "https://me@a.example/",
        "https://a.example/\\evil", "https://a.example/ b", "nothing",
    ],
)  # fmt: skip
def test_where_nobody_may_be_called_no_webhook_is_made(partners: Partners, url: str) -> None:
    answer = partners.shop.post("webhooks", asked(url=url))
    assert (code_of(answer, 422), pointer_of(answer)) == ("destination_not_allowed", "/url")
    assert not WebhookEndpoint.objects.exists()


def test_a_webhook_is_its_tokens_alone(partners: Partners) -> None:
    webhook = made(partners.shop)["id"]
    for other in (partners.till, partners.rival):
        assert other.get("webhooks").json()["items"] == []
        for path in (f"webhooks/{webhook}", f"webhooks/{webhook}/deliveries"):
            assert code_of(other.get(path), 404) == "not_found"
        for path in ("secret", "test", "remove"):
            assert code_of(other.post(f"webhooks/{webhook}/{path}", {}), 404) == "not_found"


def test_webhooks_go_with_the_token_that_replaces_theirs(partners: Partners) -> None:
    webhook = made(partners.shop)["id"]
    successor, plaintext = tokens.rotate(partners.tokens["shop"], timedelta(days=7), partners.stage.now)
    assert [one["id"] for one in Api(plaintext).get("webhooks").json()["items"]] == [webhook]
    send(partners, Api(plaintext))
    assert WebhookEndpoint.objects.get().token_id == successor.pk
    assert len(due_endpoints(partners.stage.now)) == 1


def test_a_token_that_was_revoked_is_told_nothing_any_more(partners: Partners) -> None:
    made(partners.shop)
    send(partners, partners.shop)
    now = partners.stage.now
    assert len(due_endpoints(now)) == 1
    tokens.revoke(PartnerToken.objects.get(name="shop"), now)
    assert due_endpoints(now) == []


def test_for_a_token_that_is_not_good_nothing_is_queued(partners: Partners, settings: Any) -> None:
    made(partners.shop)
    token, now, names = partners.tokens["shop"], partners.stage.now, iter("abcdefghijklmnop")
    token.sources.add(Source.objects.get(key="till"))

    def queued() -> int:
        """By the till, whose token is good, and whose events are the shop's as well."""
        WebhookDelivery.objects.all().delete()
        send(partners, partners.till, next(names))
        return WebhookDelivery.objects.count()

    assert queued() == 1
    assert len(due_endpoints(now)) == 1
    bads: list[dict[str, Any]]
    bads = [{"expires_at": now - timedelta(seconds=1)}, {"revoked_at": now}, {"mode": "test"}, {"scopes": []}]
    for bad in bads:
        good = {name: getattr(token, name) for name in bad}
        PartnerToken.objects.filter(pk=token.pk).update(**bad)
        assert due_endpoints(now) == []
        assert queued() == 0
        PartnerToken.objects.filter(pk=token.pk).update(**good)
        assert queued() == 1
        assert len(due_endpoints(now)) == 1
    assert queued() == 1
    token.sources.set(Source.objects.filter(key="shop"))
    assert queued() == 0
    token.sources.add(Source.objects.get(key="till"))
    assert queued() == 1
    Source.objects.filter(key__in=("shop", "till")).update(is_active=False)
    assert due_endpoints(now) == []


def test_webhooks_of_a_token_that_has_ended_are_switched_off_with_a_reason(partners: Partners) -> None:
    made(partners.shop)
    now = partners.stage.now
    assert end_with_tokens(now) == 0
    PartnerToken.objects.filter(name="shop").update(expires_at=now)
    assert end_with_tokens(now) == 1
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.is_active, endpoint.off_reason, endpoint.off_at) == (False, "token", now)
    assert AuditEntry.objects.get(action="webhook_off").after == {"off_reason": "token"}


def test_whoever_delivers_looks_at_tokens(partners: Partners, monkeypatch: pytest.MonkeyPatch) -> None:
    made(partners.shop)
    PartnerToken.objects.filter(name="shop").update(revoked_at=partners.stage.now)
    monkeypatch.setattr(deliver, "_looked_at_tokens", -1e9)
    deliver.deliver_due(lambda: partners.stage.now, seconds=1)
    assert WebhookEndpoint.objects.get().off_reason == "token"


def test_a_fourth_secret_is_refused_while_three_hold(partners: Partners) -> None:
    webhook = made(partners.shop)["id"]
    for _time in range(2):
        assert partners.shop.post(f"webhooks/{webhook}/secret", {"overlap_hours": 48}).status_code == 200
    assert code_of(partners.shop.post(f"webhooks/{webhook}/secret", {}), 409) == "too_many_secrets"
    assert partners.shop.post(f"webhooks/{webhook}/secret", {"overlap_hours": 0}).status_code == 200


def test_deliveries_are_listed_and_told_once_more(partners: Partners) -> None:
    webhook = made(partners.shop)["id"]
    send(partners, partners.shop)
    [delivery] = partners.shop.get(f"webhooks/{webhook}/deliveries").json()["items"]
    assert (delivery["state"], delivery["name"], delivery["attempts"]) == ("waiting", "Order Placed", 0)
    WebhookDelivery.objects.update(state="failed", settled_at=partners.stage.now, tries=10)
    assert partners.shop.get(f"webhooks/{webhook}/deliveries", state="waiting").json()["items"] == []
    answer = partners.shop.post(f"webhooks/{webhook}/deliveries/{delivery['id']}/replay", {})
    assert (answer.status_code, answer.json()["state"], answer.json()["tries"]) == (202, "waiting", 0)


def test_a_span_is_asked_for_as_a_job(partners: Partners) -> None:
    webhook = made(partners.shop)["id"]
    span = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
    answer = partners.shop.post(f"webhooks/{webhook}/replay", span)
    assert (answer.status_code, answer.json()["job"]) == (202, str(Job.objects.get(kind="webhook_replay").pk))
    turned = {"since": span["until"], "until": span["since"]}
    assert code_of(partners.shop.post(f"webhooks/{webhook}/replay", turned), 422) == "out_of_range"
    switch_off(WebhookEndpoint.objects.get(), WebhookEndpoint.Off.FAILING, partners.stage.now)
    assert code_of(partners.shop.post(f"webhooks/{webhook}/replay", span), 422) == "webhook_off"


def test_a_removed_one_is_gone_and_asking_twice_is_as_good(partners: Partners) -> None:
    webhook = made(partners.shop)["id"]
    for _time in range(2):
        answer = partners.shop.post(f"webhooks/{webhook}/remove", {})
        assert (answer.status_code, answer.json()["off_reason"]) == (200, "removed")
    assert code_of(partners.shop.get(f"webhooks/{webhook}"), 404) == "not_found"
    assert not AwaitedName.objects.filter(waiter__startswith="subscriber:").exists()


def test_a_test_is_queued(partners: Partners) -> None:
    webhook = made(partners.shop)["id"]
    assert partners.shop.post(f"webhooks/{webhook}/test", {}).status_code == 202
    [delivery] = partners.shop.get(f"webhooks/{webhook}/deliveries").json()["items"]
    assert (delivery["name"], delivery["event"]) == ("trilha.test", None)
