"""A journey's page tells how its calls of other systems went, with the lists of what it counts."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from analytics.journey_numbers import as_json, as_text, journey_numbers
from analytics.metrics.calls_made import calls_made
from analytics.metrics.period import Period
from customers.models import Brand
from journeys.models import Call, Journey
from tests.journeys.calling import Calling, asking, other_side
from tests.journeys.stage import T0, Stage, welcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def crm(stage: Stage, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Calling]:
    """Two were answered, of one nothing is known there, one could not be reached, one left; two wait."""
    with other_side(stage, settings) as one:
        one.system.answers = [(200, {}, b"{}"), (200, {}, b"{}"), (404, {}, b""), (503, {}, b"")]
        one.connector.concurrency = 1
        one.connector.save()
        document = asking(catch=[{"errors": ["status_404"], "next": "lost"}], within="P30D")
        stage.publish(document | {"exit_events": [{"event": "unsubscribed", "state": "lost"}]})
        for n in range(7):
            stage.know(f"u{n}")
            if n == 4:
                one.call()
            stage.happen("customer.signed_up", f"u{n}")
        stage.happen("unsubscribed", "u4")
        Call.objects.filter(run__profile__identifier__value="u4").update(state="left")
        Call.objects.filter(run__profile__identifier__value="u6").update(state="calling")
        monkeypatch.setattr("customers.clock.utcnow", lambda: stage.now)
        yield one


def journey_of(crm: Calling) -> Journey:
    return crm.stage.journeys["welcome"]


def counted(crm: Calling, period: Period | None = None) -> dict[str, int]:
    made = calls_made(journey_of(crm).pk, *([period] if period else []))
    assert made.total == sum(part.count for part in made.by_outcome)
    return {part.key: part.count for part in made.by_outcome}


def test_they_are_counted_by_what_became_of_them(crm: Calling) -> None:
    assert list(counted(crm).items()) == [
        ("waiting", 1), ("calling", 1), ("answered", 2), ("failed_status_404", 1), ("failed_status_503", 1), ("left", 1)
    ]  # fmt: skip


def test_only_those_of_the_period_and_of_the_journey(crm: Calling) -> None:
    assert counted(crm, Period(since=T0 + timedelta(hours=1))) == {}
    other = Journey.objects.create(brand=crm.stage.brand, key="other", name="Other")
    assert calls_made(other.pk).by_outcome == ()


def test_the_command_tells_them_too(crm: Calling) -> None:
    numbers = journey_numbers(journey_of(crm).pk)
    assert as_json(numbers)["calls"]["by_outcome"]["failed_status_503"] == 1
    assert re.search(r"failed: status_503 +1\n", as_text(numbers))


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(client: Client, crm: Calling) -> str:
    answer = client.get(reverse("admin:journeys_journey_numbers", args=[journey_of(crm).pk]))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def links(shown: str) -> dict[str, str]:
    """By label, the list that each count leads to."""
    own = shown.partition('aria-label="Calls of other systems"')[2].partition("</section>")[0]
    return {label: unescape(url) for url, label in re.findall(r'href="([^"]+)">([^<]+)</a>', own)}


def test_the_page_leads_from_each_count_to_what_is_counted(crm: Calling) -> None:
    root = client_of(User.objects.create_superuser("root"))
    found = links(page(root, crm))
    assert set(found) == {
        "waiting", "in a worker’s hands", "answered", "failed: status_404", "failed: status_503", "no longer needed",
        "of them among dead letters, to be replayed",
    }  # fmt: skip
    for label, url in found.items():
        answer = root.get(url)
        assert answer.status_code == 200, label
        count = {"answered": 2}.get(label, 1)
        assert answer.context["cl"].result_count == count, label


def test_a_journey_that_asked_nobody_says_nothing_of_it(stage: Stage) -> None:
    stage.publish(welcome())
    root = client_of(User.objects.create_superuser("root"))
    answer = root.get(reverse("admin:journeys_journey_numbers", args=[stage.journeys["welcome"].pk]))
    assert b"Calls of other systems" not in answer.content


def may_see(user: User, *names: str) -> Client:
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_journey", *names)))
    return client_of(User.objects.get(pk=user.pk))


def test_who_sees_the_journey_alone_sees_counts_without_lists_or_dead_letters(crm: Calling) -> None:
    user = User.objects.create_user("ana", is_staff=True)
    assign_perm("view_brand", user, crm.stage.brand)
    shown = page(may_see(user), crm)
    assert "Calls of other systems: 7" in shown
    assert "dead letters" not in shown
    assert links(shown) == {}
    lists = links(page(may_see(user, "view_call"), crm))
    assert len(lists) == 6
    assert not any("dead letters" in label for label in lists)
    letters = links(page(may_see(user, "view_deadletter"), crm))
    assert list(letters) == ["of them among dead letters, to be replayed"]


def test_another_brand_sees_none_of_it(crm: Calling) -> None:
    user = User.objects.create_user("eva", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    assign_perm("view_brand", user, Brand.objects.create(key="other", name="Other"))
    client = client_of(user)
    assert client.get(reverse("admin:journeys_journey_numbers", args=[journey_of(crm).pk])).status_code != 200
    listed = client.get(reverse("admin:journeys_call_changelist"))
    assert listed.context["cl"].result_count == 0
