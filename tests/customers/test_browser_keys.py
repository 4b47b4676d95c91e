"""Keys that stand in web pages: good for writing from pages of their origins, and for nothing else."""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.db import IntegrityError, OperationalError
from django.forms import modelform_factory
from django.test import Client

from customers import browser, clock, keys
from customers.admin.browser_keys import WriteKeyForm
from customers.models import AddressProfile, Edge, Identifier, InboxItem, QuarantinedEvent, Source, WriteKey
from customers.models.identity import Assurance
from customers.quarantine import replay, replay_mended
from customers.resolve.stage import resolve_inbox
from tests.customers.segment_door import Door, identify, track

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example"
OTHER = "https://other.example"


@dataclass
class Page:
    """A page that writes with a browser key, as its browser would."""

    key: WriteKey

    def post(self, *items: Any, origin: str | None = SHOP, content_type: str = "text/plain", path: str = "/v1/batch"):
        body = {"writeKey": self.key.public, "batch": items}
        return self.send(orjson.dumps(body), origin=origin, content_type=content_type, path=path)

    def send(
        self, body: bytes, *, origin: str | None = SHOP, content_type: str = "text/plain", path: str = "/v1/batch"
    ) -> Any:
        headers = {} if origin is None else {"Origin": origin}
        return Client().generic("POST", path, body, content_type=content_type, headers=headers)


@pytest.fixture
def page(source: Source) -> Page:
    return Page(keys.issue_browser(source, [SHOP]))


def ask(origin: str | None) -> Any:
    headers = {"Access-Control-Request-Method": "POST", **({} if origin is None else {"Origin": origin})}
    return Client().options("/v1/batch", headers=headers)


def stored() -> list[str]:
    return list(InboxItem.objects.order_by("id").values_list("message_id", flat=True))


@pytest.mark.parametrize("content_type", ["text/plain", "text/plain;charset=UTF-8", "application/json"])
def test_a_page_of_an_allowed_origin_writes(page: Page, content_type: str) -> None:
    answer = page.post(track(), content_type=content_type)
    assert (answer.status_code, answer.json()["accepted"], stored()) == (200, 1, ["m-1"])
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Origin" in answer["Vary"]


@pytest.mark.parametrize(
    "origin", [OTHER, "null", "http://shop.example", f"{SHOP}:8443", "https://shop.example.evil.example", None]
)
def test_no_other_page_writes(page: Page, origin: str | None) -> None:
    answer = page.post(track(), origin=origin, content_type="application/json")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (403, "origin_not_allowed")
    assert "browser key" not in problem["detail"]
    assert problem["errors"][0]["hint"].startswith("Add the page's origin")
    assert (stored(), QuarantinedEvent.objects.count()) == ([], 0)


def test_a_server_key_is_refused_from_a_page(door: Door) -> None:
    answer = door.post("/v1/batch", {"batch": [track()]}, Origin=SHOP)
    assert (answer.status_code, answer.json()["code"], stored()) == (403, "browser_key_needed", [])
    body = orjson.dumps({"writeKey": door.key, "batch": [track()]})
    answer = Client().generic("POST", "/v1/batch", body, content_type="text/plain", headers={"Origin": SHOP})
    assert (answer.status_code, answer.json()["code"], stored()) == (403, "browser_key_needed", [])


def test_text_is_taken_from_pages_only(page: Page, door: Door) -> None:
    assert door.post("/v1/batch", {"batch": [track()]}, content_type="text/plain").status_code == 415
    assert page.post(track(), origin=None).status_code == 415
    assert page.post(track(), content_type="application/x-www-form-urlencoded").status_code == 415
    assert stored() == []


def test_browsers_may_ask_for_the_origins_of_living_keys(page: Page, source: Source) -> None:
    yes = ask(SHOP)
    told = [yes[f"Access-Control-Allow-{what}"] for what in ("Origin", "Methods", "Headers")]
    assert (yes.status_code, told) == (204, [SHOP, "POST", "Content-Type"])
    for origin in (OTHER, "null", None):
        no = ask(origin)
        assert (no.status_code, no.json()["code"]) == (403, "origin_not_allowed"), origin
        assert "Access-Control-Allow-Origin" not in no
    WriteKey.objects.update(mode="test")
    keys.forget()
    assert ask(SHOP).status_code == 403
    WriteKey.objects.update(mode="live")
    Source.objects.update(is_active=False)
    keys.forget()
    assert ask(SHOP).status_code == 403


def test_options_without_a_question_is_no_method_here() -> None:
    answer = Client().options("/v1/batch")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_a_revoked_key_writes_no_more(page: Page) -> None:
    assert page.post(track()).status_code == 200
    WriteKey.objects.update(revoked_at=page.key.created_at)
    keys.forget()
    answer = page.post(track(messageId="m-2"))
    assert (answer.status_code, answer.json()["code"], stored()) == (401, "invalid_token", ["m-1"])
    # The page can read why, so that its script does not ask again and again.
    assert answer["Access-Control-Allow-Origin"] == SHOP


def test_retry_after_can_be_read_by_the_page(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("customers.api.segment.accept", broken)
    answer = page.post(track())
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "Retry-After" in answer["Access-Control-Expose-Headers"]


def test_what_a_page_says_of_who_somebody_is_is_a_claim(page: Page, door: Door) -> None:
    page.post(identify(messageId="p", userId="u-1", anonymousId="a-1", traits={"email": "u-1@example.com"},
                       context={"assurance": "login"}))  # fmt: skip
    door.batch(identify(messageId="s", userId="u-2", anonymousId="a-2", traits={"email": "u-2@example.com"}))
    assert list(InboxItem.objects.order_by("id").values_list("assurance", "historical")) == [
        (Assurance.CLAIMED, False),
        (None, False),
    ]
    resolve_inbox(clock.utcnow())
    profiles = dict(Identifier.objects.values_list("value", "profile_id"))
    edges = {frozenset((edge.low_id, edge.high_id)): edge.assurance for edge in Edge.objects.all()}
    assert edges[frozenset((profiles["u-1"], profiles["a-1"]))] == Assurance.CLAIMED
    assert edges[frozenset((profiles["u-2"], profiles["a-2"]))] == Assurance.OBSERVED
    assert edges[frozenset((profiles["u-1"], profiles["u-1@example.com"]))] == Assurance.CLAIMED
    assert edges[frozenset((profiles["u-2"], profiles["u-2@example.com"]))] == Assurance.OBSERVED
    assert len(edges) == 4
    told = dict(AddressProfile.objects.values_list("profile__identifier__value", "assurance"))
    assert told == {"u-1": 1, "u-1@example.com": 1, "u-2": 2, "u-2@example.com": 2}


def test_a_page_cannot_use_up_the_ids_of_its_source_s_servers(page: Page, door: Door) -> None:
    said = {"messageId": "order-77", "event": "Order Completed"}
    assert page.post(track(**said, properties={"total": 1})).json()["accepted"] == 1
    assert door.batch(track(**said, properties={"total": 4990})) == {
        "success": True, "accepted": 1, "duplicates": 0, "rejected": [],
    }  # fmt: skip
    again = page.post(track(**said, properties={"total": 1})).json()
    assert (again["accepted"], again["duplicates"]) == (0, 1)
    assert [inbox.message_id for inbox in InboxItem.objects.order_by("id")] == ["order-77", "order-77"]


def test_historical_and_assurance_of_a_page_count_for_nothing(page: Page) -> None:
    answer = page.post(track(historical=True, assurance="login"))
    assert answer.json()["accepted"] == 1
    (item,) = InboxItem.objects.all()
    assert (item.historical, item.assurance) == (False, Assurance.CLAIMED)


def test_bad_items_of_a_page_are_kept_and_named(page: Page) -> None:
    answer = page.post(track(), track(messageId="m-2", userId=5)).json()
    assert (answer["accepted"], [row["pointer"] for row in answer["rejected"]]) == (1, ["/batch/1/userId"])
    (row,) = QuarantinedEvent.objects.all()
    assert (row.code, page.key.public in row.raw) == ("wrong_type", False)


def test_only_a_browser_key_is_kept_whole(page: Page, source: Source) -> None:
    page.key.refresh_from_db()
    assert page.key.public.startswith("pub_live_")
    assert page.key.public.startswith(page.key.prefix)
    server, _text = keys.issue(source)
    assert server.public == ""
    with pytest.raises(IntegrityError):
        WriteKey.objects.filter(pk=server.pk).update(public="secret")


@pytest.mark.parametrize(
    ("kind", "origins", "wanted"),
    [
        (
            "browser",
            "https://Shop.Example/\nhttp://localhost:8000\nhttps://shop.example:443",
            [SHOP, "http://localhost:8000"],
        ),
        ("browser", "", None),
        ("browser", "https://shop.example/cart", None),
        ("browser", "*", None),
        ("browser", "shop.example", None),
        ("browser", "https://*.example", None),
        ("browser", "javascript://x", None),
        ("browser", "null", None),
        ("server", SHOP, None),
        ("server", "", []),
    ],
)
def test_the_form_takes_origins_only(source: Source, kind: str, origins: str, wanted: list[str] | None) -> None:
    form = modelform_factory(WriteKey, WriteKeyForm, fields=("source", "mode", "kind", "origins"))(
        {"source": source.pk, "mode": "live", "kind": kind, "origins": origins}
    )
    assert (form.cleaned_data["origins"] if form.is_valid() else None) == wanted
    if wanted is None:
        assert list(form.errors) == ["origins"]


def test_the_page_of_a_key_has_the_lines_to_copy(page: Page, admin_client: Client) -> None:
    answer = admin_client.get(f"/admin/customers/writekey/{page.key.pk}/change/")
    text = answer.content.decode()
    assert page.key.public in text
    assert browser.newest().integrity in text
    assert f"/js/trilha-{browser.newest().version}.js" in text


def test_a_key_made_on_the_page_writes(source: Source, admin_client: Client) -> None:
    data = {"source": str(source.pk), "mode": "live", "kind": "browser", "origins": SHOP}
    assert admin_client.post("/admin/customers/writekey/add/", data).status_code == 302
    key = WriteKey.objects.get(kind="browser")
    assert Page(key).post(track()).status_code == 200


def test_what_a_page_sent_is_no_more_than_a_claim_after_a_replay(page: Page, door: Door) -> None:
    Source.objects.update(unplanned=Source.Unplanned.QUARANTINE)
    keys.forget()
    page.post(track(messageId="p", anonymousId="a-1"))
    door.batch(track(messageId="s", anonymousId="a-2"))
    assert list(QuarantinedEvent.objects.order_by("id").values_list("message_id", "from_page")) == [
        ("p", True),
        ("s", False),
    ]
    Source.objects.update(unplanned=Source.Unplanned.ACCEPT)
    ids = list(QuarantinedEvent.objects.values_list("id", flat=True))
    assert replay(ids, clock.utcnow()).replayed == 2
    assert list(InboxItem.objects.order_by("id").values_list("message_id", "assurance")) == [
        ("p", Assurance.CLAIMED),
        ("s", None),
    ]


def test_mending_what_a_page_sent_makes_it_no_surer(page: Page) -> None:
    page.post(identify(messageId="p", userId=5))
    (row,) = QuarantinedEvent.objects.all()
    mended = orjson.dumps(identify(messageId="p", userId="u-1", assurance="login")).decode()
    assert replay_mended(row.pk, mended, clock.utcnow()) is None
    assert InboxItem.objects.get().assurance == Assurance.CLAIMED


def test_a_body_that_a_page_sent_broken_is_known_as_a_page_s(source: Source) -> None:
    page = Page(keys.issue_browser(source, [SHOP]))
    body = orjson.dumps({"writeKey": page.key.public, "batch": "none"})
    assert page.send(body).status_code == 400
    (row,) = QuarantinedEvent.objects.all()
    assert (row.code, row.from_page, page.key.public in row.raw) == ("wrong_type", True, False)


def test_of_calls_at_once_exactly_as_many_pass_as_the_key_has(source: Source, door: Door) -> None:
    Source.objects.update(per_minute=100)
    keys.forget()
    page = Page(keys.issue_browser(source, [SHOP], per_minute=2))
    answers = [page.post(track(messageId=f"m-{number}")) for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[2].json()["code"] == "rate_limited"
    assert answers[2]["Retry-After"] == "60"
    assert stored() == ["m-0", "m-1"]
    # What was too much for the page has taken nothing from the source's servers.
    source.refresh_from_db()
    assert source.used == 2
    assert door.post("/v1/track", track(messageId="server")).status_code == 200
    assert QuarantinedEvent.objects.count() == 0


def test_the_source_s_limit_holds_for_a_key_without_one(source: Source) -> None:
    Source.objects.update(per_minute=1)
    keys.forget()
    page = Page(keys.issue_browser(source, [SHOP]))
    assert [page.post(track(messageId=name)).status_code for name in "ab"] == [200, 429]


def test_a_key_s_successor_has_its_limit(source: Source) -> None:
    old = keys.issue_browser(source, [SHOP], per_minute=7)
    new, _text = keys.rotate(old, clock.utcnow(), clock.utcnow())
    assert new.per_minute == 7


@pytest.mark.parametrize(("told", "made"), [("", [None]), ("30", [30]), ("0", []), ("-1", []), ("many", [])])
def test_staff_give_a_key_its_limit(source: Source, admin_client: Client, told: str, made: list[int | None]) -> None:
    data = {"source": str(source.pk), "mode": "live", "kind": "browser", "origins": SHOP, "per_minute": told}
    admin_client.post("/admin/customers/writekey/add/", data)
    assert list(WriteKey.objects.values_list("per_minute", flat=True)) == made
