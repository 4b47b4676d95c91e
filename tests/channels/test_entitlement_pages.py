"""Entitlements on the staff pages: granted and taken back with a reason, each on the audit trail."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from channels.models import Entitlement, EntitlementEntry
from customers.models import AuditEntry, Brand, ProfileBrand
from tests.channels.world import NOW, Person, World
from tests.customers.test_import_pages import client_of, marketer

LIST, ADD = "admin:channels_entitlement_changelist", "admin:channels_entitlement_add"


@pytest.fixture
def ana(world: World) -> Person:
    found = world.person()
    ProfileBrand.objects.create(profile=found.profile, brand=world.brand, first_seen_at=NOW)
    return found


@pytest.fixture
def keeper(world: World) -> Client:
    return client_of(marketer("keeper", world.brand, "view_brand", "view_pii"))


def filled(world: World, ana: Person, **fields: Any) -> dict[str, Any]:
    usual = {"brand": str(world.brand.pk), "profile": str(ana.profile.pk), "key": "free_shipping", "quantity": "2",
             "expires_at_0": "", "expires_at_1": "", "reason": "Her parcel was late"}  # fmt: skip
    return usual | fields


def test_granted_by_hand_with_a_reason_and_on_the_trail(keeper: Client, world: World, ana: Person) -> None:
    assert keeper.post(reverse(ADD), filled(world, ana)).status_code == 302
    one = Entitlement.objects.get()
    assert (one.key, one.remaining, one.origin, one.reason) == ("free_shipping", 2, "staff", "Her parcel was late")
    assert one.origin_id == str(User.objects.get(username="keeper").pk)
    entry = AuditEntry.objects.get(object_type="channels.entitlement")
    assert (entry.action, entry.object_id, entry.actor.username) == ("add", str(one.pk), "keeper")  # type: ignore[union-attr]  # somebody did it
    assert "free_shipping" in keeper.get(reverse(LIST)).content.decode()


def test_taken_back_by_hand_once(keeper: Client, world: World, ana: Person) -> None:
    keeper.post(reverse(ADD), filled(world, ana))
    page = reverse("admin:channels_entitlement_change", args=[Entitlement.objects.get().pk])
    assert keeper.post(page, {"ended_reason": ""}).status_code == 200
    assert Entitlement.objects.get().state == "open"
    assert keeper.post(page, {"ended_reason": "A mistake"}).status_code == 302
    one = Entitlement.objects.get()
    assert (one.state, one.remaining, one.ended_reason) == ("revoked", 0, "A mistake")
    assert keeper.post(page, {"ended_reason": "Again"}).status_code == 403
    assert list(EntitlementEntry.objects.order_by("id").values_list("kind", flat=True)) == ["grant", "revoke"]


@pytest.mark.parametrize("fields", [{"reason": ""}, {"key": "Free Shipping"}, {"quantity": "0"}, {"quantity": "x"},
                                    {"expires_at_0": "2020-01-01", "expires_at_1": "00:00"},
                                    {"profile": "0195577f-7400-7000-8000-000000000000"}])  # fmt: skip
def test_what_makes_no_sense_grants_nothing(keeper: Client, world: World, ana: Person, fields: dict[str, str]) -> None:
    assert keeper.post(reverse(ADD), filled(world, ana, **fields)).status_code == 200
    assert Entitlement.objects.count() == 0


def test_nobody_grants_in_a_brand_that_is_not_theirs(world: World, ana: Person) -> None:
    other = Brand.objects.create(key="other", name="Other")
    stranger = client_of(marketer("stranger", other, "view_brand", "view_pii"))
    assert stranger.post(reverse(ADD), filled(world, ana)).status_code in (200, 403)
    assert Entitlement.objects.count() == 0


def test_without_the_right_to_personal_data_reasons_are_masked(keeper: Client, world: World, ana: Person) -> None:
    keeper.post(reverse(ADD), filled(world, ana))
    page = reverse("admin:channels_entitlement_change", args=[Entitlement.objects.get().pk])
    masked = client_of(marketer("masked", world.brand, "view_brand"))
    assert "parcel" in keeper.get(page).content.decode()
    assert "parcel" not in masked.get(page).content.decode()
