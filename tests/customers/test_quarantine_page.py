"""The quarantine page: what was refused is found, understood, mended and accepted, or stays as it came."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from customers import keys
from customers.models import AuditEntry, Brand, InboxItem, QuarantinedEvent, Source

pytestmark = pytest.mark.django_db

BAD = {"type": "track", "event": "Signed Up", "messageId": "m-7", "timestamp": "2026-03-02T12:00:00Z", "properties": {}}
GOOD = BAD | {"userId": "ana"}


@pytest.fixture
def brand() -> Brand:
    return Brand.objects.create(key="acme", name="Acme")


@pytest.fixture
def refused(brand: Brand) -> QuarantinedEvent:
    """An event that names nobody."""
    source = Source.objects.create(brand=brand, key="shop", name="Shop")
    keys.issue(source)
    return QuarantinedEvent.objects.create(
        source=source,
        door="segment",
        code="missing_identifier",
        pointer="/userId",
        name="Signed Up",
        message_id="m-7",
        raw=json.dumps(BAD),
        received_at=datetime(2026, 3, 2, 12, 1, tzinfo=UTC),
    )


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def root() -> Client:
    return client_of(get_user_model().objects.create_superuser("root"))


def page(row: QuarantinedEvent) -> str:
    return reverse("admin:customers_quarantinedevent_change", args=[row.pk])


def mend(client: Client, row: QuarantinedEvent, document: Any) -> Any:
    raw = document if isinstance(document, str) else json.dumps(document)
    return client.post(reverse("admin:customers_quarantinedevent_mend", args=[row.pk]), {"raw": raw})


def test_the_page_lays_the_item_out_and_offers_to_mend_it(root: Client, refused: QuarantinedEvent) -> None:
    shown = root.get(page(refused)).content.decode()
    assert "Mend and replay" in shown
    assert "&quot;event&quot;: &quot;Signed Up&quot;" in shown


def test_a_mended_item_is_accepted_and_what_came_is_kept(root: Client, refused: QuarantinedEvent) -> None:
    answer = mend(root, refused, GOOD)
    assert answer.status_code == 302, answer.context["refusal"]
    assert [str(message) for message in get_messages(answer.wsgi_request)] == ["It was accepted and is on its way."]
    assert InboxItem.objects.get().message_id == "m-7"
    refused.refresh_from_db()
    assert refused.status == QuarantinedEvent.Status.REPLAYED
    assert json.loads(refused.raw) == BAD
    assert AuditEntry.objects.filter(action="replay_mended", object_id=str(refused.pk)).count() == 1


@pytest.mark.parametrize(
    ("document", "code"),
    [(BAD, "missing_identifier"), ("{", "invalid_json"), ("", "invalid_json"), (" " * 70_000, "payload_too_large")],
)
def test_what_is_still_refused_stays_and_the_mend_is_not_lost(
    document: Any, code: str, root: Client, refused: QuarantinedEvent
) -> None:
    answer = mend(root, refused, document)
    assert answer.status_code == 422
    assert code in answer.content.decode()
    assert not InboxItem.objects.exists()
    refused.refresh_from_db()
    assert (refused.status, json.loads(refused.raw)) == (QuarantinedEvent.Status.OPEN, BAD)


def test_hostile_text_is_shown_as_it_stands(root: Client, refused: QuarantinedEvent) -> None:
    answer = mend(root, refused, "</textarea><script>alert(1)</script>")
    assert answer.status_code == 422
    assert "<script>alert(1)" not in answer.content.decode()


def test_what_is_settled_is_not_mended_again(root: Client, refused: QuarantinedEvent) -> None:
    QuarantinedEvent.objects.update(status=QuarantinedEvent.Status.DISCARDED)
    assert mend(root, refused, GOOD).status_code == 403
    assert "Mend and replay" not in root.get(page(refused)).content.decode()
    assert not InboxItem.objects.exists()


def test_looking_mends_nothing(root: Client, refused: QuarantinedEvent) -> None:
    address = reverse("admin:customers_quarantinedevent_mend", args=[refused.pk])
    assert root.get(address, {"raw": json.dumps(GOOD)}).status_code == 403
    assert not InboxItem.objects.exists()


def test_mending_wants_the_permission_the_brand_and_the_right_to_read_it(
    brand: Brand, refused: QuarantinedEvent
) -> None:
    user = get_user_model().objects.create_user("ines", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_quarantinedevent"))
    # Neither the brand, nor a word of whether there is such a row.
    assert mend(client_of(user), refused, GOOD).status_code == 302
    assign_perm("view_brand", user, brand)
    assert mend(client_of(user), refused, GOOD).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="change_quarantinedevent"))
    masked = client_of(user).get(page(refused)).content.decode()
    assert "Signed Up&quot;" not in masked
    assert mend(client_of(user), refused, GOOD).status_code == 403
    assert not InboxItem.objects.exists()
    assign_perm("view_pii", user, brand)
    assign_perm("change_brand", user, brand)
    assert mend(client_of(user), refused, GOOD).status_code == 302
    assert InboxItem.objects.count() == 1


def test_the_list_is_narrowed_by_reason(root: Client, refused: QuarantinedEvent) -> None:
    found = reverse("admin:customers_quarantinedevent_changelist")
    assert root.get(found, {"code": "missing_identifier"}).context["cl"].result_count == 1
    assert root.get(found, {"code": "invalid_json"}).context["cl"].result_count == 0
    assert root.get(found, {"q": "Signed Up"}).context["cl"].result_count == 1
