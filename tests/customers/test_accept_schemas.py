"""Planned events are held to their approved schema, unplanned ones to what the source says."""

from datetime import timedelta
from typing import Any

import pytest

from customers.models import EventType, InboxItem, QuarantinedEvent, SchemaVersion, Source
from tests.customers.segment_door import NOW, Door, identify, track

TOTAL = {"type": "object", "properties": {"total": {"type": "number", "minimum": 0}}, "required": ["total"]}


def plan(door: Door, schema: Any, number: int = 1, name: str = "Order Completed", **changes: Any) -> SchemaVersion:
    event_type, _ = EventType.objects.get_or_create(brand=door.source.brand, name=name)
    before = event_type.versions.exclude(status="draft").order_by("-number").first()
    fields = {"schema": schema, "number": number, "status": "approved", "follows": before, **changes}
    return SchemaVersion.objects.create(event_type=event_type, **fields)


def test_a_conforming_event_names_its_version(door: Door) -> None:
    version = plan(door, TOTAL)
    assert door.batch(track(properties={"total": 9.5}))["accepted"] == 1
    assert InboxItem.objects.get().schema_version_id == version.id


def test_a_violation_is_refused_at_its_place_without_quoting_the_value(door: Door) -> None:
    plan(door, TOTAL)
    (rejected,) = door.batch(track(properties={"total": "secret"}))["rejected"]
    assert (rejected["code"], rejected["pointer"]) == ("schema_violation", "/batch/0/properties/total")
    assert "secret" not in rejected["message"]
    assert InboxItem.objects.count() == 0


def test_missing_properties_are_held_to_the_schema_too(door: Door) -> None:
    plan(door, TOTAL)
    (rejected,) = door.batch(track())["rejected"]
    assert (rejected["code"], rejected["pointer"]) == ("schema_violation", "/batch/0/properties")


def test_an_identify_is_held_to_the_schema_of_its_traits(door: Door) -> None:
    plan(door, {"required": ["plan"]}, name="identify")
    (rejected,) = door.batch(identify())["rejected"]
    assert (rejected["code"], rejected["pointer"]) == ("schema_violation", "/batch/0/traits")


def test_the_latest_approved_version_counts_unless_another_is_named(door: Door) -> None:
    first, second = plan(door, {}), plan(door, {}, number=2)
    plan(door, False, number=3, status="draft")
    door.batch(track(), track(messageId="m-2", context={"schema_version": 1}))
    assert list(InboxItem.objects.order_by("id").values_list("schema_version_id", flat=True)) == [
        second.id,
        first.id,
    ]


@pytest.mark.parametrize("number", [3, "1", True])
def test_a_version_that_is_not_approved_is_refused(door: Door, number: object) -> None:
    plan(door, {})
    (rejected,) = door.batch(track(context={"schema_version": number}))["rejected"]
    assert (rejected["code"], rejected["pointer"]) == (
        "unknown_schema_version",
        "/batch/0/context/schema_version",
    )


def test_a_change_of_the_schema_is_seen_within_a_second(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    version = plan(door, TOTAL)
    assert door.batch(track())["accepted"] == 0
    version.status = SchemaVersion.Status.DEPRECATED
    version.save()
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW + timedelta(seconds=1))
    assert door.batch(track())["accepted"] == 1


def test_an_unplanned_event_is_refused_where_the_source_says_so(door: Door) -> None:
    Source.objects.update(unplanned=Source.Unplanned.QUARANTINE)
    (rejected,) = door.batch(track())["rejected"]
    assert (rejected["code"], rejected["pointer"]) == ("unplanned_event", "/batch/0/event")
    assert QuarantinedEvent.objects.get().code == "unplanned_event"


def test_the_plan_of_another_brand_does_not_count(door: Door) -> None:
    version = plan(door, False)
    other = type(door.source.brand).objects.create(key="other", name="Other")
    EventType.objects.filter(id=version.event_type_id).update(brand=other)
    assert door.batch(track())["accepted"] == 1


@pytest.mark.parametrize("schema", [{"$ref": "http://127.0.0.1:1/x"}, {"type": "nope"}, {"pattern": "("}])
def test_a_schema_that_cannot_be_used_lets_nothing_pass(door: Door, schema: Any) -> None:
    plan(door, schema)
    assert door.batch(track())["rejected"][0]["code"] == "schema_unusable"
