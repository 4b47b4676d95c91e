"""Traits on the customer's page: the value that counts, what was said before, and why a value is not used."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from analytics.customer_picture import KnownTrait, picture
from customers import belief, clock, keys
from customers.accept import schemas
from customers.models import Brand, Customer, Source, Trait, TraitDefinition
from customers.places import unused
from customers.resolve import resolve_inbox
from tests.customers.segment_door import Door, identify

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(clock, "utcnow", lambda: NOW)
    brand = Brand.objects.create(key="acme", name="Acme")
    source = Source.objects.create(brand=brand, key="shop", name="Shop")
    yield Door(source, keys.issue(source)[1])
    keys.forget()
    schemas.forget()
    belief.forget_all()


def tell(door: Door, **values: list[Any]) -> Customer:
    """One telling a day, the last of them today."""
    [count] = {len(told) for told in values.values()}
    for number in range(count):
        at = (NOW - timedelta(days=count - number)).isoformat()
        traits = {name: told[number] for name, told in values.items()}
        answer = door.batch(identify(messageId=f"t-{number}", timestamp=at, traits=traits))
        assert answer["accepted"] == 1, answer
    resolve_inbox(NOW)
    return Customer.objects.get()


def known(customer: Customer) -> dict[str, KnownTrait]:
    return {one.name: one for one in picture(customer.pk, lambda model: model._default_manager.all(), None, NOW).traits}


def test_what_was_said_is_shown_as_intervals(door: Door) -> None:
    plan = known(tell(door, plan=["free", "pro"]))["plan"]
    assert (plan.value, plan.others, plan.event and plan.event.source.name) == ("pro", 1, "Shop")
    first, second = NOW - timedelta(days=2), NOW - timedelta(days=1)
    assert [(one.value, one.since, one.until) for one in plan.history] == [
        ("pro", second, None),
        ("free", first, second),
    ]


def test_the_value_that_counts_is_shown_whatever_was_said_last(door: Door) -> None:
    TraitDefinition.objects.create(name="plan", winner="first")
    TraitDefinition.objects.create(name="age", type="number")
    traits = known(tell(door, plan=["free", "pro"], age=["x", "y"]))
    assert (traits["plan"].value, traits["plan"].counts) == ("free", True)
    assert (traits["age"].value, traits["age"].counts) == ("y", False)


@pytest.mark.parametrize(
    ("traits", "zone", "locale", "country"),
    [
        ({"timezone": "America/Sao_Paulo", "locale": "pt-BR", "country": "br"}, "America/Sao_Paulo", "pt-BR", "BR"),
        ({"timezone": "Mars/Olympus", "locale": "Portuguese of Brazil", "country": "Brazil"}, "", "", ""),
        ({"timezone": 5, "locale": ["pt"], "country": None}, "", "", ""),
        ({"timezone": "america/sao_paulo\n", "locale": "zh_Hant_TW", "country": "B1"}, "", "zh_Hant_TW", ""),
    ],
)
def test_what_is_no_zone_locale_or_country_is_kept_and_not_used(
    door: Door, traits: dict[str, Any], zone: str, locale: str, country: str
) -> None:
    customer = tell(door, **{name: [value] for name, value in traits.items()})
    assert (customer.zone, customer.locale, customer.country) == (zone, locale, country)
    assert customer.traits == traits
    used = {"timezone": zone, "locale": locale, "country": country}
    assert {name: bool(unused(name, value)) for name, value in traits.items()} == {
        name: not value for name, value in used.items()
    }


def test_the_page_says_why_and_masks_what_is_personal_only(door: Door) -> None:
    TraitDefinition.objects.create(name="plan", is_personal=False)
    customer = tell(door, plan=["free", "pro"], nickname=["Ana", "Aninha"], timezone=["x", "Mars/Olympus"])
    user = get_user_model().objects.create_user("ines", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_customer"))
    assign_perm("view_brand", user, door.source.brand)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("admin:customers_customer_change", args=[customer.pk])
    shown = client.get(page).content.decode()
    assert "Aninha" not in shown
    assert "free ·" in shown
    assign_perm("view_pii", user, door.source.brand)
    shown = client.get(page).content.decode()
    assert "Aninha" in shown
    assert "not a time zone, so not used" in shown
    assert Trait.objects.count() == 6
