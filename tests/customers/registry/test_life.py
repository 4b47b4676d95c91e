"""The life of a version: proposed, judged against the latest, approved by somebody who may, deprecated."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from customers.models import Brand, EventType, SchemaVersion, Source
from customers.registry import life, shapes

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MONEY = {"total": {"type": "integer"}, "currency": {"type": "string"}}


@pytest.fixture
def event_type(source: Source) -> EventType:
    return EventType.objects.create(brand=source.brand, name="Order Completed")


@pytest.fixture
def ana(db: None) -> Any:
    return get_user_model().objects.create_user("ana")


@pytest.fixture
def bia(db: None) -> Any:
    return get_user_model().objects.create_user("bia")


def draft(event_type: EventType, number: int, properties: Any, **fields: Any) -> SchemaVersion:
    schema = {"type": "object", "properties": properties}
    return SchemaVersion.objects.create(event_type=event_type, number=number, schema=schema, **fields)


def approved(event_type: EventType, number: int, properties: Any, by: Any, **fields: Any) -> SchemaVersion:
    version = draft(event_type, number, properties, **fields)
    life.propose(version, by, NOW)
    return life.approve(version, by, NOW)


def test_a_draft_is_proposed_and_approved_and_it_is_kept_who_did(event_type: EventType, ana: Any, bia: Any) -> None:
    first = draft(event_type, 1, MONEY)
    life.propose(first, ana, NOW)
    life.approve(first, bia, NOW)
    first.refresh_from_db()
    assert (first.status, first.proposed_by, first.approved_by, first.follows) == ("approved", ana, bia, None)
    assert (first.proposed_at, first.approved_at) == (NOW, NOW)


def test_what_is_not_proposed_is_not_approved(event_type: EventType, ana: Any) -> None:
    first = draft(event_type, 1, MONEY)
    with pytest.raises(life.NotDone):
        life.approve(first, ana, NOW)
    assert SchemaVersion.objects.get().status == "draft"


def test_where_the_brand_asks_for_it_a_second_person_approves(event_type: EventType, ana: Any, bia: Any) -> None:
    Brand.objects.update(second_person_approves=True)
    first = draft(event_type, 1, MONEY)
    life.propose(first, ana, NOW)
    with pytest.raises(life.NotDone):
        life.approve(first, ana, NOW)
    assert life.approve(first, bia, NOW).approved_by == bia


def test_what_breaks_readers_is_not_proposed_unless_nothing_is_asked(event_type: EventType, ana: Any) -> None:
    approved(event_type, 1, MONEY, ana)
    second = draft(event_type, 2, {"total": {"type": "string"}, "currency": {"type": "string"}})
    assert [one.path for one in life.judge(second).breaches] == ["/total"]
    with pytest.raises(life.NotDone):
        life.propose(second, ana, NOW)
    EventType.objects.update(compatibility="none")
    life.propose(second, ana, NOW)
    assert life.approve(second, ana, NOW).status == "approved"


def test_older_events_are_upcast_before_they_are_compared(event_type: EventType, ana: Any) -> None:
    approved(event_type, 1, {"sum": {"type": "integer"}}, ana)
    second = draft(event_type, 2, {"total": {"type": "integer"}})
    assert [one.path for one in life.judge(second).breaches] == ["/sum"]
    second.upcast = [{"op": "rename", "property": "sum", "to": "total"}]
    assert life.judge(second).may_follow


def test_nothing_turns_new_events_back_for_old_readers(event_type: EventType, ana: Any) -> None:
    EventType.objects.update(compatibility="forward")
    event_type.refresh_from_db()
    approved(event_type, 1, {"sum": {"type": "integer"}}, ana)
    rename = [{"op": "rename", "property": "sum", "to": "total"}]
    second = draft(event_type, 2, {"total": {"type": "integer"}}, upcast=rename)
    assert [(one.path, one.direction) for one in life.judge(second).breaches] == [("/total", "forward")]


def test_of_two_proposed_the_second_is_judged_against_the_first(event_type: EventType, ana: Any) -> None:
    approved(event_type, 1, {}, ana)
    text, number = draft(event_type, 2, {"a": {"type": "string"}}), draft(event_type, 3, {"a": {"type": "integer"}})
    life.propose(text, ana, NOW)
    life.propose(number, ana, NOW)
    life.approve(number, ana, NOW)
    with pytest.raises(life.NotDone):
        life.approve(text, ana, NOW)


def test_a_draft_that_was_overtaken_gets_a_number_after_the_latest(event_type: EventType, ana: Any) -> None:
    early = draft(event_type, 1, {})
    later = approved(event_type, 2, {}, ana)
    life.propose(early, ana, NOW)
    early = life.approve(early, ana, NOW)
    assert (early.number, early.follows) == (3, later)


def test_the_database_lets_one_version_follow_another(event_type: EventType, ana: Any) -> None:
    first = approved(event_type, 1, {}, ana)
    SchemaVersion.objects.create(event_type=event_type, number=2, schema={}, status="approved", follows=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        SchemaVersion.objects.create(event_type=event_type, number=3, schema={}, status="approved", follows=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        SchemaVersion.objects.create(event_type=event_type, number=4, schema={}, status="approved")


def test_only_what_is_approved_is_deprecated(event_type: EventType, ana: Any) -> None:
    first = approved(event_type, 1, {}, ana)
    life.deprecate(first, ana, NOW)
    first.refresh_from_db()
    assert (first.status, first.deprecated_by, first.deprecated_at) == ("deprecated", ana, NOW)
    with pytest.raises(life.NotDone):
        life.deprecate(first, ana, NOW)


@pytest.mark.parametrize(
    ("properties", "pointers"),
    [
        (MONEY, []),
        ({"currency": {"type": "string"}}, ["/properties/total"]),
        ({**MONEY, "total": {"type": "number"}}, ["/properties/total"]),
        ({**MONEY, "currency": {}}, ["/properties/currency"]),
        ({**MONEY, "currency": {"enum": ["BRL", "AUD"]}}, []),
    ],
)
def test_the_properties_of_a_role_must_be_there(event_type: EventType, properties: Any, pointers: list[str]) -> None:
    event_type.role, event_type.amount_property, event_type.currency_property = "order", "total", "currency"
    event_type.save()
    assert [fault.pointer for fault in life.judge(draft(event_type, 1, properties)).faults] == pointers


def test_events_of_every_version_read_in_the_newest_shape(event_type: EventType, ana: Any) -> None:
    first = approved(event_type, 1, {"sum": {"type": "string"}}, ana)
    coerce = [{"op": "coerce", "property": "sum", "to": "integer"}]
    second = approved(event_type, 2, {"sum": {"type": "integer"}}, ana, upcast=coerce)
    rename = [{"op": "rename", "property": "sum", "to": "total"}]
    third = approved(event_type, 3, {"total": {"type": "integer"}}, ana, upcast=rename)
    life.deprecate(second, ana, NOW)
    said = {version.number: shapes.said({"sum": "12"}, version.pk) for version in (first, second, third)}
    assert said == {1: {"total": 12}, 2: {"total": "12"}, 3: {"sum": "12"}}
    assert shapes.said({"sum": "12"}, None) == {"sum": "12"}
    assert shapes.newest({"properties": {"sum": "12"}, "context": {}}, first.pk)["properties"] == {"total": 12}
