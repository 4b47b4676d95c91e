"""What is supposed of other systems in a simulation: asked for by API and on the page, strictly, and played."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from customers import jobs
from journeys.models import Journey, Simulation
from journeys.simulation.job import ask
from journeys.simulation.supposed import NotSupposable, Supposed, replies_of
from tests.config.partners import Partners, make_partners
from tests.customers.partner_api import code_of, pointer_of
from tests.journeys.calling import asking, other_side
from tests.journeys.stage import T0
from tests.journeys.test_author_page import address, logged_in, told

pytestmark = pytest.mark.django_db
UNTIL = T0 + timedelta(days=3)
SPAN = {"since": "2026-03-01T00:00:00Z", "until": "2026-03-09T00:00:00Z"}
MANY = 40
EVENTS = [
    {"event": "customer.signed_up", "user_id": f"u-{n}", "occurred_at": "2026-03-02T12:00:00Z"} for n in range(MANY)
]


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    return made


@pytest.fixture
def journey(partners: Partners, settings: Any) -> Iterator[Journey]:
    """Whose score is seven or more is activated, others are lost; so are those who cannot be asked about."""
    high = {"leaf": "variable", "name": "score", "op": "ge", "value": 7}
    document = asking(
        variables=[{"name": "score", "kind": "number", "default": 0}],
        reply=[{"variable": "score", "pointer": "/score"}],
        next="how",
    )
    split = {"type": "split", "id": "how", "state": "not_activated", "otherwise": "lost"}
    document["steps"].insert(1, split | {"branches": [{"rule": high, "next": "done"}]})
    with other_side(partners.stage, settings):
        yield partners.stage.publish(document).journey


def by_api(partners: Partners, journey: Journey, *assumed: Any) -> Any:
    body = {"versions": ["live"], **SPAN, "events": EVENTS, "assumed": list(assumed)}
    return partners.shop.post(f"journeys/{journey.pk}/simulations", body)


def ends() -> dict[str, int]:
    jobs.work_on(lambda: UNTIL, 20)
    found = Simulation.objects.get().results["live"]
    return {one["state"]: one["runs"] for one in found["runs"]}


def test_all_others_are_replied_as_is_assumed(partners: Partners, journey: Journey) -> None:
    asked = by_api(partners, journey, {"step": "ask", "json": {"score": 9}})
    assert (asked.status_code, asked.json()["assumed"]) == (202, [{"step": "ask", "json": {"score": 9}}])
    assert ends() == {"activated": MANY}


def test_a_share_fails_and_the_rest_is_replied(partners: Partners, journey: Journey) -> None:
    assumed = {"step": "ask", "error": "timeout", "percent": 30.5, "json": {"score": 9}}
    assert by_api(partners, journey, assumed).json()["assumed"] == [assumed]
    found = ends()
    assert sum(found.values()) == MANY
    # Drawn by chance, though the same each time: of forty not far from twelve.
    assert 5 <= found["lost"] <= 20


def test_the_same_runs_fail_each_time() -> None:
    class Somebody:
        def __init__(self, n: int) -> None:
            self.journey_id, self.profile_id, self.entry_key, self.entered_at = "j", n, "", T0

    percents = (20.0, 40.0)
    shares = [{"step": "ask", "error": "timeout", "percent": percent} for percent in percents]
    failing = [
        {n for n in range(500) if replies_of([share])(Somebody(n), "ask")}  # type: ignore[arg-type]  # as it is drawn
        for share in shares
    ]
    assert failing[0] < failing[1]
    assert all(abs(len(one) / 5 - percent) < 8 for one, percent in zip(failing, percents, strict=True))


def test_where_nothing_is_assumed_they_are_answered_and_nothing_is_told(partners: Partners, journey: Journey) -> None:
    asked = partners.shop.post(f"journeys/{journey.pk}/simulations", {"versions": ["live"], **SPAN, "events": EVENTS})
    assert asked.json()["assumed"] == []
    assert ends() == {"lost": MANY}


def test_a_reply_of_nothing_is_one_too(partners: Partners, journey: Journey) -> None:
    assert by_api(partners, journey, {"step": "ask", "json": None}).json()["assumed"] == [{"step": "ask", "json": None}]
    # It has no score, so it is none that was agreed on.
    assert ends() == {"lost": MANY}


@pytest.mark.parametrize(
    ("assumed", "code", "pointer"),
    [
        ({"step": "how", "json": 1}, "unknown_value", "/assumed/0/step"),
        ({"step": "none", "error": "timeout"}, "unknown_value", "/assumed/0/step"),
        ({"step": "ask"}, "missing_field", "/assumed/0/error"),
        ({"step": "ask", "percent": 5}, "missing_field", "/assumed/0/error"),
        ({"step": "ask", "percent": 5, "json": 1}, "missing_field", "/assumed/0/error"),
        ({"step": "ask", "error": "odd"}, "unknown_value", "/assumed/0/error"),
        ({"step": "ask", "error": "status_200"}, "unknown_value", "/assumed/0/error"),
        ({"step": "ask", "error": 404}, "wrong_type", "/assumed/0/error"),
        ({"step": "ask", "error": "timeout", "percent": 0}, "out_of_range", "/assumed/0/percent"),
        ({"step": "ask", "error": "timeout", "percent": 100.5}, "out_of_range", "/assumed/0/percent"),
        ({"step": "ask", "error": "timeout", "percent": "5"}, "wrong_type", "/assumed/0/percent"),
        ({"step": "ask", "error": "timeout", "percent": True}, "wrong_type", "/assumed/0/percent"),
        ({"step": "ask", "json": "x" * 5000}, "too_long", "/assumed/0/json"),
        ({"step": "ask", "json": 1, "status": 200}, "unknown_field", "/assumed/0/status"),
        ({"json": 1}, "missing_field", "/assumed/0/step"),
        ("ask", "wrong_type", "/assumed/0"),
    ],
)
def test_what_cannot_be_assumed_is_refused_at_its_place(
    partners: Partners, journey: Journey, assumed: Any, code: str, pointer: str
) -> None:
    answer = by_api(partners, journey, assumed)
    assert (code_of(answer, 422), pointer_of(answer)) == (code, pointer)
    assert Simulation.objects.count() == 0


def test_of_a_step_something_is_assumed_once(partners: Partners, journey: Journey) -> None:
    answer = by_api(partners, journey, {"step": "ask", "json": 1}, {"step": "ask", "error": "timeout"})
    assert (code_of(answer, 422), pointer_of(answer)) == ("duplicate_step", "/assumed/1/step")


def test_it_is_said_of_which_and_why(journey: Journey) -> None:
    journey.refresh_from_db()
    with pytest.raises(NotSupposable) as refused:
        ask(journey, ["live"], T0, UNTIL, now=T0, assumed=[Supposed(step="ask", error="odd")])
    assert (refused.value.number, refused.value.field) == (0, "error")


@pytest.fixture
def root() -> Client:
    return logged_in(get_user_model().objects.create_superuser("root"))


def by_page(root: Client, journey: Journey, **given: str) -> list[str]:
    asked = {"do": "ask", "versions": ["live"], "since": "2026-03-01", "until": "2026-03-06"}
    said = {f"assumed-0-{name}": value for name, value in given.items()}
    return told(root.post(address(journey, "simulations"), asked | {"assumed-0-step": "ask"} | said))


def test_the_page_has_a_field_for_each_step_that_asks(root: Client, journey: Journey) -> None:
    page = root.get(address(journey, "simulations")).content.decode()
    assert page.count('name="assumed-0-step" value="ask"') == 1
    assert "assumed-1-step" not in page
    assert "not_permitted: the person no longer permits what the journey is for" in page


def test_the_page_takes_what_is_filled_in_and_shows_it_with_what_was_found(root: Client, journey: Journey) -> None:
    given = {"error": "status_503", "percent": "12,5", "json": '{"score": 9, "name": "<b>"}'}
    assert by_page(root, journey, **given) == ["The simulation begins in a moment."]
    simulation = Simulation.objects.get()
    assert simulation.assumed == [
        {"step": "ask", "error": "status_503", "percent": 12.5, "json": {"score": 9, "name": "<b>"}}
    ]
    page = root.get(address(journey, "simulations"), {"show": str(simulation.pk)}).content.decode()
    assert "ask: status_503 for 12.5 percent of runs" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_what_is_left_empty_is_not_assumed(root: Client, journey: Journey) -> None:
    assert by_page(root, journey, error="", percent="100", json=" ") == ["The simulation begins in a moment."]
    assert Simulation.objects.get().assumed == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"json": "{score: 7}"}, "The reply at “ask” is no JSON."),
        ({"json": '1, "json": 2'}, "The reply at “ask” is no JSON."),
        ({"json": '1, "more": 2'}, "The reply at “ask” is no JSON."),
        ({"json": "NaN"}, "The reply at “ask” is no JSON."),
        ({"json": '"a\\u0000b"'}, "The reply at “ask” is no JSON."),
        ({"json": "[" * 5000}, "The reply at “ask” is no JSON."),
        ({"json": '"' + "x" * 5000 + '"'}, "The reply at “ask” is too long."),
        ({"error": "timeout", "percent": "some"}, "The share that fails at “ask” is no number."),
        (
            {"error": "timeout", "percent": "nan"},
            "The share that fails at “ask” is more than 0 and at most 100 percent.",
        ),
        ({"error": "odd"}, "No call at “ask” ends in this error."),
        ({"step": "<i>", "error": "timeout"}, "No step “<i>” asks another system."),
    ],
)
def test_the_page_says_what_cannot_be_assumed(root: Client, journey: Journey, given: dict[str, str], said: str) -> None:
    assert by_page(root, journey, **given) == [said]
    assert Simulation.objects.count() == 0
