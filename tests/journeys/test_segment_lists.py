"""Lists: who is put on them and taken off, by page; what that tells; and what a sample says of a rule."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from customers import internal
from customers.awaited import await_names
from customers.models import Brand, Event
from customers.rules import PEOPLE, parse
from customers.segments import count, lists
from customers.segments.count import estimate
from customers.segments.named import find
from tests.journeys.segments import GOLD, inside, make_list, make_segment
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def test_a_list_is_put_together_by_identifiers_on_its_page(stage: Stage, client: Client) -> None:
    await_names("test:1", [internal.SEGMENT_ENTERED])
    stage.know("ana")
    stage.know("bia")
    segment = make_list(stage)
    client.force_login(get_user_model().objects.create_superuser("root"))
    page = reverse("admin:customers_segment_change", args=[segment.pk])
    assert client.get(page).status_code == 200
    form = {"name": "Invited", "named_by": "email", "put_on": "ana@example.com\nANA@example.com\nnobody@example.com"}
    answer = client.post(page, form, follow=True)
    assert inside(segment) == {"ana"}
    assert "1 person came or left." in answer.content.decode()
    assert Event.objects.filter(name=internal.SEGMENT_ENTERED, historical=False).count() == 1
    client.post(page, {"name": "Invited", "named_by": "email", "take_off": "ana@example.com"})
    assert inside(segment) == set()


def test_people_of_another_brand_are_not_found(stage: Stage) -> None:
    stage.know("ana")
    other = Brand.objects.create(key="other", name="Other")
    found = find(other.pk, "email", ["ana@example.com", "not an address"], stage.now)
    assert (found.customers, found.unknown) == (frozenset(), 2)


def test_a_rule_decides_who_is_in_a_segment(stage: Stage) -> None:
    segment = make_segment(stage, GOLD)
    with pytest.raises(lists.NotAList):
        lists.put(segment, [], stage.now, inside=True)


def test_few_people_are_all_asked(stage: Stage) -> None:
    stage.know("ana", plan="gold")
    stage.know("bia", plan="free")
    found = estimate(parse(GOLD, PEOPLE), stage.brand.pk, stage.now)
    assert (found.people, found.low, found.high, found.asked, found.is_exact) == (1, 1, 1, 2, True)


def test_of_many_some_are_asked_and_the_interval_says_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(40):
        stage.accept("identify", f"u{n}", traits={"plan": "gold" if n % 2 else "free"})
    stage.run()
    monkeypatch.setattr(count, "FEW", 10)
    found = estimate(parse(GOLD, PEOPLE), stage.brand.pk, stage.now)
    assert found.low <= found.people <= found.high
    assert not found.is_exact
