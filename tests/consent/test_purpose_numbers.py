"""How a purpose stands is counted and shown; what is told ad platforms is the strictest that was said."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from consent.ledger import append
from consent.models import Method, Purpose, State
from consent.numbers import standing
from consent.signals import ad_signals
from customers.models import Address, Brand, Customer, Profile, Source
from tests.consent.people import (
    T0,
    hours,
    make_address,
    make_customer,
    make_notice,
    make_profile,
    make_purpose,
    new_entry,
    seen,
)  # fmt: skip
from tests.customers.test_import_pages import client_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def say(purpose: Purpose, state: str, at: Any = T0, *, profile: Profile | None, address: Address, **more: Any) -> None:
    append([replace(new_entry(address, profile, purpose, state, at), **more)], at)


def someone(number: int) -> tuple[Profile, Address]:
    profile = make_profile(make_customer())
    address = make_address(f"p{number}@example.com")
    seen(profile, address)
    return profile, address


def test_consents_in_force_are_counted_by_what_they_say(newsletter: Purpose, source: Source) -> None:
    cast = [someone(number) for number in range(6)]
    ends = {1: T0 + 10 * DAY, 2: T0 + 40 * DAY, 3: T0 + DAY}
    for number, (profile, address) in enumerate(cast[:4]):
        say(newsletter, State.GIVEN, profile=profile, address=address, valid_until=ends.get(number))
    say(newsletter, State.WITHDRAWN, hours(1), profile=None, address=cast[4][1], method=Method.LINK)
    say(newsletter, State.REQUESTED, hours(1), profile=cast[5][0], address=cast[5][1])
    other = make_purpose(newsletter.brand, "other")
    say(other, State.GIVEN, profile=cast[0][0], address=cast[0][1])
    found = standing(newsletter, T0 + 2 * DAY)
    assert (found.granted, found.withdrawn, found.expired, found.asked, found.expiring) == (3, 1, 1, 1, 1)


def test_answers_are_told_by_source_method_and_day_of_the_brand(newsletter: Purpose, source: Source) -> None:
    Brand.objects.update(zone="America/Sao_Paulo")
    newsletter.refresh_from_db()
    profile, address = someone(1)
    version = make_notice(newsletter.brand)
    say(newsletter, State.GIVEN, hours(0), profile=profile, address=address, source_id=source.pk,
        notice_version_id=version.pk)  # fmt: skip
    # Half past nine in the evening there.
    say(newsletter, State.WITHDRAWN, hours(12.5), profile=profile, address=address, method=Method.ONE_CLICK)
    say(newsletter, State.GIVEN, hours(16), profile=profile, address=address, source_id=source.pk)
    found = standing(newsletter, hours(20))
    told = [(one.source, one.method, one.granted, one.withdrawn, one.unshown) for one in found.whence]
    assert told == [("Shop", "event", 2, 0, 1), (None, "one_click", 0, 1, 1)]
    assert [(str(day), granted, withdrawn) for day, granted, withdrawn in found.days] == [
        ("2026-03-02", 1, 1), ("2026-03-03", 1, 0),
    ]  # fmt: skip
    assert standing(newsletter, T0 + 91 * DAY).whence == []


def test_a_purposes_page_shows_them(newsletter: Purpose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: hours(20))
    root = client_of(User.objects.create_superuser("root"))
    address = reverse("admin:consent_purpose_change", args=[newsletter.pk])
    assert "Nobody answered meanwhile." in root.get(address).content.decode()
    profile, place = someone(1)
    say(newsletter, State.GIVEN, profile=profile, address=place)
    page = root.get(address).content.decode()
    assert "event of a source" in page
    assert "<meter" in page
    assert root.get(reverse("admin:consent_purpose_add")).status_code == 200


def test_ad_platforms_are_told_the_strictest_that_was_said(brand: Brand) -> None:
    data = make_purpose(brand, "ads")
    Purpose.objects.filter(pk=data.pk).update(ad_signal="ad_user_data")
    personal = make_purpose(brand, "personal-ads")
    Purpose.objects.filter(pk=personal.pk).update(ad_signal="ad_personalization")
    (yes, at_yes), (no, at_no), (both, at_both), (silent, _at), (late, at_late) = (someone(n) for n in range(5))
    twin = make_profile(Customer.objects.get(pk=both.customer_id))
    say(data, State.GIVEN, profile=yes, address=at_yes)
    say(personal, State.REFUSED, profile=yes, address=at_yes)
    say(data, State.WITHDRAWN, profile=None, address=at_no, method=Method.LINK)
    say(data, State.GIVEN, profile=both, address=at_both)
    say(data, State.REFUSED, profile=twin, address=make_address("twin@example.com"))
    say(data, State.GIVEN, profile=late, address=at_late, valid_until=hours(1))
    customers = [one.customer_id for one in (yes, no, both, silent, late)]
    told = ad_signals(customers, brand.pk, hours(2))
    assert [told[customer]["ad_user_data"] for customer in customers] == [
        "granted", "denied", "denied", "unspecified", "unspecified",
    ]  # fmt: skip
    assert [told[customer]["ad_personalization"] for customer in customers] == ["denied"] + ["unspecified"] * 4


def test_a_brand_that_asks_nothing_tells_nothing(newsletter: Purpose, profile: Profile) -> None:
    assert ad_signals([profile.customer_id], newsletter.brand_id, T0) == {profile.customer_id: {}}


def test_of_two_purposes_for_one_signal_the_stricter_counts(brand: Brand) -> None:
    one, two = make_purpose(brand, "one"), make_purpose(brand, "two")
    Purpose.objects.update(ad_signal="ad_user_data")
    profile, address = someone(1)
    say(one, State.GIVEN, profile=profile, address=address)
    assert ad_signals([profile.customer_id], brand.pk, T0) == {profile.customer_id: {"ad_user_data": "unspecified"}}
    say(two, State.GIVEN, profile=profile, address=address)
    assert ad_signals([profile.customer_id], brand.pk, T0) == {profile.customer_id: {"ad_user_data": "granted"}}


def test_channels_are_ticked_on_the_page(newsletter: Purpose) -> None:
    root = client_of(User.objects.create_superuser("root"))
    address = reverse("admin:consent_purpose_change", args=[newsletter.pk])
    page = root.get(address)
    assert 'type="checkbox" name="channels" value="sms"' in " ".join(page.content.decode().split())
    form = {name: getattr(newsletter, name) for name in ("name", "key", "kind")} | {"brand": newsletter.brand_id}
    inline = {"texts-TOTAL_FORMS": "0", "texts-INITIAL_FORMS": "0"}
    assert root.post(address, {**form, **inline, "channels": ["email", "sms"]}).status_code == 302
    newsletter.refresh_from_db()
    assert newsletter.channels == ["email", "sms"]
    assert root.post(address, {**form, **inline, "channels": ["person"]}).status_code == 200
    assert root.post(address, {**form, **inline}).status_code == 302
    newsletter.refresh_from_db()
    assert newsletter.channels == []
