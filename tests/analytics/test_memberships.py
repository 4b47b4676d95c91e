"""A customer's page tells in which segments they are and were, since when, and by which rule."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from customers.models import Brand, Customer, Segment, SegmentMembership
from customers.segments import define, lists
from tests.customers.test_visibility import person
from tests.journeys.segments import GOLD, build_all, make_list, make_segment
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return make_stage()


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


def part(root: Client, customer: Customer) -> str:
    page = root.get(reverse("admin:customers_customer_change", args=[customer.pk])).content.decode()
    return page.split('id="segments"')[1].split("</section>")[0]


def test_what_lasts_is_told_before_what_is_over_with_the_rule_of_its_time(stage: Stage, root: Client) -> None:
    stage.know("ana", plan="gold")
    customer = Customer.objects.get()
    vip = make_segment(stage, GOLD)
    stage.pass_time(days=1)
    define.set_rule(vip, {"not": GOLD}, stage.now)
    build_all(stage.now)
    invited = make_list(stage)
    lists.put(invited, [customer.pk], stage.now, inside=True)
    told = part(root, customer)
    assert told.index("invited") < told.index("vip")
    assert "put on the list" in told
    assert "plan is gold" in told
    assert "not (plan is gold)" not in told
    assert told.count("no longer") == 1
    assert reverse("admin:customers_segment_change", args=[vip.pk]) in told


def test_nothing_is_told_of_other_people_or_of_segments_one_may_not_see(stage: Stage, client: Client) -> None:
    stage.know("ana", plan="gold")
    stage.know("bia", plan="free")
    ana = Customer.objects.get(traits__plan="gold")
    make_segment(stage, {"not": GOLD}, "others")
    elsewhere = Brand.objects.create(key="elsewhere", name="Elsewhere")
    theirs = Segment.objects.create(brand=elsewhere, key="theirs", name="Theirs", is_static=True, state="live")
    SegmentMembership.objects.create(
        segment=theirs, profile_id=ana.profiles.order_by("pk")[0].pk, customer_id=ana.pk, entered_at=stage.now
    )
    client.force_login(get_user_model().objects.create_superuser("root"))
    assert "Theirs" in part(client, ana)
    assert "others" not in part(client, ana)
    reader = person("reader", "customers.view_customer", "customers.view_segment")
    assign_perm("view_brand", reader, stage.brand)
    client.force_login(reader)
    assert "In no segment, now or before." in part(client, ana)
