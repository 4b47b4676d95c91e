"""Slots and visitor secrets on their pages: what is written for everybody, what came of it, and what is shown once."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from channels.models import WebPlacement, WebSlot
from customers.models import VisitorSecret
from customers.visitors import secrets, token
from tests.channels.onscreen.stage import NOW, SCRIPT, Shop

SLOTS = "/admin/channels/webslot/"
SECRETS = "/admin/customers/visitorsecret/"


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(
        get_user_model().objects.create_superuser("root"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def form(shop: Shop, **text: str) -> dict[str, Any]:
    said = {"locale": "de", "title": "", "body": "", "link": "", "image": "", "button": "", **text}
    return {
        "name": "Checkout", "key": "checkout", "brand": str(shop.brand.pk), "squad": "", "where": "", "is_active": "on",
        "texts-TOTAL_FORMS": "1", "texts-INITIAL_FORMS": "0", "texts-MIN_NUM_FORMS": "0", "texts-MAX_NUM_FORMS": "1000",
        **{f"texts-0-{name}": value for name, value in said.items()},
    }  # fmt: skip


def test_a_slot_is_made_with_what_is_usual(staff: Client, shop: Shop) -> None:
    answer = staff.post(f"{SLOTS}add/", form(shop, title=SCRIPT, link="/coffee", button="See it"))

    assert answer.status_code == 302, answer.content
    made = WebSlot.objects.get(key="checkout")
    assert made.texts.values_list("locale", "title", "link", "button").get() == ("de", SCRIPT, "/coffee", "See it")
    page = staff.get(f"{SLOTS}{made.pk}/change/").content.decode()
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ({"title": "x", "link": "javascript:alert(1)"}, "link"),
        ({"title": "x", "link": "//evil.example"}, "link"),
        ({"title": "x", "image": "http://plain.example/x.png"}, "image"),
        ({}, ""),
    ],
)
def test_what_leads_to_a_script_or_says_nothing_is_refused(
    staff: Client, shop: Shop, text: dict[str, str], place: str
) -> None:
    answer = staff.post(f"{SLOTS}add/", form(shop, **text))

    assert answer.status_code == 200
    [errors] = answer.context["inline_admin_formsets"][0].formset.errors
    assert list(errors) == [place or "__all__"]
    assert not WebSlot.objects.filter(key="checkout").exists()


@pytest.mark.parametrize("key", ["Home Hero", "-a", "a b", "ä", ""])
def test_a_key_that_no_page_could_name_is_refused(staff: Client, shop: Shop, key: str) -> None:
    answer = staff.post(f"{SLOTS}add/", form(shop, title="x") | {"key": key})
    assert (answer.status_code, list(answer.context["errors"]) != []) == (200, True)
    assert WebSlot.objects.count() == 1


def test_a_slots_page_counts_what_came_of_it(staff: Client, shop: Shop) -> None:
    for n in range(3):
        ana = shop.customer()
        shop.grant(shop.profile(ana, "anonymous_id", f"a-{n}"))
        shop.send(ana, "web")
    first, second = WebPlacement.objects.order_by("pk")[:2]
    WebPlacement.objects.filter(pk=first.pk).update(shown_at=NOW, clicked_at=NOW)
    WebPlacement.objects.filter(pk=second.pk).update(shown_at=NOW, off_at=NOW, off_reason="acted")

    page = staff.get(f"{SLOTS}{shop.slot.pk}/change/").content.decode()

    [row] = re.findall(r"<tr>\s*((?:<td[^>]*>\d+</td>\s*){6})</tr>", page)
    # Placed, standing now, shown, clicked, dismissed, taken off.
    assert re.findall(r">(\d+)<", row) == ["3", "2", "2", "1", "0", "1"]


def test_a_secret_is_shown_once_and_signs(staff: Client, shop: Shop) -> None:
    answer = staff.post(f"{SECRETS}add/", {"source": str(shop.source.pk)}, follow=True)

    [said] = [str(one) for one in answer.context["messages"] if "secret is" in str(one)]
    text = re.findall(r"The secret is (\S+)\.", said)[0]
    good = secrets.good_of(shop.source.pk, NOW)
    assert token.read(shop.token("u-17", secret=text), good, NOW) == "u-17"
    row = VisitorSecret.objects.order_by("-created_at", "-pk").first()
    assert row is not None
    assert text not in staff.get(f"{SECRETS}{row.pk}/change/").content.decode()
    assert text.encode() not in bytes(row.secret)


def test_there_are_no_more_than_three_and_one_is_ended(staff: Client, shop: Shop) -> None:
    for _n in range(2):
        staff.post(f"{SECRETS}add/", {"source": str(shop.source.pk)})
    refused = staff.post(f"{SECRETS}add/", {"source": str(shop.source.pk)})
    assert refused.status_code == 200
    assert VisitorSecret.objects.count() == 3
    row = VisitorSecret.objects.first()
    assert row is not None

    staff.post(SECRETS, {"action": "end", "_selected_action": [str(row.pk)]})

    row.refresh_from_db()
    assert row.ended_at == NOW
    assert len(secrets.good_of(shop.source.pk, NOW)) == 2
