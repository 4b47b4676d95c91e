"""One timeline over everything: newest first, paged by place, narrowed by kind, channel and brand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from analytics.timeline import KINDS, Page, Place, Scope, timeline
from channels.dispatch import dispatch_all
from channels.entitlements.ledger import Act, Grant, grant
from channels.models import Origin
from customers.models import Address, Identifier, Profile
from customers.pg import raw_cursor
from tests.journeys.stage import T0, Stage, welcome

pytestmark = pytest.mark.own_sql


def scope(**chosen: Any) -> Scope:
    return Scope(
        profiles=list(Profile.objects.values_list("pk", flat=True)),
        addresses=list(Address.objects.values_list("pk", flat=True)),
        see=lambda model: model._default_manager.all(),
        **chosen,
    )


def told(page: Page) -> list[tuple[str, str, str]]:
    return [(entry.kind, str(entry.title), str(entry.text)) for entry in page.entries]


def whole(asked: Scope, limit: int) -> list[Place]:
    """Every place, read page by page."""
    found: list[Place] = []
    after = None
    while True:
        page = timeline(asked, after=after, limit=limit)
        found += [entry.place for entry in page.entries]
        if page.older is None:
            return found
        after = page.older


@pytest.fixture
def lived(stage: Stage) -> Stage:
    """Agrees, signs up, is welcomed, is refused once, is given free shipping, logs in."""
    stage.publish(welcome())
    stage.know(plan="gold")
    stage.pass_time(hours=1)
    stage.happen("customer.signed_up", properties={"campaign": "spring"})
    dispatch_all(stage.now)
    stage.pass_time(hours=1)
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    give(stage, stage.now - timedelta(minutes=30))
    stage.happen("login.succeeded")
    return stage


def give(stage: Stage, at: datetime) -> None:
    profile = Identifier.objects.get(kind_id="user_id").profile_id
    act = Act(Origin.API, "till", "once")
    with transaction.atomic(), raw_cursor() as cursor:
        grant(cursor, [Grant(stage.brand.pk, profile, "free_shipping", act)], at)


def test_everything_stands_on_it_newest_first(lived: Stage) -> None:
    assert told(timeline(scope())) == [
        ("run", "welcome", "ended: completed"),
        ("event", "login.succeeded", "from Shop"),
        ("entitlement", "free_shipping", "granted"),
        ("refusal", "welcome", "not let in: a run of this key is live"),
        ("event", "customer.signed_up", "from Shop"),
        ("message", "Note", "sent"),
        ("run", "welcome", "entered, version 1"),
        ("event", "customer.signed_up", "from Shop"),
        ("consent", "News", "given"),
        ("event", "identify", "from Shop"),
        ("event", "consent.granted", "from Shop"),
        ("identity", "evidence", "two profiles are the same person"),
        ("identity", "User id", "known by"),
        ("identity", "E-mail", "known by"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 13, 14])
def test_pages_of_any_size_tell_the_same_story_once(lived: Stage, limit: int) -> None:
    assert whole(scope(), limit) == [entry.place for entry in timeline(scope(), limit=100).entries]


def test_many_entries_of_one_instant_are_neither_lost_nor_doubled(stage: Stage) -> None:
    for _n in range(7):
        stage.accept("page.viewed")
    stage.run()
    places = whole(scope(kinds=frozenset({"event"})), 3)
    assert len(places) == len(set(places)) == 7


def test_a_place_reads_back_from_its_text() -> None:
    place = Place(T0, "event", "17")
    assert Place.parse(str(place)) == place


@pytest.mark.parametrize("text", ["", "x", "2026-03-02~event~1", "2026-03-02T12:00:00+00:00~nothing~1", "~~~"])
def test_what_names_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - parsing has many words for it
        Place.parse(text)


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_shows_only_itself(lived: Stage, kind: str) -> None:
    kinds = {entry.kind for entry in timeline(scope(kinds=frozenset({kind}))).entries}
    assert kinds == {kind}


def test_a_channel_shows_its_messages_and_consents(lived: Stage) -> None:
    lived.happen("consent.withdrawn", properties={"purpose": "news", "address": "ana@example.com"})
    assert told(timeline(scope(channel="email"))) == [("consent", "News", "withdrawn"), ("message", "Note", "sent")]
    assert told(timeline(scope(channel="sms"))) == []


def test_no_brand_leaves_only_identity(lived: Stage) -> None:
    assert {entry.kind for entry in timeline(scope(brands=frozenset())).entries} == {"identity"}


def test_what_an_event_said_and_a_consent_proved_stands_beside(lived: Stage) -> None:
    entries: Sequence[Any] = timeline(scope()).entries
    signed_up = [entry for entry in entries if entry.title == "customer.signed_up"][1]
    consent = next(entry for entry in entries if entry.kind == "consent")
    assert signed_up.detail == {"campaign": "spring"}
    assert consent.detail["source"] == "Shop"


def test_a_merge_is_told_with_its_time(stage: Stage) -> None:
    stage.accept("page.viewed", "", anonymous_id="web-1")
    stage.happen("page.viewed", "ana")
    stage.pass_time(hours=2)
    stage.happen("identify", "ana", anonymous_id="web-1")
    told_of = timeline(scope(kinds=frozenset({"identity"}))).entries
    at_the_merge = [str(entry.text) for entry in told_of if entry.place.at == T0 + timedelta(hours=2)]
    assert sorted(at_the_merge) == ["two profiles are the same person", "with this customer since then"]


def test_a_page_asks_as_much_however_long_the_story(lived: Stage, django_assert_num_queries: Any) -> None:
    with CaptureQueriesContext(connection) as asked:
        timeline(scope())
    for n in range(30):
        lived.accept("page.viewed", at=T0 + timedelta(minutes=n))
    lived.run()
    with django_assert_num_queries(len(asked)):
        timeline(scope())
