"""What templates show by what somebody looked at: their own, of this brand, of active products, if they allow it."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from channels.catalogue import coviews, recommend
from channels.catalogue.coviews import count, count_all, count_anew
from channels.dispatch import dispatch_due
from channels.dispatch.extras import Want
from channels.models import AlsoViewed, CoView, Message, MessageContent, Product, Recommending, TemplateText
from consent.models import Pause, PrivacyRequest, Purpose, Restriction
from customers.models import Address, Brand, EventType, Profile, Source
from tests.channels import catalogue
from tests.channels.catalogue import look, stock, tell
from tests.journeys.stage import Stage, make_stage, welcome
from tests.statements import counted

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Stage:
    """A brand with six products, which names a purpose for showing people what they looked at."""
    stage = make_stage()
    stock(stage.brand, "a", "b", "c", "d", "e", "f", now=stage.now - timedelta(days=1))
    catalogue.recommend(stage)
    return stage


def want(stage: Stage, user: str = "ana", locale: str = "en") -> Want:
    profile = Profile.objects.get(identifier__value=user)
    address = Address.objects.filter(profiles__profile=profile).first()
    return Want(
        stage.brand.pk, stage.purpose.pk, "email", profile.pk, profile.customer_id,
        address.pk if address else None, locale, "en",
    )  # fmt: skip


def keys(listed: Any) -> list[str]:
    return [one["key"] for one in listed]


def viewed(stage: Stage, user: str = "ana", **more: Any) -> list[str]:
    return keys(recommend.recently_viewed([want(stage, user)], more.get("now", stage.now), 0)[0])


def recommended(stage: Stage, user: str = "ana") -> list[str]:
    return keys(recommend.recommended([want(stage, user)], stage.now, 0)[0])


def test_what_somebody_viewed_comes_newest_first_and_once(shop: Stage) -> None:
    shop.know()
    look(shop, "ana", "a", "b", "a", "c", hours=2)
    assert viewed(shop) == ["c", "a", "b"]


def test_only_what_is_active_of_this_brand_and_known_is_shown(shop: Stage) -> None:
    shop.know()
    look(shop, "ana", "a", "b", "nothing-of-ours", hours=2)
    tell(shop.brand, {"key": "b", "active": False}, now=shop.now)
    rival = Brand.objects.create(key="rival", name="Rival")
    stock(rival, "nothing-of-ours")
    assert viewed(shop) == ["a"]


def test_what_another_brands_source_told_is_not_shown(shop: Stage) -> None:
    shop.know()
    other = Brand.objects.create(key="other", name="Other")
    theirs = Source.objects.create(brand=other, key="shop", name="Theirs", namespace=shop.source.namespace)
    ours, shop.source = shop.source, theirs
    look(shop, "ana", "a", hours=1)
    shop.source = ours
    assert viewed(shop) == []


def test_what_was_not_yet_known_at_a_moment_is_not_shown_as_of_then(shop: Stage) -> None:
    shop.know()
    look(shop, "ana", "a", hours=5)
    look(shop, "ana", "b", hours=1)
    assert viewed(shop, now=shop.now - timedelta(hours=2)) == ["a"]


def test_a_list_of_products_and_a_type_of_the_brands_own_count(shop: Stage) -> None:
    EventType.objects.create(brand=shop.brand, name="item.seen", role=EventType.Role.VIEW, key_property="item")
    shop.know()
    shop.happen("item.seen", properties={"item": "d"})
    shop.now += timedelta(minutes=1)
    shop.happen("Product Viewed", properties={"products": [{"sku": "e"}, {"product_id": "f"}, "odd", {"sku": 3}]})
    assert viewed(shop) == ["e", "f", "d"]


@pytest.mark.parametrize("properties", [{}, {"products": {}}, {"products": "a"}, {"product_id": ["a"]}, {"sku": None}])
def test_an_event_that_names_no_product_is_no_view(shop: Stage, properties: dict[str, Any]) -> None:
    shop.know()
    shop.happen("Product Viewed", properties=properties)
    assert viewed(shop) == []


def test_a_product_is_told_in_the_readers_language(shop: Stage) -> None:
    texts = {"pt": {"name": "Caneca"}, "de": {"name": "Becher"}}
    tell(shop.brand, {"key": "a", "price": 4990, "currency": "BRL", "texts": texts}, now=shop.now)
    shop.know()
    look(shop, "ana", "a", hours=1)
    [[told]] = recommend.recently_viewed([want(shop, locale="pt-BR")], shop.now, 0)
    assert (told["name"], told["price"], told["currency"], told["available"]) == ("Caneca", 4990, "BRL", True)
    [[told]] = recommend.recently_viewed([want(shop, locale="fr")], shop.now, 0)
    assert told["name"] == "A"
    assert "url" not in told


def test_without_permission_there_is_nothing(shop: Stage) -> None:
    shop.know()
    look(shop, "ana", "a", hours=1)
    shop.accept("consent.withdrawn", properties={"purpose": "personal"})
    shop.run()
    assert (viewed(shop), recommended(shop)) == ([], [])


def test_a_purpose_that_needs_consent_allows_nothing_until_it_is_given(shop: Stage) -> None:
    Purpose.objects.filter(key="personal").update(kind=Purpose.Kind.MARKETING)
    shop.know()
    look(shop, "ana", "a", hours=1)
    assert viewed(shop) == []
    shop.accept("consent.granted", properties={"purpose": "personal"})
    shop.run()
    assert viewed(shop) == ["a"]


def test_whoever_had_processing_restricted_is_shown_nothing_and_counted_nowhere(shop: Stage) -> None:
    for user in ("ana", "bia"):
        shop.know(user)
        look(shop, user, "a", "b", hours=1)
    request = PrivacyRequest.objects.create(
        brand=shop.brand, kind="restriction", law="lgpd", channel="email", state="done", assurance=3, subject=[],
        opened_at=shop.now, due_on=shop.now.date(),
    )  # fmt: skip
    Restriction.objects.create(request=request, profile_id=want(shop).profile_id, since=shop.now)
    assert (viewed(shop), viewed(shop, "bia")) == ([], ["b", "a"])
    count(shop.brand.pk, shop.now)
    assert set(CoView.objects.values_list("people", flat=True)) == {1}


def test_a_brand_that_names_no_purpose_shows_nothing(shop: Stage) -> None:
    shop.know()
    look(shop, "ana", "a", hours=1)
    Recommending.objects.all().delete()
    assert (viewed(shop), recommended(shop)) == ([], [])


def test_a_purpose_of_another_brand_or_one_owed_by_law_cannot_be_named(shop: Stage) -> None:
    other = Brand.objects.create(key="other", name="Other")
    theirs = Purpose.objects.create(brand=other, key="x", name="X", kind="service")
    with pytest.raises(ValidationError, match="of another brand"):
        Recommending(brand=shop.brand, purpose=theirs).clean()
    law = Purpose.objects.create(brand=shop.brand, key="law", name="Law", kind="legal")
    with pytest.raises(ValidationError, match="owed by law"):
        Recommending(brand=shop.brand, purpose=law).clean()


def crowd(stage: Stage) -> None:
    """Three viewed a and b, two of them c as well, two e alone."""
    for user, seen in {"u1": "abc", "u2": "abc", "u3": "ab", "u4": "e", "u5": "e"}.items():
        stage.know(user)
        look(stage, user, *seen, hours=3)


def test_co_views_are_counted_over_people_and_hold_none(shop: Stage) -> None:
    crowd(shop)
    count(shop.brand.pk, shop.now)
    found = CoView.objects.values_list("product__key", "other__key", "people")
    assert Counter({(one, other): people for one, other, people in found}) == {
        ("a", "a"): 3, ("b", "b"): 3, ("c", "c"): 2, ("e", "e"): 2, ("a", "b"): 3, ("b", "a"): 3,
        ("a", "c"): 2, ("c", "a"): 2, ("b", "c"): 2, ("c", "b"): 2,
    }  # fmt: skip
    of_a = AlsoViewed.objects.filter(product__key="a").order_by("place")
    assert list(of_a.values_list("other__key", "place", "weight")) == [("b", 1, 3.0), ("c", 2, 2.0)]
    most = AlsoViewed.objects.filter(product=None).order_by("place").values_list("other__key", flat=True)
    assert set(list(most)[:2]) == {"a", "b"}


def test_counting_twice_counts_the_same(shop: Stage) -> None:
    crowd(shop)
    count(shop.brand.pk, shop.now)
    before = sorted(CoView.objects.values_list("day", "product", "other", "people"))
    ranked = sorted(AlsoViewed.objects.values_list("product__key", "other__key", "place", "weight"), key=str)
    for _again in range(2):
        count(shop.brand.pk, shop.now + timedelta(minutes=1))
    count_anew(shop.brand.pk)
    count_all(shop.now + timedelta(minutes=2), 60)
    assert sorted(CoView.objects.values_list("day", "product", "other", "people")) == before
    assert sorted(AlsoViewed.objects.values_list("product__key", "other__key", "place", "weight"), key=str) == ranked


def test_what_was_viewed_on_another_day_of_the_week_counts_together_and_weighs_less_with_time(shop: Stage) -> None:
    for user in ("u1", "u2"):
        shop.know(user)
        look(shop, user, "a", hours=5 * 24)
        look(shop, user, "b", hours=1)
        look(shop, user, "d", hours=20 * 24)
    count(shop.brand.pk, shop.now)
    of_a = AlsoViewed.objects.filter(product__key="a").values_list("other__key", "weight")
    assert list(of_a) == [("b", 2.0)]
    shop.now += timedelta(days=coviews.HALF_LIFE_DAYS)
    count(shop.brand.pk, shop.now)
    assert list(AlsoViewed.objects.filter(product__key="a").values_list("other__key", "weight")) == [("b", 1.0)]
    shop.now += coviews.WINDOW
    count(shop.brand.pk, shop.now)
    assert not AlsoViewed.objects.exists()
    assert not CoView.objects.exists()


def test_what_one_person_alone_viewed_is_recommended_to_nobody(shop: Stage) -> None:
    shop.know("u1")
    look(shop, "u1", "a", "b", hours=3)
    count(shop.brand.pk, shop.now)
    assert CoView.objects.count() == 4
    assert not AlsoViewed.objects.exists()


def test_who_said_no_is_not_counted(shop: Stage) -> None:
    crowd(shop)
    shop.accept("consent.withdrawn", "u3", properties={"purpose": "personal"})
    shop.run()
    count(shop.brand.pk, shop.now)
    assert CoView.objects.get(product__key="a", other__key="b").people == 2


def test_recommended_is_what_others_viewed_as_well_then_what_is_viewed_most(shop: Stage) -> None:
    crowd(shop)
    count(shop.brand.pk, shop.now)
    shop.know()
    look(shop, "ana", "a", hours=1)
    assert recommended(shop) == ["b", "c", "e"]


def test_what_was_bought_or_is_not_to_be_had_is_not_recommended(shop: Stage) -> None:
    crowd(shop)
    count(shop.brand.pk, shop.now)
    shop.know()
    look(shop, "ana", "a", hours=1)
    shop.happen("Order Completed", properties={"products": [{"product_id": "b"}]})
    tell(shop.brand, {"key": "e", "available": False}, now=shop.now)
    assert recommended(shop) == ["c"]


def test_who_viewed_nothing_gets_what_is_viewed_most(shop: Stage) -> None:
    crowd(shop)
    count(shop.brand.pk, shop.now)
    shop.know()
    assert set(recommended(shop)[:2]) == {"a", "b"}
    assert set(recommended(shop)[2:]) == {"c", "e"}


def test_each_gets_their_own_by_as_many_statements(shop: Stage) -> None:
    crowd(shop)
    count(shop.brand.pk, shop.now)
    wants = [want(shop, f"u{n}") for n in range(1, 6)]
    recommend.recommended(wants[:1], shop.now, 0)
    with counted() as few:
        some = recommend.recommended(wants[:1], shop.now, 0)
    with counted() as many:
        found = recommend.recommended(wants, shop.now, 0)
    assert len(few) == len(many) <= 8
    assert keys(found[0]) == keys(some[0])
    assert keys(found[2])[0] == "c"
    assert "e" not in keys(found[4])


def test_a_message_shows_them_with_their_price(shop: Stage) -> None:
    text = "{% for one in recently_viewed %}{{ one.name }} {{ one.price | money: one.currency }};{% endfor %}"
    TemplateText.objects.update(text=text)
    tell(shop.brand, {"key": "a", "price": 4990, "currency": "USD"}, now=shop.now)
    shop.publish(welcome())
    shop.know()
    look(shop, "ana", "a", hours=1)
    shop.happen("customer.signed_up")
    dispatch_due(shop.connector.pk, shop.now)
    assert Message.objects.get().state == "sent"
    assert MessageContent.objects.get().body == "A $49.90;"


def test_a_template_has_its_own_words_for_who_is_shown_nothing(shop: Stage) -> None:
    TemplateText.objects.update(text="{% if recommended.size > 0 %}For you{% else %}Come and see{% endif %}")
    shop.publish(welcome())
    shop.know()
    shop.happen("customer.signed_up")
    dispatch_due(shop.connector.pk, shop.now)
    assert MessageContent.objects.get().body == "Come and see"


def test_a_product_that_is_gone_takes_its_counts_along(shop: Stage) -> None:
    crowd(shop)
    count(shop.brand.pk, shop.now)
    Product.objects.filter(key="a").delete()
    assert not CoView.objects.filter(other__key="a").exists()
    assert AlsoViewed.objects.filter(product__key="b").values_list("other__key", flat=True).get() == "c"


def test_one_person_on_two_days_is_not_two(shop: Stage) -> None:
    shop.know("u1")
    look(shop, "u1", "a", "b", hours=30)
    look(shop, "u1", "a", "b", hours=3)
    count(shop.brand.pk, shop.now)
    assert CoView.objects.filter(product__key="a", other__key="b").count() == 2
    assert not AlsoViewed.objects.exists()


def test_who_never_agreed_where_that_is_needed_is_not_counted(shop: Stage) -> None:
    Purpose.objects.filter(key="personal").update(kind=Purpose.Kind.MARKETING)
    crowd(shop)
    count(shop.brand.pk, shop.now)
    assert not CoView.objects.exists()
    for user in ("u1", "u2"):
        shop.accept("consent.granted", user, properties={"purpose": "personal"})
    shop.run()
    count_anew(shop.brand.pk)
    count(shop.brand.pk, shop.now)
    assert CoView.objects.get(product__key="a", other__key="b").people == 2


def test_who_agreed_at_an_address_is_counted_and_who_pauses_messages_as_well(shop: Stage) -> None:
    Purpose.objects.filter(key="personal").update(kind=Purpose.Kind.MARKETING)
    shop.know("u1")
    look(shop, "u1", "a", hours=3)
    shop.accept("consent.granted", "u1", properties={"purpose": "personal", "email": "u1@example.com"})
    shop.run()
    address = Address.objects.get(channel="email")
    until = shop.now + timedelta(days=9)
    Pause.objects.create(brand=shop.brand, address=address, since=shop.now, until=until)
    assert viewed(shop, "u1") == ["a"]
    count(shop.brand.pk, shop.now)
    assert CoView.objects.get().people == 1


def one_of_two(stage: Stage) -> Profile:
    """Somebody with two profiles, who looked at products by one; the other."""
    for user in ("u1", "u2"):
        stage.know(user)
    look(stage, "u1", "a", "b", hours=3)
    other = Profile.objects.get(identifier__value="u2")
    Profile.objects.filter(identifier__value="u1").update(customer_id=other.customer_id)
    return other


def test_a_no_by_another_profile_of_the_same_person_counts(shop: Stage) -> None:
    one_of_two(shop)
    shop.accept("consent.withdrawn", "u2", properties={"purpose": "personal"})
    shop.run()
    assert viewed(shop, "u1") == []
    count(shop.brand.pk, shop.now)
    assert not CoView.objects.exists()


def test_a_restriction_of_another_profile_of_the_same_person_counts(shop: Stage) -> None:
    other = one_of_two(shop)
    request = PrivacyRequest.objects.create(
        brand=shop.brand, kind="restriction", law="lgpd", channel="email", state="done", assurance=3, subject=[],
        opened_at=shop.now, due_on=shop.now.date(),
    )  # fmt: skip
    Restriction.objects.create(request=request, profile_id=other.pk, since=shop.now)
    assert viewed(shop, "u1") == []
    count(shop.brand.pk, shop.now)
    assert not CoView.objects.exists()


def test_two_profiles_of_one_person_are_one(shop: Stage) -> None:
    one_of_two(shop)
    look(shop, "u2", "a", "b", hours=2)
    count(shop.brand.pk, shop.now)
    assert CoView.objects.get(product__key="a", other__key="b").people == 1


def test_a_count_that_takes_longer_than_a_turn_comes_to_its_end(shop: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(shop)
    passed, days, rung = [0.0], list[date](), list[str]()
    count_day = coviews._count_day

    def slowly(row: Recommending, day: date, now: datetime) -> None:
        days.append(day)
        passed[0] += 7
        count_day(row, day, now)

    monkeypatch.setattr("channels.catalogue.coviews.time.monotonic", lambda: passed[0])
    monkeypatch.setattr(coviews, "_count_day", slowly)
    monkeypatch.setattr("channels.catalogue.coviews.bells.ring", rung.append)
    for turn in range(30):
        count_all(shop.now + timedelta(seconds=21 * turn), 20)
    # Three a turn of the 57 days for good, and in the 20th the three open ones.
    assert (len(days), len(set(days)), len(rung)) == (60, 60, 19)
    assert AlsoViewed.objects.filter(product__key="a", other__key="b").exists()
    count_all(shop.now + timedelta(hours=2), 20)
    assert len(days) == 63
    assert len(rung) == 19


def test_a_brand_that_was_never_counted_comes_first(shop: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    count(shop.brand.pk, shop.now - timedelta(hours=2))
    other = Brand.objects.create(key="other", name="Other")
    purpose = Purpose.objects.create(brand=other, key="x", name="X", kind="service")
    Recommending.objects.create(brand=other, purpose=purpose)
    counted_brands: list[Any] = []
    monkeypatch.setattr(coviews, "count", lambda brand, *_: counted_brands.append(brand) or True)  # type: ignore[func-returns-value]
    count_all(shop.now, 20)
    assert counted_brands == [other.pk, shop.brand.pk]


def test_who_asks_meanwhile_for_all_days_anew_gets_them(shop: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(shop)
    count(shop.brand.pk, shop.now - timedelta(hours=2))
    count_day = coviews._count_day

    def disturbed(row: Recommending, day: date, now: datetime) -> None:
        count_day(row, day, now)
        count_anew(row.pk)

    monkeypatch.setattr(coviews, "_count_day", disturbed)
    assert count(shop.brand.pk, shop.now) is False
    assert Recommending.objects.get().counted_at is None


def test_what_is_not_to_be_had_takes_no_place_among_the_best(shop: Stage) -> None:
    crowd(shop)
    tell(shop.brand, {"key": "b", "active": False}, {"key": "c", "available": False}, now=shop.now)
    count(shop.brand.pk, shop.now)
    assert not AlsoViewed.objects.filter(product__key="a").exists()
    most = AlsoViewed.objects.filter(product=None).order_by("place").values_list("other__key", "place")
    assert list(most) == [("a", 1), ("e", 2)]


def test_an_event_is_a_view_of_one_product(shop: Stage) -> None:
    shop.know()
    shop.happen("Product Viewed", properties={"sku": "b", "product_id": "a"})
    assert viewed(shop) == ["b"]
    shop.now += timedelta(minutes=1)
    shop.happen("Product Viewed", properties={"sku": "no-product-of-ours", "product_id": "c"})
    assert viewed(shop) == ["c", "b"]
    shop.now += timedelta(minutes=1)
    shop.happen("Product Viewed", properties={"products": [{"key": "d", "product_id": "e"}, {"key": "f"}]})
    assert viewed(shop) == ["e", "f", "c", "b"]


def test_the_property_that_the_brand_names_comes_first(shop: Stage) -> None:
    EventType.objects.create(brand=shop.brand, name="item.seen", role=EventType.Role.VIEW, key_property="item")
    shop.know()
    shop.happen("item.seen", properties={"item": "d", "sku": "b", "products": [{"item": "e", "sku": "f"}]})
    assert sorted(viewed(shop)) == ["d", "e"]
