"""Segments at the partner API: read by whoever may, made and given rules, and people put on lists."""

from typing import Any

import pytest

from customers.models import Brand, Segment, SegmentMembership, SegmentVersion
from tests.config.partners import Partners, make_partners
from tests.customers.partner_api import code_of, pointer_of
from tests.journeys.segments import GOLD, build_all, inside, make_list, make_segment, spells

pytestmark = pytest.mark.django_db
NOBODY = "0195577f-7400-7000-8000-000000000000"


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    return made


def named(*users: str) -> list[dict[str, str]]:
    return [{"kind": "user_id", "value": user} for user in users]


def test_a_segment_is_shown_with_its_rule_in_words(partners: Partners) -> None:
    partners.know(partners.shop, plan="gold")
    segment = make_segment(partners.stage, GOLD)
    (shown,) = partners.shop.get("segments", key="vip").json()["items"]
    assert (shown["id"], shown["key"], shown["is_list"], shown["state"], shown["size"], shown["version"]) == (
        str(segment.pk), "vip", False, "live", 1, 1,
    )  # fmt: skip
    assert (shown["rule"], shown["words"]) == (segment.rule, "plan is gold")
    assert partners.shop.get(f"segments/{segment.pk}").json() == shown
    assert partners.shop.get("segments", key="other").json() == {"items": [], "next": None}


def test_members_are_told_to_those_who_named_them(partners: Partners) -> None:
    customers = [partners.know(partners.shop, user, plan="gold") for user in ("ana", "bia", "caio")]
    partners.know(partners.till, "dora", plan="gold")
    segment = make_segment(partners.stage, GOLD)
    assert segment.size == 4
    first = partners.shop.get(f"segments/{segment.pk}/members", limit=2).json()
    rest = partners.shop.get(f"segments/{segment.pk}/members", limit=2, cursor=first["next"]).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert {one["customer"] for one in first["items"] + rest["items"]} == set(customers)
    assert all(one.keys() == {"customer", "since", "historical"} for one in first["items"])
    other = make_segment(partners.stage, GOLD, "other")
    answer = partners.shop.get(f"segments/{other.pk}/members", cursor=first["next"])
    assert code_of(answer, 400) == "invalid_cursor"


def test_a_customers_segments_are_those_they_are_in_now(partners: Partners) -> None:
    customer = partners.know(partners.shop, plan="gold")
    segment, _other = make_segment(partners.stage, GOLD), make_list(partners.stage)
    (item,) = partners.shop.get(f"customers/{customer}/segments").json()["items"]
    assert (item["segment"], item["key"], item["historical"]) == (str(segment.pk), "vip", True)
    assert code_of(partners.till.get(f"customers/{customer}/segments"), 404) == "not_found"
    partners.know(partners.shop, plan="free")
    assert partners.shop.get(f"customers/{customer}/segments").json() == {"items": [], "next": None}


def test_people_are_put_on_a_list_and_taken_off_it_row_by_row(partners: Partners) -> None:
    for user in ("ana", "bia"):
        partners.know(partners.shop, user)
    partners.know(partners.till, "dora")
    people = make_list(partners.stage)
    body = {"add": [*named("ana", "bia", "dora", "null"), {"kind": "shoe", "value": "9"}], "remove": named("caio")}
    told = partners.shop.post(f"segments/{people.pk}/members", body).json()
    assert (told["added"], told["removed"], told["unchanged"]) == (2, 0, 0)
    assert sorted((one["pointer"], one["code"]) for one in told["rejected"]) == [
        ("/add/2", "unknown_customer"),
        ("/add/3/value", "blocked_identifier"),
        ("/add/4/kind", "unknown_identifier_kind"),
        ("/remove/0", "unknown_customer"),
    ]
    assert inside(people) == {"ana", "bia"}
    again = partners.shop.post(f"segments/{people.pk}/members", {"add": named("ana", "bia")}).json()
    assert again == {"added": 0, "removed": 0, "unchanged": 2, "rejected": []}
    by_email = {"remove": [{"kind": "email", "value": "Ana@Example.com"}]}
    off = partners.shop.post(f"segments/{people.pk}/members", by_email).json()
    assert (off["removed"], off["rejected"]) == (1, [])
    assert inside(people) == {"bia"}
    assert len(spells(people)) == 2
    people.refresh_from_db()
    assert people.size == 1


def test_who_is_added_and_removed_at_once_is_taken_off(partners: Partners) -> None:
    partners.know(partners.shop)
    people = make_list(partners.stage)
    body = {"add": named("ana"), "remove": [{"kind": "email", "value": "ana@example.com"}]}
    told = partners.shop.post(f"segments/{people.pk}/members", body).json()
    assert told == {"added": 0, "removed": 0, "unchanged": 1, "rejected": []}
    assert not SegmentMembership.objects.exists()


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        ({"add": [{"kind": "user_id"}]}, "missing_field", "/add/0/value"),
        ({"add": [{"kind": "user_id", "value": 5}]}, "wrong_type", "/add/0/value"),
        ({"add": "ana"}, "wrong_type", "/add"),
        ({"add": [5]}, "wrong_type", "/add/0"),
        ({"put": []}, "unknown_field", "/put"),
    ],
)
def test_a_change_of_another_shape_changes_nothing(
    partners: Partners, body: dict[str, Any], code: str, where: str
) -> None:
    partners.know(partners.shop)
    people = make_list(partners.stage)
    answer = partners.shop.post(f"segments/{people.pk}/members", body)
    assert (code_of(answer, 422), pointer_of(answer)) == (code, where)
    assert inside(people) == set()


@pytest.mark.parametrize("change", ["add", "remove"])
def test_a_change_of_too_many_changes_nothing(partners: Partners, change: str) -> None:
    partners.know(partners.shop)
    people = make_list(partners.stage)
    answer = partners.shop.post(f"segments/{people.pk}/members", {change: named("ana") * 1001})
    assert (code_of(answer, 413), pointer_of(answer)) == ("batch_too_large", f"/{change}")
    assert inside(people) == set()


def test_nobody_is_put_into_what_a_rule_decides(partners: Partners) -> None:
    partners.know(partners.shop, plan="free")
    segment = make_segment(partners.stage, GOLD)
    answer = partners.shop.post(f"segments/{segment.pk}/members", {"add": named("ana")})
    assert code_of(answer, 409) == "not_a_list"
    assert inside(segment) == set()


def test_a_segment_is_made_and_built(partners: Partners) -> None:
    partners.know(partners.shop, plan="gold")
    answer = partners.shop.post("segments", {"key": "gold", "name": "Gold", "rule": GOLD})
    made = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/segments/{made['id']}")
    assert (made["state"], made["version"], made["is_list"]) == ("building", 1, False)
    build_all(partners.stage.now)
    assert inside(Segment.objects.get(key="gold")) == {"ana"}
    people = partners.shop.post("segments", {"key": "invited", "name": "Invited", "description": ""}).json()
    assert (people["state"], people["version"], people["is_list"], people["rule"]) == ("live", 0, True, None)


def test_a_rule_replaces_the_one_that_was_seen_and_no_other(partners: Partners) -> None:
    segment = make_segment(partners.stage, GOLD)
    free = {**GOLD, "value": "free"}
    shown = partners.shop.post(f"segments/{segment.pk}/rule", {"rule": free, "version": 1}).json()
    assert (shown["version"], shown["words"], shown["state"]) == (2, "plan is free", "building")
    answer = partners.shop.post(f"segments/{segment.pk}/rule", {"rule": GOLD, "version": 1})
    assert (code_of(answer, 409), pointer_of(answer)) == ("stale_version", "/version")
    segment.refresh_from_db()
    assert (segment.rule_version, SegmentVersion.objects.count()) == (2, 2)
    assert SegmentVersion.objects.get(number=2).rule == segment.rule == shown["rule"]
    Segment.objects.update(state=Segment.State.ARCHIVED)
    answer = partners.shop.post(f"segments/{segment.pk}/rule", {"rule": GOLD, "version": 2})
    assert code_of(answer, 409) == "segment_archived"
    people = make_list(partners.stage)
    answer = partners.shop.post(f"segments/{people.pk}/rule", {"rule": GOLD, "version": 0})
    assert code_of(answer, 422) == "is_a_list"
    assert SegmentVersion.objects.count() == 2


DEEP: dict[str, Any] = GOLD
for _level in range(20):
    DEEP = {"not": DEEP}


@pytest.mark.parametrize(
    ("changes", "status", "code", "where"),
    [
        ({"key": "Gold"}, 422, "invalid_name", "/key"),
        ({"key": 5}, 422, "wrong_type", "/key"),
        ({"key": "vip"}, 409, "key_taken", "/key"),
        ({"name": "x" * 201}, 422, "too_long", "/name"),
        ({"brand": NOBODY}, 422, "unknown_field", "/brand"),
        ({"squad": NOBODY}, 422, "unknown_field", "/squad"),
        ({"rule": []}, 422, "wrong_type", "/rule"),
        ({"rule": {"leaf": "in_segment", "segment": "nowhere"}}, 422, None, None),
        ({"rule": {"leaf": "nothing"}}, 422, None, None),
        ({"rule": DEEP}, 422, None, None),
    ],
)
def test_what_is_no_segment_is_not_made(
    partners: Partners, changes: dict[str, Any], status: int, code: str | None, where: str | None
) -> None:
    make_list(partners.stage, "vip")
    answer = partners.shop.post("segments", {"key": "gold", "name": "Gold", "rule": GOLD, **changes})
    told = (code_of(answer, status), pointer_of(answer))
    assert told == (code, where) if code else told[1].startswith("/rule")
    assert list(Segment.objects.values_list("key", flat=True)) == ["vip"]


def test_what_is_another_brands_is_as_good_as_nothing(partners: Partners) -> None:
    partners.know(partners.rival, "ana")
    people = make_list(partners.stage)
    for path in (f"segments/{people.pk}", f"segments/{people.pk}/members", f"segments/{NOBODY}", "segments/x"):
        assert code_of(partners.rival.get(path), 404) == "not_found"
    for path, body in (("members", {"add": named("ana")}), ("rule", {"rule": GOLD, "version": 0})):
        assert code_of(partners.rival.post(f"segments/{people.pk}/{path}", body), 404) == "not_found"
    assert partners.rival.get("segments").json()["items"] == []
    assert inside(people) == set()
    assert partners.rival.post("segments", {"key": "invited", "name": "Theirs"}).status_code == 201
    assert Segment.objects.get(name="Theirs").brand == Brand.objects.get(key="rival")


@pytest.mark.parametrize("scope", ["segments:read", "segments:write"])
def test_each_scope_is_good_for_its_own(scope: str) -> None:
    partners = make_partners(shop=(scope,))
    people = make_list(partners.stage)
    reads = [partners.shop.get(path) for path in ("segments", f"segments/{people.pk}", f"segments/{people.pk}/members")]
    writes = [
        partners.shop.post("segments", {"key": "gold", "name": "Gold"}),
        partners.shop.post(f"segments/{people.pk}/members", {"add": []}),
    ]
    good, bad = (reads, writes) if scope == "segments:read" else (writes, reads)
    assert {answer.status_code for answer in good} <= {200, 201}
    assert {code_of(answer, 403) for answer in bad} == {"insufficient_scope"}
    assert Segment.objects.filter(key="gold").exists() is (scope == "segments:write")
