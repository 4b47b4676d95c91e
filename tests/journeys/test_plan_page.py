"""The page on which whoever publishes says what becomes of people in flight, and sees beforehand what that does."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from customers.models import AuditEntry
from journeys import drafts
from journeys.models import Changeover, Journey
from tests.journeys.stage import T0, Stage, welcome
from tests.journeys.test_author_page import address, document, logged_in, told
from tests.journeys.test_changeover import place, shifted

pytestmark = pytest.mark.django_db
MOVED = {"row-0-version": "1", "row-0-step": "hold", "row-0-then": "to:hold"}


@pytest.fixture
def root() -> Client:
    return logged_in(get_user_model().objects.create_superuser("root"))


@pytest.fixture
def journey(stage: Stage) -> Journey:
    """Ana and Bia wait at the hold of version 1; the draft is another hold, and reads `total` behind it."""
    stage.publish(document())
    for user in ("ana", "bia"):
        stage.know(user)
        stage.happen("customer.signed_up", user, properties={"total": 9} if user == "ana" else {})
    journey = stage.journeys["welcome"]
    drafts.save_draft(journey, reading(), by=None, now=T0, lock=0)
    journey.refresh_from_db()
    return journey


def reading() -> dict[str, Any]:
    steps = shifted()["steps"]
    rule = {"leaf": "event_property", "name": "total", "op": "gt", "value": 5}
    split = {"type": "split", "id": "large", "state": "not_activated", "otherwise": "lost"}
    steps.insert(3, split | {"branches": [{"rule": rule, "next": "remind"}]})
    steps[2] = steps[2] | {"timeout": {"after": "P2D", "next": "large"}}
    return welcome(steps=steps)


def test_where_people_stand_is_shown_and_they_stay_unless_somebody_says_otherwise(
    root: Client, journey: Journey
) -> None:
    page = root.get(address(journey, "publication")).content.decode()
    assert "2 runs are on their way." in page
    assert '<option value="to:hold">move to hold</option>' in page
    assert "to:greeting" not in page
    assert "They go on to their end as they came in." in page
    root.post(address(journey, "publication"), {"revision": "1"})
    assert Changeover.objects.count() == 0


def test_the_preview_says_until_when_they_wait_and_what_they_lack(root: Client, journey: Journey) -> None:
    page = root.post(address(journey, "publication"), {"revision": "1", "do": "preview", **MOVED}).content.decode()
    assert '<option value="to:hold" selected>' in page
    assert "1 of them has no “total”, which is read from there on." in page
    assert Journey.objects.get(pk=journey.pk).live_version == journey.live_version
    assert (Changeover.objects.count(), AuditEntry.objects.filter(action="publish").count()) == (0, 0)


def test_publishing_with_the_plan_moves_them_and_is_in_the_audit_trail(
    root: Client, stage: Stage, journey: Journey
) -> None:
    more = {"row-0-anew": "1", "row-0-keep": "1"}
    answer = root.post(address(journey, "publication"), {"revision": "1", "do": "publish", **MOVED, **more})
    assert told(answer) == ["welcome v2 is live."]
    assert "People are still being moved to version 2" in root.get(address(journey, "publication")).content.decode()
    stage.run()
    assert [place(run) for run in stage.runs()] == [(2, "hold"), (2, "hold")]
    row = {"version": 1, "step": "hold", "then": "move", "to": "hold", "messages": "keep", "wait": "anew"}
    assert AuditEntry.objects.get(action="publish").after == {"version": 2, "plan": [row]}


def test_people_are_taken_along_on_the_way_back_too(root: Client, stage: Stage, journey: Journey) -> None:
    root.post(address(journey, "publication"), {"revision": "1", **MOVED})
    stage.run()
    back = {"to": "1", "live": "2", "row-0-version": "2", "row-0-step": "hold", "row-0-then": "exit"}
    preview = root.post(address(journey, "publication"), {**back, "do": "preview"}).content.decode()
    assert "Their runs end now" in preview
    root.post(address(journey, "publication"), back)
    stage.run()
    assert [run.get_status_display() for run in stage.runs()] == ["exited", "exited"]


def test_a_plan_nobody_could_choose_publishes_nothing(root: Client, journey: Journey) -> None:
    forged = {**MOVED, "row-0-then": "to:greeting"}
    answer = root.post(address(journey, "publication"), {"revision": "1", **forged})
    assert told(answer) == [
        "Nothing was published: people cannot be moved so.",
        "“greeting” does not wait, so nobody can be put there. Choose the wait that leads there, or the one behind it.",
    ]
    preview = root.post(address(journey, "publication"), {"revision": "1", "do": "preview", **forged})
    assert "does not wait, so nobody can be put there" in preview.content.decode()
    assert journey.versions.count() == 1
