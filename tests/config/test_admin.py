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
from customers.models import AuditEntry, Brand, Customer, ErasedSubject, MatchItem
from journeys.models import Run
from tests.config.one_of_each import HOSTILE, first, make_one_of_each

APPS = ("customers", "consent", "channels", "journeys")
MODELS: list[type[Model]] = [model for app in APPS for model in apps.get_app_config(app).get_models()]
# Rights have their page at the brand or squad they are for, log-in devices at their owner's, pieces of a file at
# its import, listed types at their source; secrets have none.
ELSEWHERE = {
    "BrandUserPermission",
    "BrandGroupPermission",
    "SquadUserPermission",
    "SquadGroupPermission",
    "LogInBackOff",
    "Authenticator",
    "RecoveryCode",
    "ImportChunk",
    "SimulatedEvents",
    "SourceEventType",
}
OURS = [
    model for model in MODELS if not isinstance(model._meta.pk, CompositePrimaryKey) and model.__name__ not in ELSEWHERE
]
FACTS = [model for model in OURS if isinstance(admin.site._registry.get(model), ReadOnly)]
EDITED = [model for model in OURS if model not in FACTS]
# A hash cannot be named in a URL.
WITH_PAGE = [model for model in OURS if model is not ErasedSubject]

pytestmark = pytest.mark.django_db


def page(model: type[Model], view: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def unexpected(answers: dict[type[Model], Any], *expected: int) -> dict[str, int]:
    return {
        model.__name__: answer.status_code for model, answer in answers.items() if answer.status_code not in expected
    }


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


def test_what_there_is_is_listed_on_the_page_of_its_app_and_worked_out_on_no_other(root: Client) -> None:
    assert root.get("/admin/").context["available_apps"] == []
    [consent] = root.get(reverse("admin:app_list", args=["consent"])).context["app_list"]
    listed = {entry["model"] for entry in consent["models"]}
    assert listed == {model for model in admin.site._registry if model._meta.app_label == "consent"}


def test_every_list_opens_and_trusts_no_value(root: Client) -> None:
    make_one_of_each()
    answers = {model: root.get(page(model, "changelist")) for model in OURS}
    assert unexpected(answers, 200) == {}
    assert [model for model, answer in answers.items() if not answer.context["cl"].result_count] == []
    assert [model for model, answer in answers.items() if HOSTILE in answer.content.decode()] == []


def test_every_change_page_opens_and_trusts_no_value(root: Client) -> None:
    make_one_of_each()
    answers = {model: root.get(page(model, "change", first(model).pk)) for model in WITH_PAGE}
    assert unexpected(answers, 200) == {}
    assert [model for model, answer in answers.items() if HOSTILE in answer.content.decode()] == []


def test_every_form_for_something_new_opens(root: Client) -> None:
    assert unexpected({model: root.get(page(model, "add")) for model in EDITED}, 200) == {}


@pytest.mark.parametrize(
    "term", ["ana@example.com", "17", "0196f000-0000-7000-8000-000000000001", "'; --", "9" * 40, "\N{SNOWMAN}"]
)
def test_every_list_can_be_searched_for_anything(term: str, root: Client) -> None:
    answers = {model: root.get(page(model, "changelist"), {"q": term}) for model in OURS}
    assert unexpected(answers, 200) == {}


def test_nobody_unknown_and_no_stranger_sees_anything(stranger: Client) -> None:
    make_one_of_each()
    paths = {model: [page(model, "changelist"), page(model, "change", first(model).pk)] for model in WITH_PAGE}
    for paths_of in zip(*paths.values(), strict=True):
        unknown = dict(zip(paths, map(Client().get, paths_of), strict=True))
        assert unexpected(unknown, 302) == {}
        known = dict(zip(paths, map(stranger.get, paths_of), strict=True))
        assert unexpected(known, 403) == {}


def test_forged_posts_change_no_fact(root: Client) -> None:
    make_one_of_each()
    before = {model: everything(model) for model in FACTS}
    keys = {model: first(model).pk for model in FACTS}
    add = {model: root.post(page(model, "add"), {"id": "7"}) for model in FACTS}
    assert unexpected(add, 403) == {}
    for view, fields in (("change", {"state": "sent"}), ("delete", {"post": "yes"})):
        forged = {model: root.post(page(model, view, keys[model]), fields) for model in FACTS}
        # A hash is not found, which leads back to the start.
        assert unexpected(forged, 403) in ({}, {"ErasedSubject": 302})
    for model in FACTS:
        delete = {"action": "delete_selected", "_selected_action": [keys[model]], "post": "yes"}
        root.post(page(model, "changelist"), delete)
    after = {model: everything(model) for model in FACTS}
    # That somebody tried is itself a fact, written after those there were.
    trail = before.pop(AuditEntry)
    assert sorted(after.pop(AuditEntry))[: len(trail)] == sorted(trail)
    assert after == before


def everything(model: type[Model]) -> list[Any]:
    return [
        tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
        for row in model._default_manager.order_by("pk").values_list()
    ]


def test_what_others_name_by_key_is_not_deleted(root: Client) -> None:
    world = make_one_of_each()
    assert root.post(page(Brand, "delete", world.brand.pk), {"post": "yes"}).status_code == 403
    assert Brand.objects.filter(pk=world.brand.pk).exists()


def test_a_person_is_found_by_a_whole_address_only(root: Client) -> None:
    world = make_one_of_each()
    customers = page(Customer, "changelist")
    assert root.get(customers, {"q": "Ana@example.com"}).context["cl"].result_count == 1
    assert root.get(customers, {"q": "ana@"}).context["cl"].result_count == 0
    assert root.get(customers, {"q": str(world.brand.pk)}).context["cl"].result_count == 0


def test_a_run_shows_its_way(root: Client) -> None:
    make_one_of_each()
    shown = root.get(page(Run, "change", first(Run).pk)).content.decode()
    assert "“Signed Up” brought them in." in shown
    assert "now at “welcome”, state new" in " ".join(shown.split())


def test_a_unit_shows_its_attempts(root: Client) -> None:
    make_one_of_each()
    MatchItem.objects.update(id=1)
    assert "<tr><td>2</td>" in root.get(page(MatchItem, "change", 1)).content.decode()


def test_lists_of_facts_ask_few_questions(root: Client, django_assert_max_num_queries: Any) -> None:
    make_one_of_each()
    for model in FACTS:
        # Session, user, two counts, the rows, and one for each filter that lists another table.
        with django_assert_max_num_queries(8):
            root.get(page(model, "changelist"))
