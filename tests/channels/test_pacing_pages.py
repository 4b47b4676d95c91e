"""The pages of pacing: made, changed by a new version, ended, and tried out."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from channels.dispatch import dispatch_due
from channels.models import PacingPolicy
from customers.models import AuditEntry
from tests.channels.pacing import at_most, quiet_hours
from tests.channels.world import NOW, World

LIST = "admin:channels_pacingpolicy_changelist"
ADD = "admin:channels_pacingpolicy_add"
TRY = "admin:channels_pacingpolicy_try"


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def filled(world: World, **fields: Any) -> dict[str, Any]:
    usual = {
        "name": "Three a week", "brand": str(world.brand.pk), "kind": "cap", "channel": "", "purpose_kind": "marketing",
        "purpose": "", "most": "3", "span": "7", "unit": "day", "starts": "", "ends": "", "days": "", "reason": "Calm",
    }  # fmt: skip
    return usual | fields


def change(policy: PacingPolicy) -> str:
    return reverse("admin:channels_pacingpolicy_change", args=[policy.pk])


def test_a_policy_is_made_and_stands_in_the_list(root: Client, world: World) -> None:
    assert root.post(reverse(ADD), filled(world)).status_code == 302
    made = PacingPolicy.objects.get()
    assert (made.policy_id, made.number, made.author, made.valid_to) == (made.pk, 1, User.objects.get(), None)
    page = root.get(reverse(LIST)).content.decode()
    assert "3 messages at most within 7 days" in page
    assert "marketing · every channel" in page


def test_a_change_is_a_new_version_and_the_old_one_stays(root: Client, world: World) -> None:
    root.post(reverse(ADD), filled(world))
    first = PacingPolicy.objects.get()
    assert root.post(change(first), filled(world, most="5", reason="More")).status_code == 302
    assert list(PacingPolicy.objects.order_by("number").values_list("most", "number")) == [(3, 1), (5, 2)]
    second = PacingPolicy.objects.get(valid_to=None)
    assert AuditEntry.objects.filter(object_type="channels.pacingpolicy", object_id=str(second.pk)).exists()
    page = root.get(change(second)).content.decode()
    assert "3 messages at most within 7 days" in page
    assert "5 messages at most within 7 days" in page
    listed = root.get(reverse(LIST)).content.decode()
    assert "3 messages at most" not in listed


def test_an_old_version_is_read_only(root: Client, world: World) -> None:
    root.post(reverse(ADD), filled(world))
    first = PacingPolicy.objects.get()
    root.post(change(first), filled(world, most="5"))
    assert root.post(change(first), filled(world, most="9")).status_code == 403
    assert not PacingPolicy.objects.filter(most=9).exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"most": ""}, "This is needed."),
        ({"kind": "quiet", "starts": "22:00", "ends": "22:00"}, "Hours that end as they begin"),
        ({"kind": "quiet", "starts": "22:00", "ends": "08:00", "days": "someday"}, "Days are named as in"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(root: Client, world: World, fields: dict[str, Any], said: str) -> None:
    answer = root.post(reverse(ADD), filled(world, **fields))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not PacingPolicy.objects.exists()


def test_policies_are_put_out_of_force(root: Client, world: World) -> None:
    policy = at_most(world.brand, 1)
    root.post(reverse(LIST), {"action": "put_out_of_force", "_selected_action": [str(policy.pk)]})
    assert PacingPolicy.objects.filter(valid_to=None).count() == 0


def test_its_page_says_whom_it_held_back(root: Client, world: World) -> None:
    policy = at_most(world.brand, 1)
    ana = world.person()
    for _n in range(2):
        world.queue(ana)
    dispatch_due(world.connector.pk, NOW)
    # By the clock of the page these are long ago or to come; what counts is that they are found.
    page = root.get(change(policy)).content.decode()
    assert "held now; in 30 days" in page


def tried(root: Client, world: World, **given: str) -> str:
    asked = {"brand": str(world.brand.pk), "channel": "email", "purpose": str(world.purpose.pk)} | given
    return root.get(reverse(TRY), asked).content.decode()


def test_trying_says_when_it_would_go_and_by_which_policy(root: Client, world: World) -> None:
    quiet_hours(world.brand, "22:00", "08:00")
    page = tried(root, world, zone="America/Recife", at="2026-03-02T23:30")
    assert "It would be held until 2026-03-03 08:00" in page
    assert "none from 22:00 until 08:00" in page
    assert "It would go" in tried(root, world, zone="America/Recife", at="2026-03-02T12:00")


def test_trying_for_somebody_counts_what_they_had(root: Client, world: World) -> None:
    at_most(world.brand, 1)
    ana = world.person()
    world.queue(ana)
    dispatch_due(world.connector.pk, NOW)
    page = tried(root, world, customer=str(ana.customer.pk), at="2026-03-02T13:00")
    assert "It would be held until 2026-03-03 12:00" in page


def test_trying_for_nobody_who_is_seen_says_so(root: Client, world: World) -> None:
    assert "Nobody whom you may see" in tried(root, world, customer="01900000-0000-7000-8000-000000000000")


def test_trying_without_policies_says_so(root: Client, world: World) -> None:
    assert "No policy in force is about such a message" in tried(root, world)
    assert root.get(reverse(TRY)).status_code == 200
