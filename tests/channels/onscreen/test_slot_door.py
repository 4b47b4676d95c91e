"""What a visitor sees in a slot: what was put there for them while it holds, else what everybody sees."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from channels import guards
from channels.models import Receipt, WebPlacement, WebSlot
from consent.models import Suppression
from customers.ids import new_id
from customers.models import Profile
from tests.channels.onscreen.stage import NOW, SCRIPT, Shop, make_shop, placement_of, state, work_off
from tests.consent import people
from tests.statements import counted

USUAL = {
    "placement": None, "title": "Fresh coffee", "text": "", "link": "/coffee", "image": "", "button": "See it",
    "language": "en",
}  # fmt: skip


@pytest.fixture
def visitor(shop: Shop) -> Profile:
    profile = shop.profile(shop.customer(), "anonymous_id", "a-1")
    shop.grant(profile)
    return profile


def shown(shop: Shop, client: Client) -> str | None:
    """The placement that the visitor's page shows; None: what is usual."""
    found = shop.shown(client, anonymousId="a-1", language="en")
    assert found is not None
    placement: str | None = found["placement"]
    return placement


def test_a_visitor_sees_what_was_put_there_for_them_and_others_what_is_usual(
    shop: Shop, visitor: Profile, client: Client
) -> None:
    shop.say("web", subject=SCRIPT)
    placement = placement_of(shop.send(visitor.customer, "web"))

    assert shop.shown(client, anonymousId="a-1") == {
        "placement": str(placement.pk), "title": SCRIPT, "text": "Still there.", "image": "",
        "link": "https://acme.example/cart", "button": "To the cart", "language": "en",
    }  # fmt: skip
    assert shop.shown(client, anonymousId="a-2") == USUAL
    assert shop.shown(client) == USUAL


def test_what_is_usual_is_said_in_the_pages_language_or_the_brands(shop: Shop, client: Client) -> None:
    found = [shop.shown(client, language=one) for one in ("pt-BR", "pt", "de", "")]
    assert [one and one["title"] for one in found] == ["Café fresco", "Fresh coffee", "Fresh coffee", "Fresh coffee"]


def test_a_slot_that_is_none_is_empty(shop: Shop, client: Client) -> None:
    other = make_shop("other", ())
    WebSlot.objects.create(brand=other.brand, key="theirs", name="Theirs")
    WebSlot.objects.create(brand=shop.brand, key="off", name="Off", is_active=False)
    answer = shop.ask("/v1/slots", client, slots=["theirs", "off", "none", "home-hero"])
    assert answer.json()["slots"] == {
        "theirs": None,
        "off": None,
        "none": None,
        "home-hero": USUAL | {"language": "en"},
    }


def test_the_highest_shows_and_of_equals_the_newest(shop: Shop, visitor: Profile, client: Client) -> None:
    shop.send(visitor.customer, "web", priority=50)
    high = shop.send(visitor.customer, "web", priority=80)
    shop.send(visitor.customer, "web", priority=70)
    assert shown(shop, client) == str(placement_of(high).pk)

    newer = shop.send(visitor.customer, "web", priority=80)
    WebPlacement.objects.filter(message_id=newer).update(placed_at=NOW + timedelta(seconds=1))

    assert shown(shop, client) == str(placement_of(newer).pk)


def test_a_consent_withdrawn_after_placing_hides_it_at_once(shop: Shop, visitor: Profile, client: Client) -> None:
    shop.send(visitor.customer, "web")
    assert shown(shop, client) is not None

    shop.grant(visitor, "withdrawn", NOW)

    assert shown(shop, client) is None


def test_a_suppressed_address_is_shown_nothing_of_its_own(shop: Shop, visitor: Profile, client: Client) -> None:
    placement = placement_of(shop.send(visitor.customer, "web"))
    suppression = Suppression.objects.create(
        address=placement.address, brand=shop.brand, reason=Suppression.Reason.MANUAL, created_at=NOW
    )
    assert shown(shop, client) is None

    suppression.lifted_at = NOW
    suppression.save()

    assert shown(shop, client) == str(placement.pk)


def test_what_its_run_no_longer_wants_is_taken_off_for_good_and_the_next_shows(
    shop: Shop, visitor: Profile, client: Client
) -> None:
    lower = placement_of(shop.send(visitor.customer, "web", priority=10))
    higher = placement_of(shop.send(visitor.customer, "web", priority=90))
    answers: dict[Any, guards.Answer] = {higher.message_id: guards.Refuse("acted")}

    def guard(ask: guards.GuardAsk) -> guards.Answer:
        return answers.get(ask.message_id)

    guards.register("broadcast", guard)
    try:
        assert shown(shop, client) == str(lower.pk)
        answers.clear()
        assert shown(shop, client) == str(lower.pk)
        answers[lower.message_id] = guards.Wait(1, "unresolved")
        assert shown(shop, client) is None
        answers.clear()
        assert shown(shop, client) == str(lower.pk)
    finally:
        guards.unregister("broadcast", guard)
    higher.refresh_from_db()
    assert (higher.off_reason, higher.off_at) == ("acted", NOW)


def test_what_is_over_is_not_shown(shop: Shop, visitor: Profile, client: Client) -> None:
    shop.send(visitor.customer, "web")
    WebPlacement.objects.update(expires_at=NOW)
    assert shown(shop, client) is None


def test_seeing_and_clicking_are_told_as_receipts(shop: Shop, visitor: Profile, client: Client) -> None:
    message = shop.send(visitor.customer, "web")
    placement = placement_of(message)

    def mark(as_: str, **who: str) -> Any:
        return shop.ask("/v1/slots/marks", client, marks=[{"id": str(placement.pk), "as": as_}], **who).json()

    assert mark("clicked", anonymousId="a-2") == {"marked": []}
    assert mark("shown", anonymousId="a-1") == {"marked": [str(placement.pk)]}
    mark("shown", anonymousId="a-1")
    work_off()
    assert state(message) == "opened"
    mark("clicked", anonymousId="a-1")
    work_off()
    assert state(message) == "clicked"
    assert sorted(Receipt.objects.values_list("happened", flat=True)) == ["clicked", "opened"]
    mark("dismissed", anonymousId="a-1")
    assert shown(shop, client) is None


@pytest.mark.parametrize(
    ("slots", "pointer"),
    [([], "/slots"), (["a"] * 21, "/slots"), (["Home Hero"], "/slots/0"), (["x" * 65], "/slots/0"), ([7], "/slots/0"),
     ("home-hero", "/slots"), (["a\n"], "/slots/0")],
)  # fmt: skip
def test_slots_that_cannot_be_are_refused(shop: Shop, client: Client, slots: object, pointer: str) -> None:
    answer = shop.ask("/v1/slots", client, slots=slots)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_what_is_withdrawn_hides_nothing_that_lies_deeper(shop: Shop, visitor: Profile, client: Client) -> None:
    allowed = placement_of(shop.send(visitor.customer, "web", priority=10))
    shop.purpose = people.make_purpose(shop.brand, "offers")
    shop.grant(visitor)
    for _n in range(12):
        shop.send(visitor.customer, "web", priority=90)
    assert shown(shop, client) != str(allowed.pk)

    shop.grant(visitor, "withdrawn", NOW)

    assert shown(shop, client) == str(allowed.pk)


def test_four_slots_cost_no_more_statements_than_one(shop: Shop, visitor: Profile, client: Client) -> None:
    """What nobody guards; tests/channels/onscreen/test_on_the_way.py counts the looks of the journeys' guard."""
    keys = [f"slot-{n}" for n in range(4)]
    for key in keys:
        WebSlot.objects.create(brand=shop.brand, key=key, name=key)
        shop.say("web", options={"slot": key})
        shop.send(visitor.customer, "web", scope_id=new_id())

    def statements(asked: list[str]) -> int:
        with counted() as made:
            answer = shop.ask("/v1/slots", client, slots=asked, anonymousId="a-1")
        assert all(one["placement"] for one in answer.json()["slots"].values())
        return len(made)

    statements(keys)
    assert statements(keys) == statements(keys[:1])
