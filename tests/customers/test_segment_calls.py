"""The six calls of the Segment protocol, and what each makes of the people it names."""

from typing import Any

import orjson
import pytest

from customers import quarantine
from customers.models import Customer, Event, EventPayload, Identifier, InboxItem, Profile, QuarantinedEvent
from customers.resolve import resolve_inbox
from tests.customers.partner_api import code_of
from tests.customers.segment_door import NOW, Door, identify, track

pytestmark = pytest.mark.django_db


def call(kind: str, **changes: Any) -> dict[str, Any]:
    message = track(type=kind, **changes)
    del message["event"]
    return message


def payload() -> dict[str, Any]:
    decoded: dict[str, Any] = orjson.loads(InboxItem.objects.get().payload)
    return decoded


@pytest.mark.parametrize("kind", ["page", "screen"])
def test_a_page_carries_its_name_and_category_among_its_properties(door: Door, kind: str) -> None:
    door.batch(call(kind, name="Beans", category="Shop", properties={"url": "https://shop.example/beans"}))
    row = InboxItem.objects.get()
    assert (row.kind, row.name) == (kind, kind)
    properties = {"category": "Shop", "name": "Beans", "url": "https://shop.example/beans"}
    assert payload() == {"properties": properties}


def test_each_call_has_a_path_of_its_own(door: Door) -> None:
    for n, kind in enumerate(("page", "screen", "group", "alias", "identify", "track")):
        message = track(messageId=f"m{n}", groupId="acme", previousId="anon-1")
        del message["type"]
        assert door.post(f"/v1/{kind}", message).status_code == 200, kind
    kinds = InboxItem.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["page", "screen", "group", "alias", "identify", "track"]


@pytest.mark.parametrize(
    ("message", "code", "where"),
    [
        (call("page", name=5), "wrong_type", "/name"),
        (call("page", category="x" * 501), "wrong_type", "/category"),
        (call("group"), "missing_field", "/groupId"),
        (call("group", groupId=7), "wrong_type", "/groupId"),
        (call("alias"), "missing_identifier", "/previousId"),
        (call("alias", userId=None, previousId="a"), "missing_identifier", "/userId"),
        (call("alias", previousId="user-1"), "same_identifier", "/previousId"),
        (call("alias", previousId="null"), "blocked_identifier", "/previousId"),
        (identify(traits={"phone": "11 91234-5678"}), "phone_without_country", "/traits/phone"),
        (track(context={"device": {"id": "\u202e"}}), "control_character", "/context/device/id"),
        (
            track(context={"externalIds": [{"type": "shoe", "id": "1"}]}),
            "unknown_identifier_kind",
            "/context/externalIds/0/type",
        ),
        (track(event="segment.entered"), "reserved_name", "/event"),
        (track(event="trait.changed"), "reserved_name", "/event"),
    ],
)
def test_what_a_call_lacks_is_told(door: Door, message: dict[str, Any], code: str, where: str) -> None:
    answer = door.batch(message)
    told = [(one["code"], one["pointer"].removeprefix("/batch/0")) for one in answer["rejected"]]
    assert told == ([(code, where)] if code else [])


def resolve() -> None:
    while resolve_inbox(NOW):
        pass


def people() -> list[set[str]]:
    """The customers there are, each by the values of its identifiers."""
    by_customer: dict[Any, set[str]] = {}
    for one in Identifier.objects.select_related("profile"):
        by_customer.setdefault(one.profile.customer_id, set()).add(f"{one.kind_id}:{one.value}")
    return sorted(by_customer.values(), key=sorted)


def test_a_phone_a_device_and_a_card_are_names_of_the_same_person(door: Door) -> None:
    context = {"device": {"id": "ios-1"}, "externalIds": [{"type": "loyalty_card", "id": "C-17"}]}
    door.batch(identify(traits={"phone": "+55 11 91234-5678"}, context=context))
    resolve()
    assert people() == [{"user_id:user-1", "phone:+5511912345678", "device:ios-1", "loyalty_card:C-17"}]


def test_a_source_with_a_country_may_leave_it_out(door: Door) -> None:
    door.source.region = "BR"
    door.source.save()
    door.batch(identify(traits={"phone": "11 91234-5678"}))
    resolve()
    assert Identifier.objects.get(kind_id="phone").value == "+5511912345678"


def test_a_group_is_a_trait_of_who_belongs_to_it(door: Door) -> None:
    door.batch(call("group", groupId="acme", traits={"plan": "gold", "id": "other"}))
    resolve()
    assert Customer.objects.get().traits == {"group": {"id": "acme", "plan": "gold"}}
    assert Event.objects.get().kind == "group"


def test_an_alias_makes_two_user_ids_one_person(door: Door) -> None:
    door.batch(track(userId="old", messageId="m1"), track(userId="new", messageId="m2"))
    resolve()
    assert people() == [{"user_id:new"}, {"user_id:old"}]
    door.batch(call("alias", userId="new", previousId="old", messageId="m3"))
    resolve()
    assert people() == [{"user_id:new", "user_id:old", "anonymous_id:old"}]
    assert Event.objects.get(kind="alias").profile_id == Profile.objects.get(identifier__value="new").pk


def test_an_alias_that_comes_before_all_else_counts_as_much(door: Door) -> None:
    door.batch(call("alias", userId="new", previousId="old", messageId="m3"))
    door.batch(track(userId="old", messageId="m1"), track(userId="new", messageId="m2"))
    resolve()
    assert people() == [{"user_id:new", "user_id:old", "anonymous_id:old"}]
    assert Customer.objects.filter(profiles__isnull=False).distinct().count() == 1


def test_what_was_done_anonymously_is_the_persons_after_an_alias(door: Door) -> None:
    door.batch(track(userId=None, anonymousId="a-1", messageId="m1"))
    door.batch(call("alias", userId="new", previousId="a-1", messageId="m2"))
    resolve()
    assert {event.profile.customer_id for event in Event.objects.select_related("profile")} == {
        Profile.objects.get(identifier__value="new").customer_id
    }
    assert EventPayload.objects.count() == 2


def test_a_refused_call_is_replayed_as_the_call_it_was(door: Door) -> None:
    door.post("/v1/page", {"userId": "user-1", "name": 5, "messageId": "m1"})
    row = QuarantinedEvent.objects.get()
    assert quarantine.replay_mended(row.pk, row.raw.replace("5", '"Beans"', 1), NOW) is None
    assert InboxItem.objects.get().kind == "page"


def test_a_single_call_is_refused_as_the_protocol_has_it(door: Door) -> None:
    assert code_of(door.post("/v1/group", call("group")), 400) == "missing_field"
