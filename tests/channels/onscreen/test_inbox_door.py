"""The inbox as pages ask for it: everybody finds what is theirs, and nobody what is not."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.test import Client

from channels.models import InAppItem, Receipt
from customers import keys
from customers.ids import new_id
from customers.models import Assurance, Identifier, Profile
from customers.visitors import secrets
from customers.visitors.secrets import TooManySecrets
from tests.channels.onscreen.stage import NOW, ORIGIN, SCRIPT, Shop, item_of, join, make_shop, state, work_off
from tests.statements import counted


@pytest.fixture
def ana(shop: Shop) -> Profile:
    """Who signs in as u-17."""
    profile = shop.profile(shop.customer(), "user_id", "u-17")
    shop.grant(profile)
    return profile


@pytest.fixture
def visitor(shop: Shop) -> Profile:
    """A browser that calls itself a-1."""
    profile = shop.profile(shop.customer(), "anonymous_id", "a-1")
    shop.grant(profile)
    return profile


def titles(found: dict[str, Any]) -> list[str]:
    return [item["title"] for item in found["items"]]


def test_who_is_signed_in_finds_their_items_newest_first(shop: Shop, ana: Profile, client: Client) -> None:
    first = shop.send(ana.customer)
    shop.say("in_app", subject=SCRIPT)
    second = shop.send(ana.customer)

    found = shop.inbox(client, token=shop.token("u-17"))

    assert (found["unread"], found["next"]) == (2, None)
    assert [item["id"] for item in found["items"]] == [str(item_of(one).pk) for one in (second, first)]
    assert found["items"][0] == {
        "id": str(item_of(second).pk), "title": SCRIPT, "text": "Still there.", "link": "https://acme.example/cart",
        "image": "", "button": "To the cart", "language": "en", "placed_at": "2026-03-02T12:00:00Z",
        "expires_at": "2026-04-01T12:00:00Z", "shown": False, "read": False,
    } | {name: found["items"][0][name] for name in ("placed_at", "expires_at")}  # fmt: skip


def test_an_anonymous_browser_finds_its_own_alone(shop: Shop, visitor: Profile, ana: Profile, client: Client) -> None:
    shop.send(visitor.customer)
    shop.send(ana.customer)

    assert shop.inbox(client, anonymousId="a-1")["unread"] == 1
    assert shop.inbox(client, anonymousId="a-2") == {"items": [], "next": None, "unread": 0}
    assert shop.inbox(client) == {"items": [], "next": None, "unread": 0}


def test_a_page_that_claims_to_be_somebody_reads_nothing_of_theirs(
    shop: Shop, ana: Profile, visitor: Profile, client: Client
) -> None:
    """The claim joins the two, as identify does; the anonymous id proves its own profile all the same."""
    shop.send(ana.customer)
    join(ana, visitor, Assurance.CLAIMED)
    Profile.objects.filter(pk=visitor.pk).update(customer=ana.customer)

    assert shop.inbox(client, anonymousId="a-1")["unread"] == 0
    assert shop.ask("/v1/inbox", client, anonymousId="a-1", userId="u-17").status_code == 400


def test_what_only_a_page_claimed_to_be_theirs_is_not_shown_to_who_signs_in(
    shop: Shop, ana: Profile, visitor: Profile, client: Client
) -> None:
    shop.send(visitor.customer)
    Profile.objects.filter(pk=visitor.pk).update(customer=ana.customer)
    join(ana, visitor, Assurance.CLAIMED)
    assert shop.inbox(client, token=shop.token("u-17"))["unread"] == 0

    # The browser's own id is known to this very browser: both are theirs.
    assert shop.inbox(client, token=shop.token("u-17"), anonymousId="a-1")["unread"] == 1


def test_after_a_merge_there_is_one_inbox_and_after_taking_apart_each_has_theirs(
    shop: Shop, ana: Profile, client: Client
) -> None:
    card = shop.profile(shop.customer(), "anonymous_id", "till")
    shop.grant(card)
    theirs, own = card.customer, ana.customer
    shop.send(theirs)
    shop.send(own)
    join(ana, card, Assurance.LOGIN)
    Profile.objects.filter(pk=card.pk).update(customer=own)
    assert shop.inbox(client, token=shop.token("u-17"))["unread"] == 2

    Profile.objects.filter(pk=card.pk).update(customer=theirs)

    assert shop.inbox(client, token=shop.token("u-17"))["unread"] == 1
    assert shop.inbox(client, anonymousId="till")["unread"] == 1


def test_a_skipped_edge_joins_nobody(shop: Shop, ana: Profile, visitor: Profile, client: Client) -> None:
    shop.send(visitor.customer)
    join(ana, visitor, Assurance.LOGIN)

    assert shop.inbox(client, token=shop.token("u-17"))["unread"] == 0


def test_pages_of_the_inbox_follow_one_another(shop: Shop, ana: Profile, client: Client) -> None:
    for n in range(5):
        shop.say("in_app", subject=str(n))
        shop.send(ana.customer)
    token = shop.token("u-17")

    first = shop.inbox(client, token=token, limit=2)
    second = shop.inbox(client, token=token, limit=2, cursor=first["next"])
    third = shop.inbox(client, token=token, limit=2, cursor=second["next"])

    assert [titles(one) for one in (first, second, third)] == [["4", "3"], ["2", "1"], ["0"]]
    assert third["next"] is None
    assert shop.inbox(client, token=token, limit=0) == {"items": [], "next": None, "unread": 5}


def test_what_is_over_or_no_longer_allowed_is_not_there(shop: Shop, ana: Profile, client: Client) -> None:
    message = shop.send(ana.customer)
    token = shop.token("u-17")
    InAppItem.objects.filter(message_id=message).update(expires_at=NOW)
    assert shop.inbox(client, token=token)["unread"] == 0
    InAppItem.objects.filter(message_id=message).update(expires_at=NOW + timedelta(seconds=1))
    assert shop.inbox(client, token=token)["unread"] == 1

    shop.grant(ana, "withdrawn", NOW)

    assert shop.inbox(client, token=token) == {"items": [], "next": None, "unread": 0}


def test_reading_and_clicking_are_told_as_receipts_and_only_move_on(shop: Shop, ana: Profile, client: Client) -> None:
    message = shop.send(ana.customer)
    item, token = item_of(message), shop.token("u-17")

    def mark(*marks: str) -> Any:
        answer = shop.ask(
            "/v1/inbox/marks", client, token=token, marks=[{"id": str(item.pk), "as": one} for one in marks]
        )
        work_off()
        return answer.json()

    assert mark("shown") == {"marked": [str(item.pk)], "unread": 1}
    assert state(message) == "delivered"
    assert mark("read") == {"marked": [str(item.pk)], "unread": 0}
    assert state(message) == "opened"
    mark("clicked", "read", "shown")
    mark("clicked")
    assert state(message) == "clicked"
    assert sorted(Receipt.objects.values_list("happened", flat=True)) == ["clicked", "delivered", "opened"]
    assert mark("dismissed")["marked"] == [str(item.pk)]
    assert shop.inbox(client, token=token)["items"] == []
    item.refresh_from_db()
    assert None not in (item.shown_at, item.read_at, item.clicked_at, item.dismissed_at)


def test_somebody_elses_item_stays_as_it_was(shop: Shop, ana: Profile, visitor: Profile, client: Client) -> None:
    item = item_of(shop.send(ana.customer))
    before = InAppItem.objects.filter(pk=item.pk).values().get()

    for id_ in (item.pk, new_id()):
        marks = [{"id": str(id_), "as": one} for one in ("read", "clicked", "dismissed")]
        answer = shop.ask("/v1/inbox/marks", client, anonymousId="a-1", marks=marks)
        assert (answer.status_code, answer.json()) == (200, {"marked": [], "unread": 0})

    assert InAppItem.objects.filter(pk=item.pk).values().get() == before
    assert not Receipt.objects.exists()


def refused(answer: Any) -> tuple[int, str, str]:
    said = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, said["code"], said["errors"][0]["pointer"]


def test_tokens_prove_what_they_were_signed_for_and_nothing_else(shop: Shop, ana: Profile, client: Client) -> None:
    shop.send(ana.customer)
    other = make_shop("other", ())
    seconds = int(NOW.timestamp())
    invalid = (401, "invalid_visitor_token", "/token")

    def ask(token: object) -> tuple[int, str, str]:
        return refused(shop.ask("/v1/inbox", client, token=token))

    good = shop.token("u-17")
    assert ask(other.token("u-17")) == invalid
    assert ask(shop.token("u-17", secret="x" * 43)) == invalid
    assert ask(good[:-4] + "AAAA") == invalid
    header, claims, _signature = good.split(".")
    unsigned = "eyJhbGciOiJub25lIn0"
    assert ask(f"{unsigned}.{claims}.") == invalid
    assert ask(f"{header}.{claims}") == invalid
    assert ask("x" * 5_000) == invalid
    assert ask(shop.token("u-17", exp=None)) == invalid
    assert ask(shop.token("u-17", exp="soon")) == invalid
    assert ask(shop.token("u-17", exp=seconds + 90_000)) == invalid
    assert ask(shop.token("u-17", exp=1e300)) == invalid
    assert ask(shop.token("u-17", exp=True)) == invalid
    assert ask(shop.token("u-17", nbf=seconds + 600)) == invalid
    assert ask(shop.token("", exp=seconds + 60)) == invalid
    assert ask(shop.token("u-17", sub=17)) == invalid
    assert ask(shop.token("u-17", exp=seconds - 61)) == (401, "token_expired", "/token")
    # Clocks differ a little.
    assert shop.inbox(client, token=shop.token("u-17", exp=seconds - 59))["unread"] == 1
    assert shop.inbox(client, token=shop.token("u-18"))["unread"] == 0


def test_a_secret_has_a_successor_and_ends(shop: Shop, ana: Profile, client: Client) -> None:
    shop.send(ana.customer)
    old = shop.token("u-17")
    row, text = secrets.issue(shop.source, NOW)
    assert shop.inbox(client, token=old)["unread"] == 1
    assert shop.inbox(client, token=shop.token("u-17", secret=text))["unread"] == 1
    secrets.issue(shop.source, NOW)
    with pytest.raises(TooManySecrets):
        secrets.issue(shop.source, NOW)

    secrets.end(row, NOW)

    assert refused(shop.ask("/v1/inbox", client, token=shop.token("u-17", secret=text)))[0] == 401
    assert shop.inbox(client, token=old)["unread"] == 1
    row.refresh_from_db()
    row.secret = b"not sealed"
    row.save()
    assert refused(shop.ask("/v1/inbox", client, token="a.b.c"))[1] == "invalid_visitor_token"


@pytest.mark.parametrize(
    ("said", "status", "code", "pointer"),
    [
        ({"limit": 51}, 400, "invalid_field", "/limit"),
        ({"limit": -1}, 400, "invalid_field", "/limit"),
        ({"limit": "2"}, 400, "invalid_field", "/limit"),
        ({"cursor": "1; DROP TABLE"}, 400, "invalid_field", "/cursor"),
        ({"anonymousId": 7}, 400, "invalid_field", "/anonymousId"),
        ({"anonymousId": "x" * 321}, 400, "invalid_field", "/anonymousId"),
        ({"anonymousId": "a\u0000b"}, 400, "invalid_identifier", "/anonymousId"),
        ({"anonymousId": "undefined"}, 400, "invalid_identifier", "/anonymousId"),
        ({"token": None}, 400, "invalid_field", "/token"),
        ({"profile": "x"}, 400, "invalid_field", ""),
        ({"anonymousId": "x" * 20_000}, 413, "payload_too_large", ""),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    shop: Shop, client: Client, said: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    assert refused(shop.ask("/v1/inbox", client, **said)) == (status, code, pointer)


@pytest.mark.parametrize(
    ("marks", "pointer"),
    [
        ([], "/marks"),
        ([{"id": "x", "as": "read"}], "/marks/0/id"),
        ([{"id": str(new_id()), "as": "eaten"}], "/marks/0/as"),
        ([{"id": str(new_id())}], "/marks/0"),
        ([{"id": str(new_id()), "as": "read"}] * 101, "/marks"),
        ("all", "/marks"),
    ],
)
def test_marks_that_make_no_sense_are_refused(shop: Shop, client: Client, marks: object, pointer: str) -> None:
    answer = shop.ask("/v1/inbox/marks", client, anonymousId="a-1", marks=marks)
    assert refused(answer) == (400, "invalid_field", pointer)
    assert "eaten" not in answer.content.decode()


def test_only_pages_of_the_keys_origins_may_ask(shop: Shop, client: Client) -> None:
    assert refused(shop.ask("/v1/inbox", client, origin="https://evil.example"))[:2] == (403, "origin_not_allowed")
    body = orjson.dumps({"writeKey": shop.key.public})
    nowhere = client.post("/v1/inbox", body, content_type="application/json")
    assert refused(nowhere)[:2] == (403, "origin_not_allowed")
    _row, secret = keys.issue(shop.source)
    server = client.post("/v1/inbox", orjson.dumps({"writeKey": secret}), content_type="application/json")
    assert refused(server)[:2] == (403, "browser_key_needed")
    unknown = client.post(
        "/v1/inbox", orjson.dumps({"writeKey": "pub_live_x"}), content_type="text/plain", headers={"Origin": ORIGIN}
    )
    assert refused(unknown)[:2] == (401, "invalid_token")
    assert client.get("/v1/inbox").status_code == 405
    assert refused(client.post("/v1/inbox", b"[1", content_type="text/plain"))[0] == 400


def test_the_answer_is_for_the_page_that_asked_and_is_kept_by_nobody(shop: Shop, client: Client) -> None:
    answer = shop.ask("/v1/inbox", client, anonymousId="a-1")
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert answer["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Credentials" not in answer


def test_calls_count_for_the_keys_limit(shop: Shop, client: Client) -> None:
    shop.key.per_minute = 2
    shop.key.save()
    keys.forget()
    answers = [shop.ask("/v1/inbox", client, anonymousId="a-1").status_code for _n in range(3)]
    assert answers == [200, 200, 429]


def test_an_identifier_that_was_closed_opens_nothing(shop: Shop, visitor: Profile, client: Client) -> None:
    """A second log-in on one browser makes it a new visitor."""
    shop.send(visitor.customer)
    Identifier.objects.filter(profile=visitor).update(closed_at=NOW)

    assert shop.inbox(client, anonymousId="a-1")["unread"] == 0


def test_the_number_of_statements_does_not_grow_with_the_inbox(shop: Shop, ana: Profile, client: Client) -> None:
    def statements(unread: int) -> int:
        with counted() as made:
            assert shop.inbox(client, token=shop.token("u-17"))["unread"] == unread
        return len(made)

    statements(0)
    shop.send(ana.customer)
    one = statements(1)
    for _n in range(3):
        shop.send(ana.customer)
    assert statements(4) == one


def test_marking_many_costs_no_more_statements_than_one_and_rings_once(
    shop: Shop, ana: Profile, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    items = [item_of(shop.send(ana.customer)).pk for _n in range(6)]

    def statements(ids: list[UUID]) -> int:
        marks = [{"id": str(id_), "as": "read"} for id_ in ids]
        with counted() as made, django_capture_on_commit_callbacks() as rung:
            answer = shop.ask("/v1/inbox/marks", client, token=shop.token("u-17"), marks=marks)
        assert sorted(answer.json()["marked"]) == sorted(map(str, ids))
        assert len(rung) == 1
        return len(made)

    statements(items[:1])
    assert statements(items[1:2]) == statements(items[2:])
    assert list(Receipt.objects.values_list("happened", flat=True)) == ["opened"] * 6
