"""Giving people a brand: who may, what, to whom; and that it is written down."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from guardian.shortcuts import assign_perm

from customers import access
from customers.models import AuditEntry, Brand, Squad, SquadMember
from tests.consent import people

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
VIEW, PERSONAL, CHANGE = access.RIGHTS

pytestmark = pytest.mark.django_db


def staff(name: str, brand: Brand | None = None, *rights: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    for right in rights:
        assign_perm(right, user, brand)
    return user


def rights(user: User, brand: Brand) -> set[str]:
    return {right for one in access.people_of(brand) if one.user == user for right in one.rights}


def give(brand: Brand, user: User, *wanted: str, by: User) -> bool:
    return access.set_rights(brand, user, wanted, by=User.objects.get(pk=by.pk), now=NOW)


@pytest.fixture
def acme() -> Brand:
    return people.make_brand("acme")


def test_who_manages_a_brand_gives_it_to_others(acme: Brand) -> None:
    boss, ana = staff("boss", acme, VIEW, CHANGE), staff("ana")
    assert give(acme, ana, VIEW, by=boss)
    assert rights(ana, acme) == {VIEW}
    assert not give(acme, ana, VIEW, by=boss), "nothing is left to change"
    assert give(acme, ana, by=boss)
    assert rights(ana, acme) == set()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor, entry.brand, entry.before, entry.after) == (
        "access", boss, acme, {"person": "ana", "rights": [VIEW]}, {"person": "ana", "rights": []},
    )  # fmt: skip
    assert AuditEntry.objects.count() == 2


def test_whoever_gets_any_right_sees_the_brand(acme: Brand) -> None:
    root = User.objects.create_superuser("root")
    ana = staff("ana")
    give(acme, ana, PERSONAL, by=root)
    assert rights(ana, acme) == {VIEW, PERSONAL}


@pytest.mark.parametrize(
    ("held", "wanted"),
    [((VIEW, CHANGE), (VIEW, PERSONAL)), ((VIEW, PERSONAL), (VIEW,)), ((), (VIEW,)), ((CHANGE,), (VIEW,))],
    ids=["personal data nobody gave them", "no manager", "a stranger", "managing without seeing"],
)
def test_nobody_gives_what_is_not_theirs(held: tuple[str, ...], wanted: tuple[str, ...], acme: Brand) -> None:
    boss, ana = staff("boss", acme, *held), staff("ana")
    with pytest.raises(access.NotYours):
        give(acme, ana, *wanted, by=boss)
    assert rights(ana, acme) == set()
    assert not AuditEntry.objects.exists()


def test_nobody_changes_their_own_rights(acme: Brand) -> None:
    boss = staff("boss", acme, VIEW, CHANGE)
    with pytest.raises(access.NotYours):
        give(acme, boss, VIEW, by=boss)


def test_a_manager_of_one_brand_is_nobody_in_another(acme: Brand) -> None:
    boss, ana = staff("boss", acme, VIEW, CHANGE), staff("ana")
    with pytest.raises(access.NotYours):
        give(people.make_brand("other"), ana, VIEW, by=boss)


def test_lists_those_who_came_by_a_squad(acme: Brand) -> None:
    ana = staff("ana")
    SquadMember.objects.create(squad=Squad.objects.create(brand=acme, name="Carts"), user=ana, role="data_owner")
    assert access.people_of(acme) == [access.Access(ana, frozenset(), ("Carts",))]


def page(brand: Brand) -> str:
    return f"/admin/customers/brand/{brand.pk}/people/"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def manager(brand: Brand) -> User:
    boss = staff("boss", brand, VIEW, CHANGE)
    from django.contrib.auth.models import Permission

    boss.user_permissions.add(Permission.objects.get(codename="view_brand", content_type__app_label="customers"))
    return boss


def test_the_page_gives_and_takes(acme: Brand) -> None:
    boss, ana = manager(acme), staff("ana")
    assert as_(boss).post(page(acme), {"person": "ana", "rights": [VIEW, CHANGE]}).status_code == 302
    assert rights(ana, acme) == {VIEW, CHANGE}
    shown = as_(boss).get(page(acme)).content.decode()
    assert "ana" in shown
    assert as_(boss).post(page(acme), {"person": "ana"}).status_code == 302
    assert rights(ana, acme) == set()


@pytest.mark.parametrize("name", ["nobody", "", "'; --", "x" * 400, "\x00", "gone", "shopper"])
def test_the_page_knows_no_others_than_the_staff(name: str, acme: Brand) -> None:
    staff("gone")
    User.objects.filter(username="gone").update(is_active=False)
    User.objects.create_user("shopper")
    answer = as_(manager(acme)).post(page(acme), {"person": name, "rights": [VIEW]}, follow=True)
    assert "No member of the staff goes by that user name." in answer.content.decode()


def test_the_page_opens_for_managers_only(acme: Brand) -> None:
    boss, other = manager(acme), people.make_brand("other")
    assert as_(boss).get(page(acme)).status_code == 200
    assert as_(boss).get(page(other)).status_code == 302, "as for a brand that is not there"
    assign_perm(VIEW, boss, other)
    assert as_(boss).get(page(other)).status_code == 403
    assert as_(boss).post(page(other), {"person": "boss", "rights": [CHANGE]}).status_code == 403
