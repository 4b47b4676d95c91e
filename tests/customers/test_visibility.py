"""Who sees what: brands by permission or squad, rows by their brand, personal data by `view_pii`."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission, User
from guardian.shortcuts import assign_perm

from customers.models import (
    Squad,
    SquadMember,
)
from customers.models.owned import Owned
from customers.visibility import visible_brands
from tests.config.one_of_each import make_one_of_each
from tests.consent import people

pytestmark = pytest.mark.django_db

APPS = ("customers", "consent", "channels", "journeys", "analytics")
MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models()]
OWNED: list[Any] = [model for model in MODELS if issubclass(model, Owned)]
GRANTS = "UserPermission", "GroupPermission"


def person(name: str = "ana", *permissions: str, **fields: Any) -> User:
    user = get_user_model().objects.create_user(name, is_staff=True, **fields)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def again(user: User) -> User:
    """As the next request loads them."""
    return get_user_model().objects.get(pk=user.pk)


def test_every_model_knows_whom_it_may_be_shown_to() -> None:
    assert [
        model.__name__ for model in MODELS if not issubclass(model, Owned) and not model.__name__.endswith(GRANTS)
    ] == []


def test_a_permission_on_the_brand_shows_it() -> None:
    acme, other = people.make_brand("acme"), people.make_brand("other")
    ana = person()
    assert list(visible_brands(ana)) == []
    assign_perm("view_brand", ana, acme)
    assert list(visible_brands(again(ana))) == [acme]
    assert other not in visible_brands(again(ana))


def test_a_group_shows_its_brands() -> None:
    acme = people.make_brand("acme")
    people.make_brand("other")
    group = Group.objects.create(name="readers")
    assign_perm("view_brand", group, acme)
    ana = person()
    ana.groups.add(group)
    assert list(visible_brands(ana)) == [acme]


def test_a_squad_shows_its_brand() -> None:
    acme = people.make_brand("acme")
    people.make_brand("other")
    ana = person()
    SquadMember.objects.create(squad=Squad.objects.create(brand=acme, name="One"), user=ana, role="data_owner")
    assert list(visible_brands(ana)) == [acme]


def test_a_stranger_sees_no_row_of_any_model() -> None:
    make_one_of_each()
    strangers = people.make_brand("strangers")
    stranger = person("stranger")
    assign_perm("view_brand", stranger, strangers)
    seen = {model.__name__: model.objects.visible_to(stranger) for model in OWNED}
    # What an installation says once for all brands.
    assert all(seen.pop(model).exists() for model in ("IdentifierKind", "TraitDefinition"))
    assert list(seen.pop("Brand")) == [strangers]
    assert {name: list(rows) for name, rows in seen.items() if rows} == {}
    # Nor are they told anything personal of what they do not see.
    told = {
        model.__name__: model.objects.personal_to(stranger).exclude(pk__in=model.objects.visible_to(stranger))
        for model in OWNED
    }
    assert {name: list(rows) for name, rows in told.items() if rows} == {}


def test_who_sees_every_brand_sees_every_row() -> None:
    world = make_one_of_each()
    ana = person()
    assign_perm("view_brand", ana, world.brand)
    unseen = {model.__name__: set(model.objects.all()) - set(model.objects.visible_to(ana)) for model in OWNED}
    assert {name: rows for name, rows in unseen.items() if rows} == {}
