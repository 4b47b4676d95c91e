"""Simulations by API: asked for, looked at and stopped, of one's own brand, with the scope for it."""

from datetime import timedelta
from typing import Any

import pytest

from customers import jobs
from customers.models import Event, Job
from journeys import drafts
from journeys.models import Journey, Run, SimulatedEvents, Simulation
from tests.config.partners import Partners, make_partners
from tests.customers.partner_api import EVERY_SCOPE, code_of, pointer_of
from tests.journeys.stage import T0
from tests.journeys.test_author_page import document

pytestmark = pytest.mark.django_db
SPAN = {"since": "2026-03-01T00:00:00Z", "until": "2026-03-09T00:00:00-03:00"}
EVENT = {"event": "customer.signed_up", "user_id": "u-1", "occurred_at": "2026-03-02T12:00:00Z"}


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    return made


@pytest.fixture
def journey(partners: Partners) -> Journey:
    return partners.journey()


def ask(partners: Partners, journey: Journey, **said: Any) -> Any:
    return partners.shop.post(f"journeys/{journey.pk}/simulations", {"versions": ["live"], **SPAN, **said})


def work() -> None:
    jobs.work_on(lambda: T0 + timedelta(days=9), 20)


def test_what_happened_is_played_and_told(partners: Partners, journey: Journey) -> None:
    partners.know(partners.shop)
    partners.stage.happen("customer.signed_up", "ana")
    runs, events = list(Run.objects.values()), Event.objects.count()
    answer = ask(partners, journey)
    assert answer.status_code == 202
    asked = answer.json()
    assert answer.headers["Location"] == f"/api/v1/simulations/{asked['id']}"
    assert (asked["versions"], asked["over"], asked["state"], asked["results"]) == (
        ["live"],
        "stored_events",
        "waiting",
        {},
    )
    assert (asked["since"], asked["until"]) == ("2026-03-01T00:00:00+00:00", "2026-03-09T03:00:00+00:00")
    work()
    told = partners.shop.get(f"simulations/{asked['id']}").json()
    assert (told["state"], told["events_done"], told["events_total"]) == ("done", 1, 1)
    found = told["results"]["live"]
    assert (found["entered"], found["customers"], found["sent"]) == (
        1, 1, [{"step": "remind", "channel": "email", "messages": 1},
               {"step": "welcome", "channel": "email", "messages": 1}],
    )  # fmt: skip
    assert "What people would have done had they been sent something else." in found["unknown"]
    assert (list(Run.objects.values()), Event.objects.count()) == (runs, events)
    assert Simulation.objects.get().asked_by_token == partners.tokens["shop"]


def test_events_that_are_sent_are_played_and_gone(partners: Partners, journey: Journey) -> None:
    asked = ask(partners, journey, events=[EVENT, EVENT | {"user_id": "u-2", "properties": {"plan": "gold"}}]).json()
    assert (asked["over"], SimulatedEvents.objects.count()) == ("sent_events", 1)
    work()
    told = partners.shop.get(f"simulations/{asked['id']}").json()
    assert told["results"]["live"]["entered"] == 2
    assert (SimulatedEvents.objects.count(), Event.objects.count()) == (0, 0)


def test_two_versions_stand_side_by_side(partners: Partners, journey: Journey) -> None:
    drafts.save_draft(journey, document(), by=None, now=T0, lock=journey.draft_revision)
    asked = ask(partners, journey, versions=["draft", "1"]).json()
    assert asked["versions"] == ["draft", "v1"]
    work()
    assert list(partners.shop.get(f"simulations/{asked['id']}").json()["results"]) == ["draft", "v1"]


def test_they_are_listed_the_latest_first(partners: Partners, journey: Journey) -> None:
    first = ask(partners, journey).json()["id"]
    partners.stage.now += timedelta(minutes=1)
    second = ask(partners, journey).json()["id"]
    page = partners.shop.get(f"journeys/{journey.pk}/simulations", limit=1).json()
    assert [one["id"] for one in page["items"]] == [second]
    rest = partners.shop.get(f"journeys/{journey.pk}/simulations", limit=1, cursor=page["next"]).json()
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([first], None)


def test_one_is_stopped_and_stays_so(partners: Partners, journey: Journey) -> None:
    asked = ask(partners, journey, events=[EVENT]).json()
    for _again in range(2):
        answer = partners.shop.post(f"simulations/{asked['id']}/stop", b"{}")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert (Job.objects.get().state, SimulatedEvents.objects.count()) == (Job.State.CANCELLED, 0)


def test_a_call_that_is_repeated_asks_once(partners: Partners, journey: Journey) -> None:
    path, body = f"journeys/{journey.pk}/simulations", {"versions": ["live"], **SPAN}
    first, again = (partners.shop.post(path, body, **{"Idempotency-Key": "k-1"}) for _turn in range(2))
    assert (first.json(), again.headers["Idempotency-Replayed"]) == (again.json(), "true")
    assert Simulation.objects.count() == 1


def test_nobody_else_finds_what_was_found_nor_another_brand_the_journey(partners: Partners, journey: Journey) -> None:
    asked = ask(partners, journey).json()["id"]
    assert code_of(partners.rival.post(f"journeys/{journey.pk}/simulations", {"versions": ["live"], **SPAN}), 404)
    assert code_of(partners.rival.get(f"journeys/{journey.pk}/simulations"), 404) == "not_found"
    assert code_of(partners.rival.get(f"simulations/{asked}"), 404) == "not_found"
    assert code_of(partners.rival.post(f"simulations/{asked}/stop", b"{}"), 404) == "not_found"
    assert code_of(partners.till.get(f"simulations/{asked}"), 404) == "not_found"
    assert partners.till.get(f"journeys/{journey.pk}/simulations").json()["items"] == []
    assert Job.objects.get().state == Job.State.WAITING


def test_reading_journeys_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    partners = make_partners(shop=tuple(one for one in EVERY_SCOPE if one != "journeys:simulate"))
    monkeypatch.setattr("customers.clock.utcnow", lambda: partners.stage.now)
    assert code_of(ask(partners, partners.journey()), 403) == "insufficient_scope"
    assert Simulation.objects.count() == 0


def test_more_events_than_a_thousand_are_refused_as_a_whole(partners: Partners, journey: Journey) -> None:
    answer = ask(partners, journey, events=[EVENT] * 1001)
    assert (code_of(answer, 413), answer.json()["errors"][0]["pointer"]) == ("batch_too_large", "/events")
    assert Simulation.objects.count() == 0


@pytest.mark.parametrize(
    ("said", "code", "place"),
    [
        ({"versions": []}, "too_short", "/versions"),
        ({"versions": ["live", "draft", "1"]}, "too_long", "/versions"),
        ({"versions": "live"}, "wrong_type", "/versions"),
        ({"versions": [1]}, "wrong_type", "/versions/0"),
        ({"versions": ["live", "live"]}, "not_possible", ""),
        ({"versions": ["9"]}, "unknown_value", "/versions"),
        ({"versions": ["draft;drop"]}, "unknown_value", "/versions"),
        ({"since": "2026-03-01"}, "timezone_required", "/since"),
        ({"since": 7}, "wrong_type", "/since"),
        ({"until": "2026-02-30T00:00:00Z"}, "invalid_timestamp", "/until"),
        ({"until": "2026-02-01T00:00:00Z"}, "not_possible", ""),
        ({"until": "2036-02-01T00:00:00Z"}, "not_possible", ""),
        ({"events": []}, "too_short", "/events"),
        ({"events": [EVENT, {**EVENT, "occurred_at": "soon"}]}, "invalid_timestamp", "/events/1/occurred_at"),
        ({"events": [EVENT, {**EVENT, "event": 7}]}, "wrong_type", "/events/1/event"),
        ({"events": [{**EVENT, "event": "a\tb"}]}, "invalid_event", "/events/0"),
        ({"events": [{**EVENT, "userId": "x"}]}, "unknown_field", "/events/0/userId"),
        ({"events": [{"event": "x"}]}, "missing_field", "/events/0/user_id"),
        ({"limit": 7}, "unknown_field", "/limit"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_its_place(
    partners: Partners, journey: Journey, said: dict[str, Any], code: str, place: str
) -> None:
    answer = ask(partners, journey, **said)
    assert (code_of(answer, answer.status_code), pointer_of(answer) or "") == (code, place)
    assert 400 <= answer.status_code < 500
    assert Simulation.objects.count() == Job.objects.count() == 0


def test_a_draft_that_cannot_be_published_is_not_played(partners: Partners, journey: Journey) -> None:
    Journey.objects.filter(pk=journey.pk).update(draft=document(purpose="gossip"))
    answer = ask(partners, journey, versions=["draft"])
    assert (code_of(answer, 422), pointer_of(answer)) == ("invalid_draft", "/versions")
    assert Simulation.objects.count() == 0
