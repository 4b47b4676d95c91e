"""Every page of the plain admin opens for those who may see it, and facts stay facts."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import CompositePrimaryKey, Model
from django.test import Client
from django.urls import reverse

from customers.admin.base import ReadOnly
from customers.models import ErasedSubject
from tests.config.one_of_each import HOSTILE, first, make_one_of_each

APPS = ("customers", "consent", "channels", "journeys")
MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models()]
OURS = [model for model in MODELS if not isinstance(model._meta.pk, CompositePrimaryKey)]
FACTS = [model for model in OURS if isinstance(admin.site._registry.get(model), ReadOnly)]
# A hash cannot be named in a URL.
WITH_PAGE = [model for model in OURS if model is not ErasedSubject]

pytestmark = pytest.mark.django_db


def name(model: type[Model]) -> str:
    return model._meta.label


def page(model: type[Model], view: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def change_page(model: type[Model]) -> str:
    return page(model, "change", first(model).pk)


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


@pytest.fixture
def stranger() -> Client:
    """On the staff, but with no permission."""
    client = Client()
    client.force_login(get_user_model().objects.create_user("stranger", is_staff=True))
    return client


def test_every_model_that_can_be_is_registered() -> None:
    assert [model for model in OURS if model not in admin.site._registry] == []


@pytest.mark.parametrize("model", OURS, ids=name)
def test_every_list_opens_and_trusts_no_value(model: type[Model], root: Client) -> None:
    make_one_of_each()
    answer = root.get(page(model, "changelist"))
    assert answer.status_code == 200
    assert answer.context["cl"].result_count >= 1
    assert HOSTILE not in answer.content.decode()


@pytest.mark.parametrize("model", WITH_PAGE, ids=name)
def test_every_change_page_opens_and_trusts_no_value(model: type[Model], root: Client) -> None:
    make_one_of_each()
    answer = root.get(change_page(model))
    assert answer.status_code == 200
    assert HOSTILE not in answer.content.decode()


@pytest.mark.parametrize("model", OURS, ids=name)
def test_every_list_can_be_searched_for_anything(model: type[Model], root: Client) -> None:
    for term in ("ana@example.com", "17", "0198c0de-0000-7000-8000-000000000000", "'; --", "9" * 40):
        assert root.get(page(model, "changelist"), {"q": term}).status_code == 200


@pytest.mark.parametrize("model", [model for model in OURS if model not in FACTS], ids=name)
def test_every_form_for_something_new_opens(model: type[Model], root: Client) -> None:
    assert root.get(page(model, "add")).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=name)
def test_nobody_unknown_and_no_stranger_sees_anything(model: type[Model], stranger: Client) -> None:
    assert Client().get(page(model, "changelist")).status_code == 302
    assert stranger.get(page(model, "changelist")).status_code == 403


@pytest.mark.parametrize("model", FACTS, ids=name)
def test_forged_posts_change_no_fact(model: type[Model], root: Client) -> None:
    make_one_of_each()
    before = everything(model)
    key = first(model).pk
    assert root.post(page(model, "add"), {"id": "7"}).status_code == 403
    assert root.post(page(model, "change", key), {"state": "sent"}).status_code in (302, 403)
    assert root.post(page(model, "delete", key), {"post": "yes"}).status_code in (302, 403)
    forged = {"action": "delete_selected", "_selected_action": [key], "post": "yes"}
    root.post(page(model, "changelist"), forged)
    assert everything(model) == before


def everything(model: type[Model]) -> list[Any]:
    return list(model._default_manager.order_by("pk").values_list())


def test_what_others_name_by_key_is_not_deleted(root: Client) -> None:
    world = make_one_of_each()
    answer = root.post(page(type(world.brand), "delete", world.brand.pk), {"post": "yes"})
    assert answer.status_code == 403
    assert type(world.brand).objects.filter(pk=world.brand.pk).exists()


def test_a_person_is_found_by_a_whole_address_only(root: Client) -> None:
    world = make_one_of_each()
    customers = page(apps.get_model("customers.Customer"), "changelist")
    assert root.get(customers, {"q": "Ana@example.com"}).context["cl"].result_count == 1
    assert root.get(customers, {"q": "ana@"}).context["cl"].result_count == 0
    assert root.get(customers, {"q": str(world.brand.pk)}).context["cl"].result_count == 0


def test_a_run_shows_its_way(root: Client) -> None:
    make_one_of_each()
    shown = root.get(change_page(apps.get_model("journeys.Run"))).content.decode()
    assert "<td>entered</td><td></td><td>welcome</td><td>new</td>" in shown


def test_a_unit_shows_its_attempts(root: Client) -> None:
    make_one_of_each()
    match_item = apps.get_model("customers.MatchItem")
    match_item.objects.update(id=1)
    assert "<tr><td>2</td>" in root.get(page(match_item, "change", 1)).content.decode()


@pytest.mark.parametrize("model", FACTS, ids=name)
def test_lists_of_facts_ask_few_questions(
    model: type[Model], root: Client, django_assert_max_num_queries: Any
) -> None:
    make_one_of_each()
    # Session, user, count and rows, and one for each filter that lists another table.
    with django_assert_max_num_queries(9):
        root.get(page(model, "changelist"))
