"""The pages of templates: from a template to its words, and to words anew."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from channels.models import TemplateText, TemplateVersion
from tests.channels.world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@example.com", "-"))
    return client


def add(world: World) -> str:
    return f"{reverse('admin:channels_templateversion_add')}?template={world.version.template_id}"


def test_a_template_leads_to_each_of_its_versions_and_to_a_new_one(staff: Client, world: World) -> None:
    page = staff.get(reverse("admin:channels_template_change", args=[world.version.template_id])).content.decode()
    version = reverse("admin:channels_templateversion_change", args=[world.version.pk])
    assert f'<a href="{version}">v{world.version.number}</a>' in page
    assert f'<a href="{add(world)}">Write a new version</a>' in page


def test_who_may_not_write_one_is_not_led_there(client: Client, world: World) -> None:
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_template", "view_templateversion")))
    client.force_login(user)
    answer = client.get(reverse("admin:channels_template_change", args=[world.version.template_id]))
    assert "Write a new version" not in answer.content.decode()


def test_a_new_version_begins_with_the_words_of_the_latest(staff: Client, world: World) -> None:
    made = TemplateVersion.objects.create(template=world.version.template, number=9)
    for locale, mjml in (("en", ""), ("pt-BR", "<mjml></mjml>")):
        TemplateText.objects.create(version=made, locale=locale, subject="Oi", mjml=mjml, html="<p>", text="Hi")
    formset = staff.get(add(world)).context["inline_admin_formsets"][0].formset
    begun = [form.initial for form in formset.forms if form.initial]
    assert [(one["locale"], one["subject"], one["html"], one["mjml"]) for one in begun] == [
        ("en", "Oi", "<p>", ""),
        ("pt-BR", "Oi", "", "<mjml></mjml>"),
    ]
    assert len(formset.forms) == 3


@pytest.mark.parametrize("asked", ["", "?template=", "?template=0190a000-0000-7000-8000-000000000000"])
def test_without_a_template_it_begins_empty(staff: Client, world: World, asked: str) -> None:
    answer = staff.get(reverse("admin:channels_templateversion_add") + asked)
    assert answer.status_code == 200
    assert not any(form.initial for form in answer.context["inline_admin_formsets"][0].formset.forms)


def test_what_was_begun_so_is_saved_as_a_version_of_its_own(staff: Client, world: World) -> None:
    before = list(world.version.texts.order_by("pk").values_list("locale", "subject", "text"))
    given = {
        "template": str(world.version.template_id),
        "texts-TOTAL_FORMS": "3",
        "texts-INITIAL_FORMS": "0",
        "texts-0-locale": before[0][0],
        "texts-0-subject": before[0][1],
        "texts-0-text": "As before, and more",
    }
    answer = staff.post(add(world), given)
    assert answer.status_code == 302
    latest = TemplateVersion.objects.filter(template=world.version.template).latest("number")
    assert (latest.number, latest.texts.get().text) == (world.version.number + 1, "As before, and more")
    assert list(world.version.texts.order_by("pk").values_list("locale", "subject", "text")) == before
