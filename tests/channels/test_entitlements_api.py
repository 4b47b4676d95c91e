"""Entitlements at the partner API: granted, used and taken back once, for customers the partner named."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from channels.models import Entitlement, EntitlementEntry, WebhookDelivery
from customers.models import KeptAnswer, Scope
from tests.config.partners import Partners, make_partners
from tests.customers.partner_api import Api, code_of, pointer_of

pytestmark = pytest.mark.django_db
ANA = {"identifier": {"kind": "user_id", "value": "ana"}}


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    made.know(made.shop)
    return made


def grant(api: Api, key: str = "k-1", **more: Any) -> Any:
    return api.post("entitlements", ANA | {"key": "free_shipping", "quantity": 2} | more, **{"Idempotency-Key": key})


def use(api: Api, key: str = "u-1", **more: Any) -> Any:
    return api.post("entitlements/use", ANA | {"key": "free_shipping"} | more, **{"Idempotency-Key": key})


def test_granted_listed_and_used_until_nothing_is_left(partners: Partners) -> None:
    made = grant(partners.shop, reason="a late parcel")
    assert (made.status_code, made.json()["remaining"], made.json()["state"]) == (201, 2, "open")
    taken = use(partners.shop)
    assert taken.json() == {
        "key": "free_shipping", "quantity": 1,
        "used": [{"entitlement": made.json()["id"], "quantity": 1, "remaining": 1}],
    }  # fmt: skip
    listed = partners.shop.get("entitlements", customer=partners.customer(partners.shop)).json()["items"]
    assert [(one["id"], one["remaining"], one["origin"], one["reason"]) for one in listed] == [
        (made.json()["id"], 1, "api", "a late parcel")
    ]
    assert code_of(use(partners.shop, "u-2", quantity=2), 409) == "not_enough"
    assert use(partners.shop, "u-3").status_code == 200
    assert code_of(use(partners.shop, "u-4"), 409) == "not_enough"


def test_the_same_key_does_it_once_even_when_its_answer_was_forgotten(partners: Partners) -> None:
    first, taken = grant(partners.shop), use(partners.shop)
    KeptAnswer.objects.all().delete()
    again, taken_again = grant(partners.shop), use(partners.shop)
    assert (again.status_code, again.json()["id"], taken_again.json()) == (200, first.json()["id"], taken.json())
    assert EntitlementEntry.objects.count() == 2
    KeptAnswer.objects.all().delete()
    assert code_of(grant(partners.shop, quantity=3), 422) == "idempotency_key_reused"
    assert code_of(use(partners.shop, quantity=2), 422) == "idempotency_key_reused"
    assert EntitlementEntry.objects.count() == 2


def test_taken_back_it_is_gone_and_once_only(partners: Partners) -> None:
    path = f"entitlements/{grant(partners.shop).json()['id']}/revoke"
    assert partners.shop.post(path, {"reason": "returned"}).json()["state"] == "revoked"
    assert code_of(partners.shop.post(path, {"reason": "returned"}), 409) == "entitlement_ended"
    assert code_of(use(partners.shop), 409) == "not_enough"


def test_one_whose_time_is_over_is_shown_so_before_the_sweep(partners: Partners) -> None:
    until = (partners.stage.now + timedelta(days=1)).isoformat()
    grant(partners.shop, expires_at=until)
    partners.stage.now += timedelta(days=1)
    customer = partners.customer(partners.shop)
    states = {
        state: [(one["state"], one["remaining"])
                for one in partners.shop.get("entitlements", customer=customer, state=state).json()["items"]]
        for state in ("open", "expired")
    }  # fmt: skip
    assert states == {"open": [], "expired": [("expired", 0)]}


def test_a_balance_is_told_as_of_a_moment(partners: Partners) -> None:
    customer, began = partners.customer(partners.shop), partners.stage.now
    grant(partners.shop)
    partners.stage.now += timedelta(hours=1)
    use(partners.shop, quantity=2)
    now = partners.shop.get("entitlements/balance", customer=customer).json()["items"]
    then = partners.shop.get("entitlements/balance", customer=customer, at=began.isoformat()).json()["items"]
    assert (now, then) == ([], [{"key": "free_shipping", "counted": 2, "is_free": False}])


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (ANA, 422, "missing_field", "/key"),
        ({"key": "free_shipping"}, 422, "missing_identifier", ""),
        (ANA | {"key": "Free Shipping"}, 422, "invalid_key", "/key"),
        (ANA | {"key": "a\x00b"}, 400, "nul_character", "/key"),
        (ANA | {"key": 7}, 422, "wrong_type", "/key"),
        (ANA | {"key": "x" * 61}, 422, "too_long", "/key"),
        (ANA | {"key": "x", "quantity": 0}, 422, "out_of_range", "/quantity"),
        (ANA | {"key": "x", "quantity": -1}, 422, "out_of_range", "/quantity"),
        (ANA | {"key": "x", "quantity": 1.5}, 422, "wrong_type", "/quantity"),
        (ANA | {"key": "x", "quantity": "2"}, 422, "wrong_type", "/quantity"),
        (ANA | {"key": "x", "quantity": 10**12}, 422, "out_of_range", "/quantity"),
        (ANA | {"key": "x", "expires_at": "2020-01-01T00:00:00Z"}, 422, "out_of_range", "/expires_at"),
        (ANA | {"key": "x", "expires_at": "tomorrow"}, 422, "invalid_timestamp", "/expires_at"),
        (ANA | {"key": "x", "expires_at": "2030-01-01T00:00:00"}, 422, "timezone_required", "/expires_at"),
        (ANA | {"key": "x", "reason": "r" * 301}, 422, "too_long", "/reason"),
        (ANA | {"key": "x", "colour": "red"}, 422, "unknown_field", "/colour"),
        ({"identifier": {"kind": "user_id", "value": "nobody"}, "key": "x"}, 404, "unknown_customer", "/identifier"),
        ([], 422, "wrong_type", ""),
        (b"{", 400, "invalid_json", ""),
    ],
)
def test_what_makes_no_sense_is_a_problem_with_its_place(
    partners: Partners, body: Any, status: int, code: str, pointer: str
) -> None:
    answer = partners.shop.post("entitlements", body)
    assert (code_of(answer, status), pointer_of(answer)) == (code, pointer)
    assert Entitlement.objects.count() == 0


def test_another_partner_sees_and_touches_nothing_of_it(partners: Partners) -> None:
    made = grant(partners.shop).json()["id"]
    customer = partners.customer(partners.shop)
    for other in (partners.till, partners.rival):
        assert code_of(other.get("entitlements", customer=customer), 404) == "not_found"
        assert code_of(other.post(f"entitlements/{made}/revoke", {"reason": "x"}), 404) == "not_found"
        assert code_of(use(other), 404) == "unknown_customer"
    assert Entitlement.objects.get().state == "open"


def test_reading_grants_nothing_and_reasons_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_partners(till=(Scope.ENTITLEMENTS_READ.value, Scope.EVENTS_WRITE.value, Scope.CUSTOMERS_READ.value))
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    customer = made.know(made.shop)
    made.know(made.till, granted=False)
    grant(made.shop, reason="a late parcel")
    assert code_of(grant(made.till), 403) == "insufficient_scope"
    [shown] = made.till.get("entitlements", customer=customer).json()["items"]
    assert "parcel" not in shown["reason"]


def test_the_partners_webhook_is_told(partners: Partners) -> None:
    made = partners.shop.post(
        "webhooks", {"name": "Mine", "url": "https://partner.example/hooks", "owner": "Us",
                     "events": ["entitlement.granted", "entitlement.used"]},
    )  # fmt: skip
    assert made.status_code == 201, made.content
    grant(partners.shop)
    use(partners.shop)
    assert list(WebhookDelivery.objects.order_by("received_at", "event_id").values_list("name", flat=True)) == [
        "entitlement.granted", "entitlement.used",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_of_many_tills_at_once_each_gets_one_while_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    made.know(made.shop)
    grant(made.shop, quantity=3)

    def call(n: int) -> int:
        try:
            return int(use(Api(made.shop.token), f"u-{n}").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(16)))
    assert (answers.count(200), answers.count(409)) == (3, 13)
