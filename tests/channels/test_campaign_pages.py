"""Campaigns on the staff pages: made, filled with what the person may change, each journey in one at most."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from channels import scopes
from channels.campaigns import members
from channels.models import Campaign, CampaignMember, SendStop
from customers.models import AuditEntry, Brand, Squad
from journeys.models import Journey
from tests.channels.world import NOW, World
from tests.customers.test_import_pages import client_of, marketer

LIST, ADD = "admin:channels_campaign_changelist", "admin:channels_campaign_add"
FILLED = {
    "name": "Spring", "key": "spring", "squad": "", "notes": "", "starts_on": "", "ends_on": "", "utm_source": "",
    "utm_medium": "", "utm_campaign": "", "utm_content": "", "conversion_role": "order", "conversion_days": "7",
}  # fmt: skip


@pytest.fixture
def keeper(world: World) -> Client:
    return client_of(marketer("keeper", world.brand, "view_brand"))


@pytest.fixture
def spring(world: World) -> Campaign:
    return Campaign.objects.create(brand=world.brand, key="spring", name="Spring")


def journey(brand: Brand, key: str, squad: Squad | None = None) -> Journey:
    return Journey.objects.create(brand=brand, key=key, name=key, squad=squad)


def page_of(campaign: Campaign) -> str:
    return reverse("admin:channels_campaign_change", args=[campaign.pk])


def test_made_with_what_counts_as_a_conversion(keeper: Client, world: World) -> None:
    assert keeper.post(reverse(ADD), {**FILLED, "brand": str(world.brand.pk)}).status_code == 302
    one = Campaign.objects.get()
    assert (one.brand, one.key, one.conversion_role, one.conversion_days) == (world.brand, "spring", "order", 7)
    assert "Spring" in keeper.get(reverse(LIST)).content.decode()


@pytest.mark.parametrize("fields", [{"conversion_days": "0"}, {"conversion_days": "91"}, {"utm_source": "a&b=c"},
                                    {"utm_campaign": "x\ny"}, {"utm_medium": "<b>"}, {"key": "a b"},
                                    {"starts_on": "2027-02-02", "ends_on": "2027-02-01"},
                                    {"conversion_role": "love"}])  # fmt: skip
def test_what_makes_no_sense_is_not_kept(keeper: Client, world: World, fields: dict[str, str]) -> None:
    asked = {**FILLED, "brand": str(world.brand.pk), **fields}
    assert keeper.post(reverse(ADD), asked).status_code == 200
    assert Campaign.objects.count() == 0


def test_journeys_are_put_in_and_taken_out_on_its_page(keeper: Client, world: World, spring: Campaign) -> None:
    one, other = journey(world.brand, "one"), journey(world.brand, "other")
    assert keeper.post(page_of(spring), {**FILLED, "serving": [str(one.pk), str(other.pk)]}).status_code == 302
    assert set(spring.members.values_list("scope_id", flat=True)) == {one.pk, other.pk}
    assert keeper.post(page_of(spring), {**FILLED, "serving": [str(other.pk)]}).status_code == 302
    assert list(spring.members.values_list("scope_id", flat=True)) == [other.pk]
    noted = AuditEntry.objects.filter(action="campaign_members").latest("id")
    assert (noted.before, noted.after) == ({"serving": ["one"]}, {"serving": []})


def test_one_that_serves_another_campaign_is_not_offered_nor_taken(
    keeper: Client, world: World, spring: Campaign
) -> None:
    taken = journey(world.brand, "taken")
    autumn = Campaign.objects.create(brand=world.brand, key="autumn", name="Autumn")
    CampaignMember.objects.create(scope_id=taken.pk, campaign=autumn, added_at=NOW)
    assert str(taken.pk) not in keeper.get(page_of(spring)).content.decode()
    assert keeper.post(page_of(spring), {**FILLED, "serving": [str(taken.pk)]}).status_code == 200
    assert CampaignMember.objects.get(scope_id=taken.pk).campaign == autumn


def test_one_of_another_brand_or_of_a_strange_squad_is_left_where_it_is(world: World, spring: Campaign) -> None:
    theirs = journey(world.brand, "theirs", Squad.objects.create(brand=world.brand, name="Strangers"))
    foreign = journey(Brand.objects.create(key="other", name="Other"), "foreign")
    somebody = marketer("somebody", world.brand, "view_brand")
    assert members.put(spring, [theirs.pk, foreign.pk], somebody, NOW) == members.Change()
    CampaignMember.objects.create(scope_id=theirs.pk, campaign=spring, added_at=NOW)
    assert members.put(spring, [], somebody, NOW) == members.Change()
    assert list(spring.members.values_list("scope_id", flat=True)) == [theirs.pk]


def test_a_journey_serves_one_campaign_at_most(world: World, spring: Campaign) -> None:
    one = journey(world.brand, "one")
    CampaignMember.objects.create(scope_id=one.pk, campaign=spring, added_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        CampaignMember(scope_id=one.pk, campaign=spring, added_at=NOW).save(force_insert=True)


def test_nobody_sees_or_changes_one_of_a_brand_that_is_not_theirs(world: World, spring: Campaign) -> None:
    stranger = client_of(marketer("stranger", Brand.objects.create(key="other", name="Other"), "view_brand"))
    assert "Spring" not in stranger.get(reverse(LIST)).content.decode()
    asked: dict[str, Any] = {**FILLED, "name": "Mine"}
    assert stranger.post(page_of(spring), asked).status_code in (302, 403)
    assert Campaign.objects.get().name == "Spring"


def test_its_days_are_days_of_the_brand(world: World, spring: Campaign) -> None:
    Brand.objects.filter(pk=world.brand.pk).update(zone="America/Sao_Paulo")
    spring.starts_on = spring.ends_on = NOW.date()
    spring.brand.refresh_from_db()
    since, until = spring.span()
    assert since is not None
    assert until is not None
    assert (since.isoformat()[10:], (until - since).days) == ("T00:00:00-03:00", 1)


def test_a_campaign_is_stopped_on_its_list_and_names_no_messages_in_filters(
    keeper: Client, world: World, spring: Campaign
) -> None:
    asked = {"action": "stop_sending", "_selected_action": [str(spring.pk)]}
    assert keeper.post(reverse(LIST), asked).status_code == 302
    assert SendStop.objects.get(released_at=None).scope_id == spring.pk
    assert str(spring.pk) in keeper.get(reverse("admin:channels_sendstop_changelist")).content.decode()
    assert scopes.named(User.objects.get(username="keeper")) == {}
    keeper.post(reverse(LIST), {**asked, "action": "release_sending"})
    assert not SendStop.objects.filter(released_at=None).exists()
