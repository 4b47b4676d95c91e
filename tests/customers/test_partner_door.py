"""The partner API's gate: who may enter, how often, for what, and how it says no."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test import Client
from django.urls import get_resolver

from customers import tokens
from customers.models import Brand, Event, InboxItem, PartnerToken, QuarantinedEvent, Source
from tests.customers.partner_api import NOW, Api, api, code_of, event, issue, pointer_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)


@pytest.fixture
def partner(source: Source) -> Api:
    return api(source)


def nothing_happened() -> bool:
    return not InboxItem.objects.exists() and not Event.objects.exists() and not QuarantinedEvent.objects.exists()


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Basic dHJpbGhh", "Bearer trilha_live_" + "A" * 43, "trilha_live_x"],
)
def test_no_or_a_wrong_token_is_refused(source: Source, header: str) -> None:
    answer = Client().post("/api/v1/events", event(), "application/json", headers={"Authorization": header})
    assert code_of(answer, 401) == "invalid_token"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert nothing_happened()


def test_expired_revoked_foreign_and_unknown_tokens_get_one_answer(source: Source) -> None:
    revoked, revoked_text = issue(source)
    tokens.revoke(revoked, NOW)
    texts = [
        revoked_text,
        issue(source, expires_at=NOW + timedelta(seconds=1), now=NOW - timedelta(days=1))[1],
        issue(source, mode="test")[1],
        "trilha_live_" + "A" * 43,
    ]
    PartnerToken.objects.filter(name="Shop", expires_at=NOW + timedelta(seconds=1)).update(expires_at=NOW)
    answers = [Api(text).post("events", event()) for text in texts]
    assert {code_of(answer, 401) for answer in answers} == {"invalid_token"}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert nothing_happened()


def test_a_revoked_token_is_refused_with_the_next_call(source: Source) -> None:
    token, plaintext = issue(source)
    assert Api(plaintext).post("events", event()).status_code == 200
    tokens.revoke(token, NOW)
    assert code_of(Api(plaintext).post("events", event(id="m-2")), 401) == "invalid_token"
    assert InboxItem.objects.get().message_id == "m-1"


@pytest.mark.parametrize("name", ["token", "access_token", "API_KEY", "Authorization", "anything"])
def test_a_token_in_the_address_is_refused_even_beside_a_good_one(partner: Api, name: str) -> None:
    value = partner.token if name == "anything" else "x"
    assert code_of(partner.post(f"events?{name}={value}", event()), 401) == "invalid_token"
    assert code_of(Client().get(f"/api/v1/journeys?{name}={partner.token}"), 401) == "invalid_token"
    assert nothing_happened()


SCOPES = {
    "events": "events:write",
    "events/batch": "events:write",
    "segments": "segments:write",
    "segments/x/members": "segments:write",
    "segments/x/rule": "segments:write",
    "cloudevents": "events:write",
    "customers/lookup": "customers:read",
    "consents/grant": "consent:write",
    "consents/withdraw": "consent:write",
    "consents/request": "consent:write",
    "privacy-requests": "privacy:write",
    "journeys/x/entries": "runs:write",
    "journeys/x/simulations": "journeys:simulate",
    "simulations/x/stop": "journeys:simulate",
    "runs": "runs:write",
    "runs/1/exit": "runs:write",
    "webhooks": "webhooks:manage",
    "webhooks/x/secret": "webhooks:manage",
    "webhooks/x/test": "webhooks:manage",
    "webhooks/x/remove": "webhooks:manage",
    "webhooks/x/replay": "webhooks:manage",
    "webhooks/x/deliveries/x/replay": "webhooks:manage",
    "entitlements": "entitlements:write",
    "entitlements/use": "entitlements:write",
    "entitlements/x/revoke": "entitlements:write",
    "products": "products:write",
    "products/x/remove": "products:write",
    "broadcasts/x/start": "broadcasts:send",
    "broadcasts/x/pause": "broadcasts:send",
    "broadcasts/x/resume": "broadcasts:send",
    "broadcasts/x/stop": "broadcasts:send",
    "tasks/x/claim": "tasks:write",
    "tasks/x/release": "tasks:write",
    "tasks/x/complete": "tasks:write",
}
READS = {
    "customers/x": "customers:read",
    "customers/x/timeline": "customers:read",
    "consents": "consent:read",
    "privacy-requests": "privacy:read",
    "privacy-requests/x": "privacy:read",
    "customers/x/segments": "segments:read",
    "segments": "segments:read",
    "segments/x": "segments:read",
    "segments/x/members": "segments:read",
    "event-types": "event-types:read",
    "event-types/x/versions": "event-types:read",
    "journeys": "journeys:read",
    "journeys/x": "journeys:read",
    "journeys/x/simulations": "journeys:simulate",
    "simulations/x": "journeys:simulate",
    "runs": "runs:read",
    "runs/1": "runs:read",
    "refused-entries": "runs:read",
    "messages": "messages:read",
    "messages/x": "messages:read",
    "webhooks": "webhooks:manage",
    "webhooks/x": "webhooks:manage",
    "webhooks/x/deliveries": "webhooks:manage",
    "entitlements": "entitlements:read",
    "entitlements/balance": "entitlements:read",
    "products": "products:read",
    "products/x": "products:read",
    "tasks": "tasks:read",
    "broadcasts": "broadcasts:read",
    "broadcasts/x": "broadcasts:read",
}


def test_every_route_is_looked_at_here() -> None:
    patterns = get_resolver("config.api.urls").reverse_dict.getlist
    routes = {name for name in get_resolver("config.api.urls").reverse_dict if isinstance(name, str)}
    assert patterns is not None
    assert routes - {"api-openapi", "api-docs", "api-nothing"} == {
        "api-cloudevents", "api-event", "api-events", "api-consent-request",
        "api-privacy-request", "api-privacy-requests",
        "api-event-types", "api-schema-versions", "api-customer", "api-customer-lookup",
        "api-timeline", "api-consents", "api-customer-segments", "api-segments", "api-segment", "api-segment-members",
        "api-segment-rule",
        "api-consent-grant", "api-consent-withdraw", "api-journeys", "api-journey", "api-journey-entries",
        "api-simulations",
        "api-simulation", "api-simulation-stop", "api-runs", "api-run",
        "api-run-exit", "api-refused-entries", "api-messages", "api-message",
        "api-webhooks", "api-webhook", "api-webhook-secret", "api-webhook-test", "api-webhook-remove",
        "api-webhook-replay", "api-webhook-deliveries", "api-webhook-delivery-replay",
        "api-entitlements", "api-entitlement-balances", "api-entitlement-use", "api-entitlement-revoke",
        "api-products", "api-product", "api-product-remove",
        "api-broadcasts", "api-broadcast", "api-broadcast-start", "api-broadcast-pause", "api-broadcast-resume",
        "api-broadcast-stop",
        "api-tasks", "api-task-claim", "api-task-release", "api-task-complete",
    }  # fmt: skip


@pytest.mark.parametrize(("path", "scope"), SCOPES.items(), ids=list(SCOPES))
def test_a_token_without_the_scope_writes_nothing(source: Source, path: str, scope: str) -> None:
    others = [one for one in tokens_scopes() if one != scope]
    answer = api(source, scopes=others).post(path, event())
    assert code_of(answer, 403) == "insufficient_scope"
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert nothing_happened()


@pytest.mark.parametrize(("path", "scope"), READS.items(), ids=list(READS))
def test_a_token_without_the_scope_reads_nothing(source: Source, path: str, scope: str) -> None:
    others = [one for one in tokens_scopes() if one != scope]
    assert code_of(api(source, scopes=others).get(path), 403) == "insufficient_scope"


def tokens_scopes() -> list[str]:
    from customers.models import Scope

    return list(Scope.values)


def test_a_token_writes_for_its_own_sources_only(source: Source, caplog: pytest.LogCaptureFixture) -> None:
    other = Source.objects.create(brand=source.brand, key="till", name="Till")
    api(other)
    partner = api(source)
    unknown = partner.post("events?source=nowhere", event())
    foreign = partner.post("events?source=till", event())
    assert code_of(foreign, 404) == code_of(unknown, 404) == "unknown_source"
    assert foreign.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}
    assert "a source that is not its own" in caplog.text
    assert nothing_happened()


def test_a_token_with_several_sources_says_which(source: Source) -> None:
    other = Source.objects.create(brand=source.brand, key="till", name="Till")
    partner = api(source, other)
    assert code_of(partner.post("events", event()), 400) == "missing_filter"
    assert partner.post("events?source=till", event()).status_code == 200
    assert InboxItem.objects.get().source_id == other.pk


@pytest.mark.parametrize(
    "query",
    [
        "_connector=OR 1=1", "squad__token__startswith=a", "ordering=password", "ordering=brand__name", "pk__in=1",
        "limit=0", "limit=101", "limit=1e9", "limit=-1", "cursor=x", "status=live'--", "key=%00", "x%00=1",
        "status=live&status=paused", "customer__isnull=1",
    ],
)  # fmt: skip
def test_what_a_list_does_not_know_is_refused(partner: Api, query: str) -> None:
    answer = partner.client.get(f"/api/v1/journeys?{query}", headers=partner._headers({}))
    assert code_of(answer, 400) in {"unknown_filter", "invalid_filter", "invalid_cursor"}


def test_a_field_nobody_knows_is_refused_with_its_place(partner: Api) -> None:
    for extra in ("is_staff", "squad", "consent_granted_at", "profile_id", "received_at", "brand"):
        answer = partner.post("events", event(**{extra: True}))
        assert (code_of(answer, 422), pointer_of(answer)) == ("unknown_field", f"/{extra}")
    body = {"identifier": {"kind": "email", "value": "a@example.com", "id": 1}, "purpose": "news"}
    answer = partner.post("consents/grant", body)
    assert (code_of(answer, 422), pointer_of(answer)) == ("unknown_field", "/identifier/id")
    answer = partner.post("consents/grant", body | {"consent_granted_at": 1})
    assert (code_of(answer, 422), pointer_of(answer)) == ("unknown_field", "/consent_granted_at")
    assert not InboxItem.objects.exists()


@pytest.mark.parametrize("key", ["a\u0001b", 'a"b', "a; drop", "1a", "x" * 65, "", "a b", "ä", "__class__"])
def test_a_property_has_a_name_that_can_be_written(partner: Api, key: str) -> None:
    for properties in ({key: 1}, {"outer": {"inner": [{key: 1}]}}):
        answer = partner.post("events", event(properties=properties))
        assert code_of(answer, 422) == "invalid_name"
    assert not InboxItem.objects.exists()


def test_of_many_calls_at_once_exactly_as_many_pass_as_are_allowed(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand = Brand.objects.create(key="acme", name="Acme")
    text = issue(Source.objects.create(brand=brand, key="shop", name="Shop"), per_minute=10)[1]

    def call(n: int) -> Any:
        try:
            # Another address with every call: the limit is the token's.
            return Client(REMOTE_ADDR=f"10.0.0.{n}").get(
                "/api/v1/journeys", headers={"Authorization": f"Bearer {text}", "X-Forwarded-For": f"192.0.2.{n}"}
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(call, range(60)))
    passed = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(passed), len(refused)) == (10, 50)
    assert {code_of(answer, 429) for answer in refused} == {"rate_limited"}
    assert {answer.headers["Retry-After"] for answer in refused} == {"60"}
    assert sorted(answer.headers["RateLimit"] for answer in passed)[0] == '"token";r=0;t=60'


def test_there_are_calls_again_after_a_minute(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    partner = api(source, per_minute=1)
    assert partner.get("journeys").status_code == 200
    assert code_of(partner.get("journeys"), 429) == "rate_limited"
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW + timedelta(minutes=1))
    assert partner.get("journeys").status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace", "get"])
def test_other_methods_are_refused_with_those_that_are_there(partner: Api, method: str) -> None:
    answer = getattr(partner.client, method)("/api/v1/events", headers=partner._headers({}))
    assert (code_of(answer, 405), answer.headers["Allow"]) == ("method_not_allowed", "POST")


def test_a_method_cannot_be_overridden(partner: Api) -> None:
    answer = partner.post("journeys", {}, **{"X-HTTP-Method-Override": "GET"})
    assert (code_of(answer, 405), answer.headers["Allow"]) == ("method_not_allowed", "GET, HEAD")


@pytest.mark.parametrize("path", ["", "v1", "v1/", "v2/events", "v1/events/", "v1/customers/a/b/c", "v1/admin"])
def test_a_wrong_address_is_a_problem_too(partner: Api, path: str) -> None:
    assert code_of(partner.client.get(f"/api/{path}", headers=partner._headers({})), 404) == "not_found"


def test_trouble_of_ours_tells_nothing_but_that_there_is(partner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise ValueError("secret row content")

    monkeypatch.setattr("customers.api.events.accept", fail)
    answer = partner.post("events", event())
    assert code_of(answer, 500) == "internal_error"
    assert "secret" not in answer.content.decode()


def test_a_database_that_is_away_is_worth_another_try(partner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("could not connect to 10.1.2.3")

    monkeypatch.setattr("customers.api.events.accept", fail)
    answer = partner.post("events", event())
    assert (code_of(answer, 503), answer.headers["Retry-After"]) == ("not_ready", "1")
    assert "10.1.2.3" not in answer.content.decode()


def test_answers_are_kept_by_nobody_on_the_way(partner: Api) -> None:
    answer = partner.get("journeys")
    assert (answer.headers["Cache-Control"], answer.headers["Content-Type"]) == ("no-store", "application/json")
