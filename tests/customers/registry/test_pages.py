"""The registry's staff pages and its part of the partner API."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from customers import belief
from customers.accept import schemas
from customers.admin.schema_versions import SchemaVersionForm
from customers.clock import utcnow
from customers.models import (
    AuditEntry,
    Event,
    EventType,
    InboxItem,
    QuarantinedEvent,
    SchemaVersion,
    Source,
    SourceEventType,
)
from customers.resolve.stage import resolve_inbox
from tests.customers.partner_api import api
from tests.customers.segment_door import NOW, Door, track
from tests.journeys.forms import values_of

MONEY = {"type": "object", "required": ["total"], "properties": {"total": {"type": "integer"}}}


@pytest.fixture
def boss(source: Source) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("boss"))
    return client


@pytest.fixture
def draft(source: Source) -> SchemaVersion:
    type_ = EventType.objects.create(brand=source.brand, name="Order Completed")
    return SchemaVersion.objects.create(event_type=type_, number=1, schema=MONEY)


def address(page: str, row: Any) -> str:
    return reverse(f"admin:customers_{row._meta.model_name}_{page}", args=[row.pk])


def test_a_draft_is_proposed_approved_and_deprecated_on_its_page(boss: Client, draft: SchemaVersion) -> None:
    for step, status in (("propose", "draft"), ("approve", "approved"), ("deprecate", "deprecated")):
        assert f'value="{step}"' in boss.get(address("review", draft)).content.decode()
        assert boss.post(address("review", draft), {"do": step}).status_code == 302
        draft.refresh_from_db()
        assert draft.status == status
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "propose",
        "approve",
        "deprecate",
    ]


def test_the_places_that_stand_in_the_way_are_named(boss: Client, draft: SchemaVersion) -> None:
    SchemaVersion.objects.update(status="approved")
    schema = {"type": "object", "properties": {"total": {"type": "string"}}}
    second = SchemaVersion.objects.create(event_type=draft.event_type, number=2, schema=schema)
    page = boss.get(address("review", second)).content.decode()
    assert "<code>/total</code>" in page
    assert 'value="propose"' not in page
    boss.post(address("review", second), {"do": "propose"})
    second.refresh_from_db()
    assert second.proposed_at is None


def test_a_schema_that_cannot_be_used_is_told_at_its_place(boss: Client, draft: SchemaVersion) -> None:
    sent = {
        "event_type": str(draft.event_type_id),
        "schema": '{"properties": {"a": {"$ref": "#/$defs/b"}}}',
        "upcast": "[]",
    }
    page = boss.post(address("change", draft), sent)
    assert page.status_code == 200
    assert "/properties/a/$ref" in page.content.decode()


def test_an_edit_takes_the_proposal_back(boss: Client, draft: SchemaVersion) -> None:
    boss.post(address("review", draft), {"do": "propose"})
    sent = {"event_type": str(draft.event_type_id), "schema": '{"type": "object"}', "upcast": ""}
    assert boss.post(address("change", draft), sent).status_code == 302
    draft.refresh_from_db()
    assert (draft.schema, draft.upcast) == ({"type": "object"}, [])
    assert (draft.proposed_at, draft.proposed_by) == (None, None)


def test_what_was_changed_and_proposed_anew_is_not_approved_unread(boss: Client, draft: SchemaVersion) -> None:
    boss.post(address("review", draft), {"do": "propose"})
    read = values_of(boss.get(address("review", draft)).content.decode())
    assert read["seen"] != [""]
    sent = {"event_type": str(draft.event_type_id), "schema": '{"type": "object"}', "upcast": ""}
    boss.post(address("change", draft), sent)
    boss.post(address("review", draft), {"do": "propose"})
    answer = boss.post(address("review", draft), {**read, "do": "approve"}, follow=True)
    assert "It was changed and proposed anew since you read it." in answer.content.decode()
    draft.refresh_from_db()
    assert (draft.status, draft.approved_at) == ("draft", None)
    again = values_of(boss.get(address("review", draft)).content.decode())
    boss.post(address("review", draft), {**again, "do": "approve"})
    draft.refresh_from_db()
    assert (draft.status, draft.schema) == ("approved", {"type": "object"})


def test_a_form_that_was_open_undoes_no_approval(
    boss: Client, draft: SchemaVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form has read a draft; somebody approves it before what it says is written."""
    clean = SchemaVersionForm.clean_schema

    def approved_meanwhile(form: SchemaVersionForm) -> Any:
        SchemaVersion.objects.filter(pk=draft.pk).update(status="approved")
        return clean(form)

    monkeypatch.setattr(SchemaVersionForm, "clean_schema", approved_meanwhile)
    sent = {"event_type": str(draft.event_type_id), "schema": '{"type": "object"}', "upcast": ""}
    answer = boss.post(address("change", draft), sent)
    assert "It was approved meanwhile, and is not changed any more." in answer.content.decode()
    draft.refresh_from_db()
    assert (draft.status, draft.schema) == ("approved", MONEY)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('{"total": 1}', "This fits the version."),
        ('{"total": "secret"}', "/total"),
        ("{", "This would be refused."),
        ('{"total": 1, "total": 2}', "This would be refused."),
        ("[]", "Properties are an object."),
        ('{"total": 1e999}', "This would be refused."),
        ("x" * 70_000, "More than 64 KB."),
    ],
)
def test_whether_an_event_fits_is_answered_with_its_place(
    boss: Client, draft: SchemaVersion, said: str, found: str
) -> None:
    page = boss.post(address("try", draft), {"said": said})
    assert page.status_code == 200
    assert found in page.content.decode()


def test_an_example_is_offered(boss: Client, draft: SchemaVersion) -> None:
    assert "&quot;total&quot;: 0" in boss.get(address("try", draft)).content.decode()


def test_a_marked_event_is_found_and_made_a_type_of(boss: Client, door: Door) -> None:
    Source.objects.update(unplanned=Source.Unplanned.MARK)
    door.batch(track(event="Wish Made", properties={"wish": "tea", "times": 2}))
    assert InboxItem.objects.get().unplanned
    resolve_inbox(NOW)
    assert Event.objects.get().unplanned
    page = reverse("admin:customers_eventtype_unplanned")
    assert "Wish Made" in boss.get(page).content.decode()
    boss.post(page, {"brand": str(door.source.brand_id), "name": "Wish Made"})
    draft = SchemaVersion.objects.get()
    assert (draft.status, draft.event_type.name) == ("draft", "Wish Made")
    assert sorted(draft.schema["required"]) == ["times", "wish"]
    assert draft.schema["properties"] == {"wish": {"type": "string"}, "times": {"type": "integer"}}
    assert "Wish Made" not in boss.get(page).content.decode()


def test_an_unplanned_event_is_not_marked_unless_the_source_says_so(door: Door) -> None:
    door.batch(track())
    assert not InboxItem.objects.get().unplanned


def test_usage_counts_by_version_and_leads_to_what_was_refused(boss: Client, draft: SchemaVersion) -> None:
    source, now = Source.objects.get(), utcnow()
    QuarantinedEvent.objects.create(
        source=source, door="segment", code="schema_violation", name="Order Completed", raw="{}", received_at=now
    )
    page = boss.get(address("usage", draft.event_type)).content.decode()
    assert "?q=Order%20Completed&amp;code=schema_violation" in page
    assert "No event of this type came." in page


def test_a_source_that_lists_its_types_may_send_no_others(door: Door, draft: SchemaVersion) -> None:
    Source.objects.update(only_listed=True)
    (rejected,) = door.batch(track(properties={"total": 1}))["rejected"]
    assert (rejected["code"], rejected["pointer"]) == ("type_not_allowed", "/batch/0/event")


def test_a_listed_type_may_have_a_default_version(door: Door, draft: SchemaVersion) -> None:
    SchemaVersion.objects.update(status="approved")
    SchemaVersion.objects.create(
        event_type=draft.event_type, number=2, schema={"required": ["sum"]}, status="approved", follows=draft
    )
    assert door.batch(track(properties={"total": 1}))["accepted"] == 0
    SourceEventType.objects.create(source=door.source, event_type=draft.event_type, default_version=1)
    schemas.forget()
    belief.forget_all()
    assert door.batch(track(messageId="m-2", properties={"total": 1}))["accepted"] == 1
    assert InboxItem.objects.get().schema_version_id == draft.pk


def test_a_default_version_that_is_approved_no_more_is_said_to_be(door: Door, draft: SchemaVersion) -> None:
    SourceEventType.objects.create(source=door.source, event_type=draft.event_type, default_version=7)
    SchemaVersion.objects.update(status="approved")
    (rejected,) = door.batch(track(properties={"total": 1}))["rejected"]
    assert rejected["code"] == "unknown_schema_version"
    assert rejected["hint"] == "The source's default version is approved no more. Approved: 1."


def test_a_partner_reads_the_types_of_its_brand(source: Source, draft: SchemaVersion) -> None:
    shop = api(source, now=utcnow(), expires_at=utcnow() + timedelta(days=1))
    (found,) = shop.get("event-types").json()["items"]
    assert (found["name"], found["version"]) == ("Order Completed", None)
    assert shop.get(f"event-types/{found['id']}/versions").json() == {"items": []}
    SchemaVersion.objects.update(status="approved")
    (version,) = shop.get(f"event-types/{found['id']}/versions").json()["items"]
    assert (version["number"], version["schema"], version["example"]) == (1, MONEY, {"total": 0})


def test_a_partner_of_another_brand_finds_nothing(source: Source, draft: SchemaVersion) -> None:
    brand = type(source.brand).objects.create(key="other", name="Other")
    other = api(Source.objects.create(brand=brand, key="shop", name="Shop"))
    assert other.get("event-types").json()["items"] == []
    assert other.get(f"event-types/{draft.event_type_id}/versions").status_code == 404
