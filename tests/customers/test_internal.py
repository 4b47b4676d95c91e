"""What happens inside is told as events: only what somebody awaits, in the right brands, and never without end."""

from typing import Any

import pytest

from customers import internal
from customers.awaited import await_names, names_under_lock
from customers.internal import MOST_HOPS, Cause, Internal
from customers.models import Brand, DeadLetter, Event, EventPayload, MatchItem, Profile, ProfileBrand, Source
from customers.pg import raw_cursor
from tests.journeys.stage import Stage, make_stage, welcome

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def told() -> list[tuple[str, dict[str, Any]]]:
    events = Event.objects.filter(source__key=Source.RESERVED_KEY).order_by("id")
    contents = {one.event_id: one.payload.get("properties") for one in EventPayload.objects.all()}
    return [(event.name, contents[event.pk]) for event in events]


def test_a_trait_that_changed_is_told_with_what_it_was(stage: Stage) -> None:
    await_names("test:1", [internal.TRAIT_CHANGED])
    stage.happen("identify", traits={"plan": "basic"})
    stage.pass_time(minutes=1)
    stage.happen("identify", traits={"plan": "gold", "city": None})
    changed = internal.TRAIT_CHANGED
    assert told() == [
        (changed, {"name": "plan", "before": None, "after": "basic"}),
        (changed, {"name": "city", "before": None, "after": None}),
        (changed, {"name": "plan", "before": "basic", "after": "gold"}),
    ]
    first = Event.objects.filter(name=changed).order_by("id")[0]
    assert (first.cause_id, first.hops) == (Event.objects.filter(name="identify").order_by("id")[0].pk, 1)


def test_what_nobody_awaits_is_not_told(stage: Stage) -> None:
    stage.happen("identify", traits={"plan": "basic"})
    assert told() == []
    assert not Source.objects.filter(key=Source.RESERVED_KEY).exists()


def test_the_same_word_again_changes_nothing(stage: Stage) -> None:
    await_names("test:1", [internal.TRAIT_CHANGED])
    for _again in range(3):
        stage.happen("identify", traits={"plan": "basic"})
    assert len(told()) == 1


def test_history_starts_nothing(stage: Stage) -> None:
    await_names("test:1", [internal.TRAIT_CHANGED])
    stage.happen("identify", traits={"plan": "basic"}, historical=True)
    assert Event.objects.get(name=internal.TRAIT_CHANGED).historical
    assert not MatchItem.objects.exists()


def test_a_merge_is_told_as_history(stage: Stage) -> None:
    await_names("test:1", [internal.CUSTOMER_MERGED])
    stage.happen("page.viewed", "", anonymous_id="tablet")
    stage.happen("page.viewed", "ana")
    stage.happen("page.viewed", "ana", anonymous_id="tablet")
    [(name, properties)] = told()
    assert name == internal.CUSTOMER_MERGED
    ana = Profile.objects.get(identifier__value="ana")
    assert (properties["to"], properties["from"]) == (str(ana.customer_id), str(ana.pk))
    assert Event.objects.get(name=name).historical


def test_a_journey_may_wait_for_what_happens_inside(stage: Stage) -> None:
    hold = {
        "type": "hold",
        "id": "hold",
        "state": "not_activated",
        "branches": [
            {
                "event": internal.TRAIT_CHANGED,
                "rule": {"leaf": "event_property", "name": "name", "op": "eq", "value": "plan"},
                "next": "done",
            }
        ],
        "timeout": {"after": "P1D", "next": "lost"},
    }
    entry = {"event": "customer.signed_up", "guard": "none", "guard_reason": "test"}
    stage.publish(welcome(entry=entry, steps=[hold, *welcome()["steps"][3:]]))
    stage.happen("customer.signed_up")
    stage.pass_time(minutes=1)
    stage.happen("identify", traits={"city": "Recife"})
    assert stage.steps_of(stage.the_run()) == ["hold"]
    stage.happen("identify", traits={"plan": "gold"})
    assert stage.steps_of(stage.the_run()) == ["hold", "done"]


def tell(stage: Stage, *happened: Internal) -> int:
    with raw_cursor() as cursor:
        return internal.tell(cursor, happened, frozenset({"segment.entered"}), stage.now)


def test_what_follows_from_itself_ends_as_a_dead_letter(stage: Stage) -> None:
    stage.happen("page.viewed")
    profile = Profile.objects.get().pk
    assert tell(stage, Internal("segment.entered", profile, "k", {"a": 1}, Cause(7, MOST_HOPS - 1))) == 1
    assert Event.objects.get(name="segment.entered").hops == MOST_HOPS
    assert tell(stage, Internal("segment.entered", profile, "k2", {"a": 1}, Cause(7, MOST_HOPS))) == 0
    letter = DeadLetter.objects.get()
    assert (letter.queue, letter.unit_id, letter.row["properties"]) == ("internal", 7, {"a": 1})


def test_without_a_brand_every_brand_that_knows_the_profile_is_told(stage: Stage) -> None:
    stage.happen("page.viewed")
    profile = Profile.objects.get()
    other = Brand.objects.create(key="other", name="Other")
    ProfileBrand.objects.create(profile=profile, brand=other, first_seen_at=stage.now)
    assert tell(stage, Internal("segment.entered", profile.pk, "k")) == 2
    assert tell(stage, Internal("segment.entered", profile.pk, "k2", brand_id=other.pk)) == 1
    brands = Event.objects.filter(name="segment.entered").order_by("id").values_list("brand__key", flat=True)
    assert sorted(brands[:2]) == sorted([stage.brand.key, "other"])
    assert brands[2] == "other"
    assert names_under_lock() == frozenset()
