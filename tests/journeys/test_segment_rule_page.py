"""A segment's rule is written by a form: conditions of all kinds, in words, counted, published or refused."""

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from customers.models import AuditEntry, Brand, EventType, SchemaVersion, Segment
from customers.segments import count, define
from tests.journeys.forms import press, values_of
from tests.journeys.segments import GOLD, build_all, inside
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db

OFTEN = {
    "leaf": "event_count",
    "event": "order.completed",
    "where": [{"name": "total", "op": "gt", "value": 50}],
    "op": "at_least",
    "times": 2,
    "within": "P30D",
}
RULE = {"all": [GOLD, {"any": [OFTEN, {"not": {"leaf": "identifier", "name": "phone"}}]}]}


@pytest.fixture
def stage() -> Stage:
    return make_stage()


@pytest.fixture
def segment(stage: Stage) -> Segment:
    return Segment.objects.create(brand=stage.brand, key="vip", name="VIP")


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


def address(segment: Segment) -> str:
    return reverse("admin:customers_segment_rule", args=[segment.pk])


def html(answer: Any) -> str:
    return str(answer.content.decode())


def preview(client: Client, segment: Segment, rule: object) -> Any:
    taken = client.post(address(segment), {"do": "json", "json": json.dumps(rule), "lock": "0"})
    values = values_of(html(taken))
    return client.post(address(segment), values, headers={"X-Trilha-Part": "preview"})


def test_who_makes_a_segment_goes_on_to_its_rule_and_nobody_is_in_it_yet(stage: Stage, root: Client) -> None:
    form = {"brand": stage.brand.pk, "key": "x", "name": "X"}
    answer = root.post(reverse("admin:customers_segment_add"), form)
    made = Segment.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, address(made))
    assert (made.state, made.rule, made.builds) == (Segment.State.DRAFT, None, 0)
    assert "No rule yet: nobody is in it." in html(root.get(reverse("admin:customers_segment_change", args=[made.pk])))


def test_a_rule_is_put_together_by_buttons_and_published(stage: Stage, segment: Segment, root: Client) -> None:
    stage.know("ana", plan="gold")
    stage.know("bia", plan="free")
    page = address(segment)
    at = html(root.get(page))
    at = html(press(root, page, "refresh", at, **{"rule__~node": "all"}))
    at = html(press(root, page, "refresh", at, **{"rule__+__0__~node": "attribute"}))
    filled = {"rule__+__0__name": "plan", "rule__+__0__op": "eq", "rule__+__0__value__~text": "gold"}
    at = html(press(root, page, "part:/rule/all", at, **filled))
    at = html(press(root, page, "remove:/rule/all/1", at))
    assert "A condition was removed." in at
    answer = press(root, page, "publish", at)
    assert answer["Location"] == reverse("admin:customers_segment_change", args=[segment.pk])
    segment.refresh_from_db()
    assert (segment.rule, segment.rule_version, segment.state) == ({"all": [GOLD]}, 1, Segment.State.BUILDING)
    build_all(stage.now)
    assert inside(segment) == {"ana"}
    entry = AuditEntry.objects.get(action="change")
    assert (entry.before, entry.after) == ({"rule": None}, {"rule": {"all": [GOLD]}})


def test_what_was_removed_comes_back(segment: Segment, root: Client) -> None:
    page = address(segment)
    at = html(root.post(page, {"do": "json", "json": json.dumps({"any": [GOLD, OFTEN]})}))
    at = html(press(root, page, "remove:/rule/any/0", at))
    assert values_of(at)["rule/+/0/~node"] == ["event_count"]
    at = html(press(root, page, "undo", at))
    assert [values_of(at)[f"rule/+/{n}/~node"] for n in (0, 1)] == [["attribute"], ["event_count"]]


def test_every_kind_of_condition_comes_through_the_form_as_it_was(segment: Segment, root: Client) -> None:
    other = Segment.objects.create(brand=segment.brand, key="other", name="Other")
    recency = {"leaf": "event_recency", "event": "login", "op": "last_before", "ago": "P7D", "where": []}
    rule = {"any": [RULE, recency, {"leaf": "segment", "key": other.key}]}
    at = html(root.post(address(segment), {"do": "json", "json": json.dumps(rule), "lock": "0"}))
    assert press(root, address(segment), "publish", at).status_code == 302
    segment.refresh_from_db()
    assert segment.rule == rule


def test_names_are_suggested_from_registry_profiles_and_segments(stage: Stage, segment: Segment, root: Client) -> None:
    for name, field in (("order.completed", "total"), ("login", "device")):
        type_ = EventType.objects.create(brand=stage.brand, name=name)
        schema = {"type": "object", "properties": {field: {}}}
        SchemaVersion.objects.create(event_type=type_, number=1, schema=schema, status="approved")
    Segment.objects.create(brand=stage.brand, key="ours", name="Ours")
    elsewhere = Brand.objects.create(key="elsewhere", name="Elsewhere")
    Segment.objects.create(brand=elsewhere, key="theirs", name="Theirs")
    rule = {"any": [OFTEN, {"leaf": "segment", "key": "ours"}, {"leaf": "identifier", "name": "email"}]}
    at = html(root.post(address(segment), {"do": "json", "json": json.dumps(rule), "lock": "0"}))
    # The properties of the event that is chosen, not those of others.
    assert 'list="list-property-order.completed"' in at
    assert '<datalist id="list-property-order.completed"><option value="total">total</option></datalist>' in at
    assert '<option value="ours" selected>Ours (ours)</option>' in at
    assert "theirs" not in at
    assert '<option value="email" selected>' in at


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_the_preview_says_the_rule_in_both_languages_and_counts(
    stage: Stage, segment: Segment, root: Client, language: str
) -> None:
    stage.know("ana", plan="gold")
    stage.know("bia", plan="free")
    root.cookies.load({"django_language": language})
    text = html(preview(root, segment, {"not": GOLD}))
    assert "not (plan is gold)" in text
    assert "não (plan é gold)" in text
    assert ("1 of 2 people" if language == "en" else "1 de 2 pessoas") in text
    first = text.index("plan is gold") < text.index("plan é gold")
    assert first == (language == "en")


def test_people_of_other_brands_are_neither_counted_nor_told_of(stage: Stage, segment: Segment, root: Client) -> None:
    stage.know("ana", plan="gold")
    elsewhere = Brand.objects.create(key="elsewhere", name="Elsewhere")
    segment.brand = elsewhere
    segment.save()
    assert "0 of 0 people" in html(preview(root, segment, GOLD))


def test_of_many_a_sample_is_asked_and_the_words_say_so(
    stage: Stage, segment: Segment, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(30):
        stage.accept("identify", f"u{n}", traits={"plan": "gold"})
    stage.run()
    monkeypatch.setattr(count, "FEW", 10)
    assert "About" in (text := html(preview(root, segment, GOLD)))
    assert "a sample of" in text


def test_a_count_that_takes_too_long_is_given_up(
    stage: Stage, segment: Segment, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.know("ana", plan="gold")
    monkeypatch.setattr(count, "_TIMEOUT", "SET LOCAL statement_timeout = '200ms'")
    monkeypatch.setattr(count, "_COUNTED", "SELECT pg_sleep(2), %s::uuid")
    answer = preview(root, segment, GOLD)
    assert answer.status_code == 200
    assert "Asking takes too long to be shown here." in html(answer)


DEEP: Any = GOLD
for _level in range(50):
    DEEP = {"any": [DEEP]}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (DEEP, "The rule is nested too deeply."),
        ({"any": [GOLD] * 51}, "The rule has too many conditions."),
        (GOLD | {"name": 'a"; drop'}, "This cannot be a name."),
        (GOLD | {"op": "regex", "value": "(a+)+$"}, "There is no such operator."),
        (GOLD | {"op": "in", "value": ["x"] * 1_001}, "The list is too long."),
        ({"leaf": "segment", "key": "nobody"}, "There is no segment nobody."),
        ({"leaf": "event_property", "name": "total", "op": "exists"}, "There is no such condition."),
        ({"any": [None]}, "Choose a condition."),
        ({"leaf": "event_count"}, "This is missing."),
        (None, "Choose a condition."),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_words(segment: Segment, root: Client, rule: Any, told: str) -> None:
    answer = preview(root, segment, rule)
    assert answer.status_code == 422
    assert told in html(answer)
    taken = html(root.post(address(segment), {"do": "json", "json": json.dumps(rule), "lock": "0"}))
    refused = press(root, address(segment), "publish", taken)
    assert refused.status_code == 422
    assert told in html(refused)
    segment.refresh_from_db()
    assert (segment.rule, segment.state) == (None, Segment.State.DRAFT)


def test_a_problem_stands_beside_its_field(segment: Segment, root: Client) -> None:
    rule = {"all": [GOLD, GOLD | {"name": "no name!"}]}
    at = html(root.post(address(segment), {"do": "json", "json": json.dumps(rule), "lock": "0"}))
    field = at[at.index('name="rule/+/1/name"') :]
    assert 'aria-invalid="true"' in field[:300].replace("aria-invalid=true", 'aria-invalid="true"')
    assert '<a href="#f-rule-1-name">' in at


def test_who_was_overtaken_is_told_and_may_publish_all_the_same(stage: Stage, segment: Segment, root: Client) -> None:
    at = html(root.post(address(segment), {"do": "json", "json": json.dumps(OFTEN), "lock": "0"}))
    define.set_rule(segment, GOLD, stage.now)
    answer = press(root, address(segment), "publish", at)
    assert answer.status_code == 409
    assert "Somebody published another rule meanwhile: plan is gold." in html(answer)
    assert Segment.objects.get().rule == GOLD
    assert press(root, address(segment), "publish", html(answer)).status_code == 302
    assert Segment.objects.get().rule == OFTEN


def test_a_rule_deeper_than_any_door_takes_is_refused_and_not_shown(segment: Segment, root: Client) -> None:
    deep = '{"not":' * 900 + json.dumps(GOLD) + "}" * 900
    answer = root.post(address(segment), {"do": "json", "json": deep, "lock": "0"})
    assert (answer.status_code, "This is no JSON." in html(answer)) == (200, True)


def test_what_was_archived_since_it_was_checked_is_said_and_not_published(
    stage: Stage, segment: Segment, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Segment.objects.create(brand=stage.brand, key="gone", name="Gone")
    named = {"leaf": "segment", "segment": "gone"}
    taken = root.post(address(segment), {"do": "json", "json": json.dumps(named), "lock": "0"})
    really = define.set_rule

    def meanwhile(*given: Any, **more: Any) -> Any:
        Segment.objects.filter(pk=other.pk).delete()
        return really(*given, **more)

    monkeypatch.setattr(define, "set_rule", meanwhile)
    answer = root.post(address(segment), {**values_of(html(taken)), "do": "publish"})
    segment.refresh_from_db()
    assert (answer.status_code, segment.rule, segment.rule_version) == (422, None, 0)


def test_a_form_larger_than_any_rule_changes_nothing(segment: Segment, root: Client) -> None:
    rows = {f"rule/+/{n}/~node": "attribute" for n in range(150)}
    answer = root.post(address(segment), {"rule/~node": "any", "rule/~was": "any", "do": "publish", **rows})
    assert answer.status_code == 422
    assert "no rule may be that large" in html(answer)
    assert Segment.objects.get().rule is None


def test_who_may_only_read_sees_the_rule_and_changes_nothing(stage: Stage, segment: Segment, client: Client) -> None:
    define.archive(segment)
    client.force_login(get_user_model().objects.create_superuser("root"))
    assert "You may read this rule, but not change it." in html(client.get(address(segment)))
    assert client.post(address(segment), {"do": "refresh"}).status_code == 403


def test_nobody_else_reaches_it(segment: Segment, client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("guest", is_staff=True))
    assert client.get(address(segment)).status_code == 403
    client.logout()
    assert client.get(address(segment)).status_code == 302


def test_a_list_has_no_rule_page(stage: Stage, root: Client) -> None:
    made = Segment.objects.create(brand=stage.brand, key="list", name="List", is_static=True)
    assert root.get(address(made)).status_code == 404
