"""The first page: today's numbers, each counted exactly, each leading to its list, and nobody sees others' business."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from guardian.shortcuts import assign_perm

from analytics import home
from analytics.home import today
from analytics.home.attention import Kind, attention
from analytics.home.count import Count
from analytics.home.pipeline import LATE, Tray
from channels.models import Connector, Message, Reason
from consent.models import LedgerAnchor
from customers import clock
from customers.models import Brand, DeadLetter, Event, InboxItem, QuarantinedEvent, Source
from journeys.models import EntryRefusal, Journey, Run
from tests.channels.world import World
from tests.config.one_of_each import make_one_of_each

# Noon in London; in São Paulo the day is nine hours old, in Tokyo it will be over in three.
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_one_of_each()


@pytest.fixture
def root() -> User:
    made: User = get_user_model().objects.create_superuser("root")
    return made


def events_at(world: World, times: Iterable[datetime]) -> None:
    """Events received at these times, numbered on from those there are."""
    source, profile = Source.objects.first(), world.person("eva@example.com").profile
    assert source is not None
    for number, time in enumerate(times, start=2):
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval('customers_event_id_seq', %s)", [number])
        Event.objects.create(
            id=number, brand=world.brand, source=source, profile=profile, kind="track", name="Seen",
            message_id=f"m-{number}", received_at=time, occurred_at=time,
        )  # fmt: skip


def row(world: World) -> home.BrandToday:
    world.brand.refresh_from_db()
    [found] = home.brands_today([world.brand], NOW)
    return found


def test_a_day_begins_at_midnight_in_the_brand_s_zone(world: World) -> None:
    # One came at noon already.
    events_at(world, [NOW - timedelta(hours=8, minutes=59), NOW - timedelta(hours=9, minutes=1)])
    Brand.objects.update(zone="America/Sao_Paulo")
    assert row(world).accepted == Count(2)
    Brand.objects.update(zone="UTC")
    assert row(world).accepted == Count(3)
    Brand.objects.update(zone="Asia/Tokyo")
    assert row(world).since == datetime(2026, 3, 1, 15, 0, tzinfo=UTC)


def test_a_count_that_reaches_its_bound_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    events_at(world, [NOW] * 5)
    monkeypatch.setattr(today, "EVENTS", 3)
    assert row(world).accepted == Count(3, more=True)
    assert str(row(world).accepted) == "3+"


def test_another_brand_s_events_are_not_counted(world: World) -> None:
    other = Brand.objects.create(key="other", name="Other")
    assert [found.accepted for found in home.brands_today([other], NOW)] == [Count(0)]


def test_messages_are_counted_by_what_became_of_them(world: World) -> None:
    Message.objects.update(created_at=NOW - timedelta(hours=1), state="sent", reason="")
    assert (row(world).asked, row(world).sent, row(world).not_sent) == (Count(1), Count(1), Count(0))
    Message.objects.update(state="suppressed", reason=Reason.NO_CONSENT)
    assert (row(world).asked, row(world).sent, row(world).not_sent) == (Count(1), Count(0), Count(1))
    [part] = home.not_sent_today([world.brand], NOW).parts
    assert (part.key, part.count) == ("no_consent", 1)


def test_what_was_refused_today_is_counted(world: World) -> None:
    assert row(world).quarantined == Count(1)
    QuarantinedEvent.objects.update(received_at=NOW - timedelta(days=1))
    assert row(world).quarantined == Count(0)


def test_entries_and_refusals_of_a_journey_are_counted(world: World) -> None:
    journey = Journey.objects.select_related("brand").get()
    Run.objects.update(entered_at=NOW)
    EntryRefusal.objects.update(at=NOW)
    [found] = home.journeys_today([journey], NOW)
    assert (found.entered, found.refused) == (Count(1), Count(1))
    Run.objects.update(entered_at=NOW - timedelta(days=2))
    [found] = home.journeys_today([journey], NOW)
    assert (found.entered, found.refused) == (Count(0), Count(1))


def test_a_tray_whose_oldest_waits_too_long_is_late(world: World) -> None:
    def inbox(now: datetime) -> Tray:
        return next(tray for tray in home.pipeline(now) if tray.model == "customers.inboxitem")

    received = InboxItem.objects.get().received_at
    assert (inbox(received).waiting, inbox(received).oldest, inbox(received).late) == (Count(1), received, False)
    assert inbox(received + LATE + timedelta(seconds=1)).late
    InboxItem.objects.all().delete()
    assert (inbox(received).waiting, inbox(received).oldest) == (Count(0), None)


def kinds(user: User, now: datetime = NOW) -> set[Kind]:
    return {one.kind for one in attention(user, now)}


def test_what_wants_a_hand_is_named_and_nothing_else(world: World, root: User) -> None:
    assert kinds(root) == {Kind.DEAD_LETTERS, Kind.QUARANTINE}
    Message.objects.update(state="unknown")
    DeadLetter.objects.update(replayed_at=NOW)
    QuarantinedEvent.objects.update(status=QuarantinedEvent.Status.DISCARDED)
    assert kinds(root) == {Kind.UNKNOWN}


def test_ledgers_that_are_not_anchored_any_more_are_named(world: World, root: User) -> None:
    quiet = {Kind.DEAD_LETTERS, Kind.QUARANTINE, Kind.CONNECTOR_STANDS}
    assert kinds(root, NOW + timedelta(hours=3)) == quiet
    assert kinds(root, NOW + timedelta(hours=3, seconds=1)) == quiet | {Kind.ANCHOR_LATE}
    LedgerAnchor.objects.update(deviations=2)
    assert kinds(root, NOW + timedelta(hours=4)) == quiet | {Kind.ANCHOR_LATE, Kind.ANCHOR_DEVIATES}
    shown = client_of(root).get("/admin/").content.decode()
    assert "The ledgers were last anchored outside the database on March 2, 2026, noon." in shown
    assert "2 chains of the ledgers are not what was anchored" in shown
    LedgerAnchor.objects.all().delete()
    assert "The ledgers were never anchored" in client_of(root).get("/admin/").content.decode()


def test_a_connector_is_in_trouble_when_it_is_off_or_stands_still(world: World, root: User) -> None:
    quiet = {Kind.DEAD_LETTERS, Kind.QUARANTINE}
    Message.objects.update(state="queued", due_at=NOW)
    assert kinds(root, NOW + timedelta(minutes=5)) == quiet
    assert kinds(root, NOW + timedelta(minutes=6)) == quiet | {Kind.CONNECTOR_STANDS}
    Connector.objects.update(is_active=False)
    assert kinds(root, NOW + timedelta(minutes=6)) == quiet | {Kind.CONNECTOR_OFF}


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def links_of(page: str) -> set[str]:
    main = page[page.index("<main") : page.index("</main>")]
    return {unescape(link) for link in re.findall(r'href="(/[^"]+)"', main)}


def test_every_link_leads_to_a_page_that_understands_it(world: World, root: User) -> None:
    now = clock.utcnow()
    Message.objects.update(state="unknown", created_at=now)
    first = Message.objects.get()
    first.pk, first.visit, first.state, first.reason = None, 99, "suppressed", Reason.NO_CONSENT
    Message.objects.bulk_create([Message(**{**plain(first), "created_at": now})])
    Journey.objects.update(status=Journey.Status.LIVE)
    client = client_of(root)
    links = links_of(client.get("/admin/").content.decode())
    assert any("reason__exact=no_consent" in link for link in links)
    # An unknown filter would lead on to ?e=1.
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_page_asks_few_questions(world: World, root: User, frozen_queries: Any) -> None:
    client = client_of(root)
    client.get("/admin/")
    frozen_queries("first page", lambda: client.get("/admin/"))


def plain(message: Message) -> dict[str, Any]:
    written = {field.attname for field in Message._meta.concrete_fields if not field.generated}
    return {name: getattr(message, name) for name in written - {"id"}}


def allow(user: User, *names: str) -> User:
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return get_user_model().objects.get(pk=user.pk)


def test_each_part_wants_its_permission(world: World) -> None:
    user = get_user_model().objects.create_user("ines", is_staff=True)
    assign_perm("view_brand", user, world.brand)
    bare = client_of(user).get("/admin/").content.decode()
    assert ("Live journeys" in bare, "On its way" in bare, "Today so far" in bare) == (False, False, False)
    allow(user, "view_journey", "view_event")
    shown = client_of(user).get("/admin/").content.decode()
    assert ("Live journeys" in shown, "On its way" in shown, "Today so far" in shown) == (True, False, True)
    assert "lies in quarantine" not in shown


def test_whoever_sees_no_brand_sees_no_number(world: World) -> None:
    Journey.objects.update(status=Journey.Status.LIVE)
    user = get_user_model().objects.create_user("otto", is_staff=True)
    user = allow(user, "view_journey", "view_event", "view_message", "view_quarantinedevent", "view_deadletter")
    shown = client_of(user).get("/admin/").content.decode()
    assert world.brand.name not in shown
    assert "Welcome" not in shown
    assert "Nothing of yours wants a hand." in shown


def test_the_journeys_of_one_s_own_squads_come_first(world: World) -> None:
    Journey.objects.update(status=Journey.Status.LIVE)
    member = get_user_model().objects.get(username="member")
    squad = world.brand.squads.get()
    Journey.objects.update(squad=squad)
    Journey.objects.create(brand=world.brand, key="a", name="A first", status=Journey.Status.LIVE)
    member.is_staff = True
    member.save()
    allow(member, "view_journey")
    shown = client_of(member).get("/admin/").content.decode()
    assert shown.index("Of your squads") < shown.index("Welcome") < shown.index("Of others") < shown.index("A first")
