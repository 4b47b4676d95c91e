"""The door at which browsers tell their push subscriptions: what is kept of them, and what is refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from pytest_django import Settings

from channels.models import Connector, PushSubscription
from channels.push import subscriptions
from channels.push.points import written
from consent.models import ConsentEntry, ConsentHead, Purpose
from consent.permission import Ask, Want, choose_addresses, permissions
from consent.stage import apply_queued
from customers import clock, keys
from customers.models import Address, AddressProfile, Customer, Event, InboxItem, QuarantinedEvent, Source, WriteKey
from customers.models.identity import Assurance
from customers.resolve import resolve_inbox
from tests.channels.providers.push_server import Subscribed
from tests.channels.push import give_keys
from tests.consent import people
from tests.customers.segment_door import Door

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example"
ENDPOINT = "https://fcm.googleapis.com/fcm/send/cJ8x:APA91b"
# That of every browser that `Subscribed` makes.
AUTH = written(Subscribed("").auth)
OTHER = "https://updates.push.services.mozilla.com/wpush/v2/gAAAA"


@dataclass
class Page:
    key: WriteKey
    connector: Connector
    purpose: Purpose
    made: list[str] = field(default_factory=list)

    def body(self, **fields: Any) -> dict[str, Any]:
        told = {"writeKey": self.key.public, "publicKey": self.connector.config["public_key"]}
        return {name: value for name, value in (told | fields).items() if value is not None}

    def message(self, **fields: Any) -> dict[str, Any]:
        self.made.append(f"m-{len(self.made)}")
        return {"messageId": self.made[-1], "timestamp": clock.utcnow().isoformat(), "anonymousId": "a-1", **fields}

    def post(self, origin: str | None = SHOP, **fields: Any) -> Any:
        return self.send(orjson.dumps(self.body(**fields)), origin)

    def send(self, body: bytes, origin: str | None = SHOP, **more: Any) -> Any:
        headers = {} if origin is None else {"Origin": origin}
        content_type = more.pop("content_type", "text/plain")
        return Client().generic("POST", "/v1/push", body, content_type=content_type, headers=headers, **more)

    def subscribe(self, browser: Subscribed, **fields: Any) -> Any:
        return self.post(subscription=browser.as_json(), message=self.message(), **fields)

    def agreed(self, **fields: Any) -> dict[str, Any]:
        return {"purpose": self.purpose.key, "notice": "push", "notice_version": 1, "text": "Yes, push.", **fields}


@pytest.fixture
def page(source: Source) -> Page:
    connector = Connector.objects.create(
        brand=source.brand, key="web-push", name="Web Push", channel="push", provider="webpush"
    )
    give_keys(connector)
    people.make_notice(source.brand, "push")
    keys.forget()
    return Page(keys.issue_browser(source, [SHOP]), connector, people.make_purpose(source.brand, "offers"))


@pytest.fixture
def source(db: None) -> Source:
    return people.make_source(people.make_brand())


def work() -> None:
    resolve_inbox(clock.utcnow())
    while apply_queued(clock.utcnow()):
        pass


def kept() -> list[tuple[str, str]]:
    return list(PushSubscription.objects.order_by("created_at").values_list("address__value", "connector__key"))


def test_a_subscription_is_kept_for_the_visitor_with_its_keys_sealed(page: Page) -> None:
    browser = Subscribed(ENDPOINT)
    answer = page.subscribe(browser)

    assert (answer.status_code, answer.json()) == (200, {"success": True, "endpoint": ENDPOINT})
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert kept() == [(ENDPOINT, "web-push")]
    row = PushSubscription.objects.get()
    assert browser.auth not in bytes(row.keys)
    opened = subscriptions.opened([row.pk], page.connector.pk, page.connector.config["public_key"])
    assert (opened[row.pk].p256dh, opened[row.pk].auth) == (browser.p256dh, browser.auth)
    work()
    told = AddressProfile.objects.values_list("address__channel", "address__value", "assurance")
    assert list(told) == [("push", ENDPOINT, Assurance.CLAIMED)]
    event = Event.objects.get()
    assert (event.name, event.profile_id) == ("push.subscribed", AddressProfile.objects.get().profile_id)
    assert QuarantinedEvent.objects.count() == 0


def test_told_again_it_is_the_same_and_counts_once(page: Page) -> None:
    browser = Subscribed(ENDPOINT.replace("fcm.", "FCM.", 1))
    message = page.message()
    for _time in range(2):
        assert page.post(subscription=browser.as_json(), message=message).status_code == 200
    assert kept() == [(ENDPOINT, "web-push")]
    assert InboxItem.objects.count() == 1
    first = PushSubscription.objects.get()
    assert first.told_at > first.created_at


def test_consent_with_its_notice_is_in_force_at_that_address_alone(page: Page) -> None:
    page.subscribe(Subscribed(ENDPOINT), consent=page.agreed(language="en", url="https://shop.example/"))
    work()

    entry = ConsentEntry.objects.get()
    address = Address.objects.get(channel="push")
    assert (entry.address_id, entry.state, entry.method) == (address.pk, "given", "claim")
    assert entry.notice_version is not None
    assert entry.notice_version.number == 1
    owner = AddressProfile.objects.get(address=address).profile
    asks = [
        Ask(owner.customer_id, address.pk, page.purpose.pk),
        Ask(owner.customer_id, people.make_address("ana@example.com").pk, page.purpose.pk),
    ]
    assert [one.allowed for one in permissions(asks, clock.utcnow())] == [True, False]


@pytest.mark.parametrize("more", [{"channel": "email"}, {"address": "ana@example.com"}])
def test_consent_at_this_door_is_for_the_browser_alone(page: Page, more: dict[str, str]) -> None:
    answer = page.subscribe(Subscribed(ENDPOINT), consent=page.agreed(**more))
    [name] = more
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field")
    assert answer.json()["errors"][0]["pointer"] == f"/consent/{name}"
    assert (InboxItem.objects.count(), kept()) == (0, [])


def test_who_unsubscribes_is_not_written_to_any_more(page: Page) -> None:
    browser = Subscribed(ENDPOINT)
    page.subscribe(browser, consent=page.agreed())
    work()

    answer = page.post(ended=ENDPOINT, auth=AUTH, message=page.message(), consent={"purpose": "offers"})
    work()

    assert answer.status_code == 200
    assert kept() == []
    assert list(Event.objects.order_by("id").values_list("name", flat=True)) == [
        "push.subscribed",
        "consent.granted",
        "push.unsubscribed",
        "consent.withdrawn",
    ]
    assert ConsentHead.objects.get().state == "withdrawn"
    assert page.post(ended=ENDPOINT, auth=AUTH).status_code == 200


@pytest.mark.parametrize("auth", [None, "", "x", "AAAA", "B" * 22, AUTH[:-1], "ä", "C" * 40])
def test_who_knows_the_endpoint_alone_moves_and_ends_nothing(page: Page, auth: str | None) -> None:
    page.subscribe(Subscribed(ENDPOINT), consent=page.agreed())
    work()

    moved = page.post(subscription=Subscribed(OTHER).as_json(), replaces=ENDPOINT, auth=auth)
    ended = page.post(ended=ENDPOINT, auth=auth)

    # An empty text is none, at any field of this door.
    assert (moved.status_code, ended.status_code) == ((200, 200) if auth != "" else (400, 400))
    assert (ENDPOINT, "web-push") in kept()
    assert ConsentHead.objects.get().address.value == ENDPOINT


def test_a_secret_that_is_no_text_is_refused(page: Page) -> None:
    page.subscribe(Subscribed(ENDPOINT))
    for auth, code in ((5, "wrong_type"), ("A" * 41, "too_long"), ([], "wrong_type")):
        answer = page.post(ended=ENDPOINT, auth=auth)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert kept() == [(ENDPOINT, "web-push")]


def test_a_browser_that_changes_its_endpoint_stays_who_it_was(page: Page) -> None:
    page.subscribe(Subscribed(ENDPOINT), consent=page.agreed())
    work()
    before = Address.objects.get(channel="push")
    fresh = Subscribed(OTHER)

    answer = page.post(subscription=fresh.as_json(), replaces=ENDPOINT, auth=AUTH)

    assert answer.status_code == 200
    assert kept() == [(OTHER, "web-push")]
    assert Address.objects.get(channel="push").pk == before.pk
    assert ConsentHead.objects.get().address_id == before.pk
    assert InboxItem.objects.count() == 0
    opened = subscriptions.opened([before.pk], page.connector.pk, page.connector.config["public_key"])
    assert opened[before.pk].p256dh == fresh.p256dh


def test_a_no_is_not_left_behind_with_an_endpoint(page: Page) -> None:
    page.subscribe(Subscribed(ENDPOINT), consent=page.agreed())
    work()
    address = Address.objects.get(channel="push")
    profile = AddressProfile.objects.get(address=address).profile
    people.tell(address, profile, page.purpose, "withdrawn", clock.utcnow())

    page.post(subscription=Subscribed(OTHER).as_json(), replaces=ENDPOINT, auth=AUTH)

    ask = Ask(profile.customer_id, Address.objects.get(value=OTHER).pk, page.purpose.pk)
    assert [one.reason for one in permissions([ask], clock.utcnow())] == ["withdrawn"]


def test_an_endpoint_that_nobody_knows_moves_nobody(page: Page) -> None:
    page.subscribe(Subscribed(ENDPOINT))
    assert page.post(subscription=Subscribed(OTHER).as_json(), replaces=OTHER + "x", auth=AUTH).status_code == 200
    assert kept() == [(ENDPOINT, "web-push"), (OTHER, "web-push")]


def test_a_connector_of_another_brand_moves_and_forgets_nothing(page: Page) -> None:
    page.subscribe(Subscribed(ENDPOINT))
    source = people.make_source(people.make_brand("zenith"))
    other = Connector.objects.create(brand=source.brand, key="p", name="P", channel="push", provider="webpush")
    give_keys(other)
    theirs = Page(keys.issue_browser(source, [SHOP]), other, people.make_purpose(source.brand, "offers"))

    moved = theirs.post(subscription=Subscribed(OTHER).as_json(), replaces=ENDPOINT, auth=AUTH)
    ended = theirs.post(ended=ENDPOINT, auth=AUTH)

    assert (moved.status_code, ended.status_code) == (200, 200)
    assert kept() == [(ENDPOINT, "web-push"), (OTHER, "p")]


def test_a_key_of_another_brand_speaks_for_no_connector_of_ours(page: Page) -> None:
    source = people.make_source(people.make_brand("zenith"))
    theirs = Page(keys.issue_browser(source, [SHOP]), page.connector, page.purpose)
    answer = theirs.subscribe(Subscribed(ENDPOINT))
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_public_key")
    assert (kept(), InboxItem.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        (b"1" * 30, "number_out_of_range"),
        (b"-" + b"9" * 16, "number_out_of_range"),
        (b"0." + b"1" * 30, "number_out_of_range"),
        (b"1e999", "number_not_finite"),
        (b'"\\u0000"', "nul_character"),
        (b'"\\ud800"', "invalid_unicode"),
        (b"[" * 40 + b"]" * 40, "json_too_deep"),
    ],
)
def test_what_no_door_takes_is_refused_by_name(page: Page, odd: bytes, code: str) -> None:
    told = page.body(subscription=Subscribed(ENDPOINT).as_json(), message=page.message(context={"x": "ODD"}))
    answer = page.send(orjson.dumps(told).replace(b'"ODD"', odd))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (kept(), InboxItem.objects.count()) == ([], 0)


def wrong(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    told = Subscribed(ENDPOINT).as_json()
    change(told)
    return told


@pytest.mark.parametrize(
    ("subscription", "code", "where"),
    [
        (None, "missing_field", "/subscription"),
        ("x", "wrong_type", "/subscription"),
        ({}, "missing_field", "/subscription/endpoint"),
        (wrong(lambda one: one.update(endpoint=5)), "wrong_type", "/subscription/endpoint"),
        (wrong(lambda one: one.update(endpoint="")), "missing_field", "/subscription/endpoint"),
        (wrong(lambda one: one.update(endpoint=ENDPOINT + "a" * 1_000)), "too_long", "/subscription/endpoint"),
        (
            wrong(lambda one: one.update(endpoint="http://fcm.googleapis.com/1")),
            "invalid_endpoint",
            "/subscription/endpoint",
        ),
        (
            wrong(lambda one: one.update(endpoint="https://127.0.0.1/1")),
            "unknown_push_service",
            "/subscription/endpoint",
        ),
        (
            wrong(lambda one: one.update(endpoint="https://push.evil.example/1")),
            "unknown_push_service",
            "/subscription/endpoint",
        ),
        (wrong(lambda one: one.pop("keys")), "missing_field", "/subscription/keys"),
        (wrong(lambda one: one["keys"].pop("auth")), "missing_field", "/subscription/keys/auth"),
        (wrong(lambda one: one["keys"].update(auth="AAAA")), "invalid_push_key", "/subscription/keys/auth"),
        (wrong(lambda one: one["keys"].update(p256dh="AAAA")), "invalid_push_key", "/subscription/keys/p256dh"),
        (
            wrong(lambda one: one["keys"].update(p256dh="BA" + "A" * 85)),
            "invalid_push_key",
            "/subscription/keys/p256dh",
        ),
        (wrong(lambda one: one["keys"].update(p256dh="A" * 200)), "too_long", "/subscription/keys/p256dh"),
        (wrong(lambda one: one["keys"].update(more="x")), "unknown_field", "/subscription/keys/more"),
        (wrong(lambda one: one.update(more=1)), "unknown_field", "/subscription/more"),
        (wrong(lambda one: one.update(expirationTime="soon")), "wrong_type", "/subscription/expirationTime"),
        (wrong(lambda one: one.update(expirationTime=-1)), "out_of_range", "/subscription/expirationTime"),
        (wrong(lambda one: one.update(expirationTime=10**15 - 1)), "out_of_range", "/subscription/expirationTime"),
    ],
)
def test_what_is_no_subscription_is_refused_by_name_and_leaves_nothing(
    page: Page, subscription: Any, code: str, where: str
) -> None:
    answer = page.post(subscription=subscription, message=page.message())
    told = answer.json()
    assert (answer.status_code, told["code"], told["errors"][0]["pointer"]) == (400, code, where)
    assert (PushSubscription.objects.count(), InboxItem.objects.count(), Address.objects.count()) == (0, 0, 0)
    assert QuarantinedEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"publicKey": "B"}, "unknown_public_key"),
        ({"writeKey": "pub_live_x"}, "invalid_token"),
        ({"more": 1}, "unknown_field"),
        ({"ended": ENDPOINT}, "unknown_field"),
        ({"message": {"anonymousId": "a-1"}}, "missing_field"),
        ({"message": {"messageId": "m-1"}}, "missing_identifier"),
        ({"consent": {"notice": "push"}}, "missing_field"),
        ({"replaces": "x"}, "invalid_endpoint"),
    ],
)
def test_what_is_wrong_besides_is_refused_as_well(page: Page, fields: dict[str, Any], code: str) -> None:
    answer = page.post(**{"subscription": Subscribed(ENDPOINT).as_json(), "message": page.message()} | fields)
    assert answer.status_code in (400, 401)
    assert answer.json()["code"] == code
    assert (PushSubscription.objects.count(), InboxItem.objects.count()) == (0, 0)


@pytest.mark.parametrize("origin", ["https://other.example", "null", None])
def test_pages_of_the_key_s_origins_alone_are_let_in(page: Page, origin: str | None) -> None:
    body = orjson.dumps(page.body(subscription=Subscribed(ENDPOINT).as_json()))
    answer = page.send(body, origin, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert kept() == []


def test_calls_are_counted_with_those_of_the_key(page: Page) -> None:
    page.key = keys.issue_browser(page.key.source, [SHOP], per_minute=2)
    answers = [page.subscribe(Subscribed(f"{ENDPOINT}{n}")) for n in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert len(kept()) == 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"[]", 401, "invalid_token"),
        (b'{"a":1,"a":2}', 400, "duplicate_key"),
        (b" " * 16_385, 413, "payload_too_large"),
    ],
)
def test_bodies_are_read_as_strictly_as_at_the_other_doors(page: Page, body: bytes, status: int, code: str) -> None:
    answer = page.send(body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_there_is_nothing_to_read(page: Page) -> None:
    assert Client().get("/v1/push").status_code == 405


def test_a_connector_that_is_off_takes_nobody(page: Page) -> None:
    Connector.objects.update(is_active=False)
    assert page.subscribe(Subscribed(ENDPOINT)).json()["code"] == "unknown_public_key"


@pytest.mark.parametrize("hosts", [["internal.example"], ["internal.example:9000"]])
@pytest.mark.parametrize("services", [None, ""])
def test_a_page_leads_nobody_to_hosts_of_the_installation(
    page: Page, settings: Settings, hosts: list[str], services: str | None
) -> None:
    settings.TRILHA_CALL_HOSTS = hosts
    if services is not None:
        page.connector.config["services"] = services
        page.connector.save()

    answers = [
        page.subscribe(Subscribed(f"http://{host}/admin?yes=1"))
        for host in ("internal.example", "internal.example:9000")
    ]

    assert {(one.status_code, one.json()["code"]) for one in answers} <= {
        (400, "unknown_push_service"),
        (400, "invalid_endpoint"),
    }
    assert kept() == []


def of_the_shop(page: Page) -> Door:
    return Door(page.key.source, keys.issue(page.key.source)[1])


def pushed_to(page: Page, customer: Customer) -> list[str]:
    """The endpoints to which the customer's pushes would go."""
    [choices] = choose_addresses([Want(customer.pk, "push", page.purpose.pk)], clock.utcnow())
    reached = [one.address_id for one in choices if one.verdict.allowed]
    return list(Address.objects.filter(pk__in=[id_ for id_ in reached if id_]).values_list("value", flat=True))


def known_by_the_shop(page: Page, **more: Any) -> Customer:
    traits = {"first_name": "Vic", "email": "vic@example.com"}
    now = clock.utcnow().isoformat()
    of_the_shop(page).batch(
        {"type": "identify", "messageId": "s-1", "userId": "victim", "timestamp": now, "traits": traits, **more}
    )
    work()
    return Customer.objects.get()


def test_a_page_makes_no_device_somebody_else_s(page: Page) -> None:
    victim = known_by_the_shop(page)
    message = page.message(userId="victim", anonymousId="evil")

    assert (
        page.post(subscription=Subscribed(OTHER).as_json(), message=message, consent=page.agreed()).status_code == 200
    )
    work()

    assert pushed_to(page, victim) == []
    assert [(one.address.value, one.state) for one in ConsentHead.objects.all()] == [(OTHER, "deferred")]


def test_a_browser_that_claims_to_be_somebody_later_is_not_written_to_as_them(page: Page) -> None:
    victim = known_by_the_shop(page)
    page.post(subscription=Subscribed(OTHER).as_json(), message=page.message(anonymousId="evil"), consent=page.agreed())
    page.post(subscription=Subscribed(OTHER).as_json(), message=page.message(userId="victim", anonymousId="evil"))
    work()

    assert ConsentHead.objects.get().state == "given"
    assert pushed_to(page, victim) == []


@pytest.mark.parametrize("about", [{"userId": "victim"}, {"userId": "victim", "anonymousId": "evil"}])
def test_a_page_s_event_makes_no_device_somebody_else_s(page: Page, about: dict[str, str]) -> None:
    victim = known_by_the_shop(page)
    agreed = {"purpose": page.purpose.key, "channel": "push", "address": "evil-token", "notice": "push"}
    event = {
        "type": "track",
        "event": "consent.granted",
        "messageId": "z-1",
        "timestamp": clock.utcnow().isoformat(),
        "context": {"device": {"token": "evil-token"}},
        "properties": {**agreed, "notice_version": 1},
        **about,
    }
    body = orjson.dumps({"writeKey": page.key.public, "batch": [event]})
    answer = Client().generic("POST", "/v1/batch", body, content_type="text/plain", headers={"Origin": SHOP})
    work()

    assert answer.status_code == 200
    assert pushed_to(page, victim) == []
    assert ConsentHead.objects.get().state == "deferred"


def test_a_browser_that_the_shop_itself_knows_is_its_customer_s(page: Page) -> None:
    page.subscribe(Subscribed(ENDPOINT), consent=page.agreed())
    work()

    customer = known_by_the_shop(page, anonymousId="a-1")

    assert pushed_to(page, customer) == [ENDPOINT]


def test_a_device_that_the_shop_tells_of_is_its_customer_s(page: Page) -> None:
    customer = known_by_the_shop(page, context={"device": {"token": "own-token"}})
    agreed = {"purpose": page.purpose.key, "channel": "push", "address": "own-token"}
    now = clock.utcnow().isoformat()
    of_the_shop(page).batch(
        {
            "type": "track",
            "event": "consent.granted",
            "messageId": "s-2",
            "userId": "victim",
            "timestamp": now,
            "properties": agreed,
        }
    )
    work()

    assert pushed_to(page, customer) == ["own-token"]


def test_who_is_known_by_pages_alone_is_written_to_in_the_browser(page: Page) -> None:
    page.subscribe(Subscribed(ENDPOINT), consent=page.agreed())
    page.post(subscription=Subscribed(ENDPOINT).as_json(), message=page.message(userId="ana"))
    work()

    assert pushed_to(page, Customer.objects.get(profiles__identifier__value="ana")) == [ENDPOINT]


def test_the_end_that_a_service_sets_is_kept(page: Page) -> None:
    ends = clock.utcnow() + timedelta(days=30)
    told = Subscribed(ENDPOINT).as_json() | {"expirationTime": int(ends.timestamp() * 1000)}
    page.post(subscription=told, message=page.message())
    kept_until = PushSubscription.objects.get().expires_at
    assert kept_until is not None
    assert abs(kept_until - ends) < timedelta(seconds=1)
