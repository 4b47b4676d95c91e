"""What lists show: names people know, states in words, links in no link, and a word when there is nothing."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client, RequestFactory
from django.urls import reverse
from guardian.shortcuts import assign_perm

from config.navigation import navigation
from customers.models import Brand, Customer, Profile, ProfileBrand
from tests.config.one_of_each import NOW, make_one_of_each

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


def request_of(**person: Any) -> Any:
    request: Any = RequestFactory().get("/admin/")
    request.user = get_user_model().objects.create_user("ines", is_staff=True, **person)
    return request


def test_every_page_in_the_navigation_opens(root: Client) -> None:
    request = request_of(is_superuser=True)
    links = [item["link"] for group in navigation(request) for item in group["items"]]
    assert len(links) > 30
    assert {link: root.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_navigation_leads_nobody_where_they_may_not_go() -> None:
    request = request_of()
    request.user.user_permissions.add(Permission.objects.get(codename="view_journey"))
    links = [item["link"] for group in navigation(request) for item in group["items"]]
    assert links == [reverse("admin:index"), reverse("admin:journeys_journey_changelist")]


def test_every_list_without_rows_says_what_would_be_there_or_offers_to_add(root: Client) -> None:
    silent = []
    for model, served in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        answer = root.get(reverse(name))
        if not answer.context["cl"].result_count and "Nothing yet" not in answer.content.decode():
            silent.append(model)
        assert served.search_help_text or not served.search_fields, model
    assert silent == []


def test_no_row_s_own_link_holds_another(root: Client) -> None:
    make_one_of_each()
    nested = []
    for model in admin.site._registry:
        served: Any = admin.site.get_model_admin(model)
        request = RequestFactory().get("/")
        request.user = get_user_model().objects.get(username="root")
        leading = served.get_list_display_links(request, served.get_list_display(request)) or ()
        nested += [model for column in leading if getattr(column, "leads_elsewhere", False)]
    assert nested == []


def test_a_customer_is_listed_by_name_and_masked_from_whom_it_must_be(root: Client) -> None:
    brand = Brand.objects.create(key="acme", name="Acme")
    traits = {"first_name": "Ana", "last_name": "Souza", "email": "ana@example.com"}
    customer = Customer.objects.create(created_at=NOW, traits=traits)
    profile = Profile.objects.create(customer=customer, customer_since=NOW, created_at=NOW)
    ProfileBrand.objects.create(profile=profile, brand=brand, first_seen_at=NOW)
    listed = reverse("admin:customers_customer_changelist")
    shown = root.get(listed).content.decode()
    assert ("Ana Souza" in shown, "ana@example.com" in shown) == (True, True)
    user = get_user_model().objects.create_user("ines", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_customer"))
    assign_perm("view_brand", user, brand)
    masked = Client()
    masked.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    hidden = masked.get(listed).content.decode()
    assert str(customer.pk) in hidden
    assert ("Ana" in hidden, "ana@example.com" in hidden) == (False, False)


@pytest.mark.parametrize(
    ("field", "value"),
    # XXX is ISO 4217's for no currency at all, which no brand can count in.
    [("zone", "Mars/Olympus"), ("locale", "klingon"), ("currency", "XXX")],
)
def test_a_brand_takes_real_zones_languages_and_currencies_only(field: str, value: str, root: Client) -> None:
    form = {"name": "Acme", "key": "acme", "zone": "America/Sao_Paulo", "locale": "pt-BR", "currency": "BRL"}
    answer = root.post(reverse("admin:customers_brand_add"), form | {field: value})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert not Brand.objects.exists()
    root.post(reverse("admin:customers_brand_add"), form)
    assert Brand.objects.get().zone == "America/Sao_Paulo"


def test_what_a_brand_has_already_stays_a_choice(root: Client) -> None:
    brand = Brand.objects.create(key="acme", name="Acme", locale="tlh")
    form = {"name": "Acme!", "key": "acme", "zone": "UTC", "locale": "tlh", "currency": "USD"}
    root.post(reverse("admin:customers_brand_change", args=[brand.pk]), form)
    brand.refresh_from_db()
    assert (brand.name, brand.locale) == ("Acme!", "tlh")
