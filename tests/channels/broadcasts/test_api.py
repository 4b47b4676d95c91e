"""Broadcasts at the partner API: read by those who may, started, paused and stopped by those who may that."""

from typing import Any

import pytest

from channels.models import Broadcast, BroadcastMove, SendStop
from customers.models import AuditEntry, Brand, Segment, Source
from tests.channels.broadcasts.stage import HOUR, bring_on, crowd, draft, fresh, make_segment, put_in, started
from tests.channels.world import NOW, World
from tests.customers.partner_api import Api, api, code_of, pointer_of


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)


@pytest.fixture
def shop(world: World) -> Api:
    return api(Source.objects.create(brand=world.brand, key="shop", name="Shop"))


@pytest.fixture
def segment(world: World) -> Segment:
    made = make_segment(world)
    put_in(made, [*crowd(world, 2), world.person("no@example.com", granted=False)])
    return made


def do(client: Api, broadcast: Broadcast, verb: str, **body: Any) -> Any:
    return client.post(f"broadcasts/{broadcast.pk}/{verb}", body)


def test_listed_page_by_page_and_by_state(shop: Api, world: World, segment: Segment) -> None:
    draft(world, segment, key="one")
    started(world, segment, key="two", when="at", starts_at=NOW + HOUR)
    first = shop.get("broadcasts", limit="1").json()
    second = shop.get("broadcasts", limit="1", cursor=first["next"]).json()
    assert {first["items"][0]["key"], second["items"][0]["key"]} == {"one", "two"}
    assert second["next"] is None
    assert [one["key"] for one in shop.get("broadcasts", state="scheduled").json()["items"]] == ["two"]
    assert code_of(shop.get("broadcasts", state="gone"), 400)


def test_its_numbers_add_up(shop: Api, world: World, segment: Segment) -> None:
    broadcast = started(world, segment)
    bring_on(broadcast)
    told = shop.get(f"broadcasts/{broadcast.pk}").json()
    assert (told["state"], told["segment"], told["channel"]) == ("sending", "readers", "email")
    assert told["numbers"] == {"recipients": 3, "waiting": 0, "made": 2, "refused": {"no_consent": 1}}


def test_how_many_are_in_a_segment_that_tells_personal_data_is_for_who_reads_it(world: World, segment: Segment) -> None:
    Segment.objects.update(is_personal=True)
    broadcast = started(world, segment)
    source = Source.objects.create(brand=world.brand, key="shop", name="Shop")
    masked = api(source, scopes=["broadcasts:read"])
    reads = api(source, scopes=["broadcasts:read", "customers:personal"])
    assert masked.get(f"broadcasts/{broadcast.pk}").json()["numbers"] is None
    assert reads.get(f"broadcasts/{broadcast.pk}").json()["numbers"]["recipients"] == 0


@pytest.mark.django_db(transaction=True)
def test_started_paused_resumed_and_stopped_with_reasons(shop: Api, world: World, segment: Segment) -> None:
    broadcast = draft(world, segment)
    assert do(shop, broadcast, "start").json()["state"] == "scheduled"
    bring_on(broadcast)
    assert do(shop, broadcast, "pause", reason="a wrong price").json()["state"] == "paused"
    assert SendStop.objects.filter(scope_id=broadcast.pk, released_at=None).exists()
    assert do(shop, broadcast, "resume").json()["state"] == "sending"
    assert do(shop, broadcast, "stop").json()["state"] == "stopped"
    moves = BroadcastMove.objects.filter(broadcast=broadcast, token_id__isnull=False)
    assert list(moves.values_list("state_to", "reason")) == [
        ("scheduled", ""),
        ("paused", "a wrong price"),
        ("sending", ""),
        ("stopped", ""),
    ]
    assert AuditEntry.objects.filter(action__startswith="broadcast_").count() == 4


def test_what_does_not_suit_its_state_is_refused_and_changes_nothing(shop: Api, world: World, segment: Segment) -> None:
    broadcast = draft(world, segment)
    for verb in ("pause", "resume", "stop"):
        assert code_of(do(shop, broadcast, verb), 409) == "broadcast_not_possible"
    assert fresh(broadcast).state == "draft"
    assert not BroadcastMove.objects.exists()


def test_what_stands_in_the_way_of_a_start_is_told(shop: Api, world: World, segment: Segment) -> None:
    broadcast = draft(world, segment)
    Segment.objects.update(state="archived")
    answer = do(shop, broadcast, "start")
    assert code_of(answer, 409) == "broadcast_not_possible"
    assert "The segment is archived." in answer.json()["detail"]
    assert fresh(broadcast).state == "draft"


def test_unknown_fields_and_long_reasons_are_refused(shop: Api, world: World, segment: Segment) -> None:
    broadcast = started(world, segment)
    bring_on(broadcast)
    assert code_of(do(shop, broadcast, "stop", state="done"), 422) == "unknown_field"
    long = do(shop, broadcast, "stop", reason="x" * 501)
    assert (long.status_code, pointer_of(long)) == (422, "/reason")
    assert fresh(broadcast).state == "sending"


def test_another_brands_broadcast_is_there_for_nobody(world: World, segment: Segment) -> None:
    broadcast = started(world, segment)
    other = Source.objects.create(brand=Brand.objects.create(key="other", name="Other"), key="shop", name="Shop")
    stranger = api(other)
    assert code_of(stranger.get(f"broadcasts/{broadcast.pk}"), 404) == "not_found"
    assert code_of(do(stranger, broadcast, "stop"), 404) == "not_found"
    assert stranger.get("broadcasts").json()["items"] == []
    assert fresh(broadcast).state == "scheduled"
