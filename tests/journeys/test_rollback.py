"""Rolling back: an earlier version becomes the live one again, as a new version that says so."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from customers.models import AuditEntry
from journeys import halting, rollback
from journeys.definition import InvalidDefinition
from journeys.drafts import NotPossible
from journeys.models import Journey, JourneyVersion
from tests.journeys.stage import T0, Stage
from tests.journeys.test_author_page import address, document, logged_in, staff, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def journey(stage: Stage) -> Journey:
    """Two versions: of the first a hold lasts a day, of the second 36 hours."""
    stage.publish(document())
    slower = document()
    slower["steps"][1]["timeout"]["after"] = "PT36H"
    stage.publish(slower)
    return stage.journeys["welcome"]


@pytest.fixture
def root() -> Client:
    return logged_in(get_user_model().objects.create_superuser("root"))


def numbers(journey: Journey) -> list[int]:
    return list(journey.versions.order_by("number").values_list("number", flat=True))


def test_the_earlier_document_is_live_again_as_a_new_version(journey: Journey) -> None:
    ana = get_user_model().objects.create_user("ana")
    made = rollback.roll_back(journey, to=1, live=2, by=ana, now=T0)
    journey.refresh_from_db()
    first = journey.versions.get(number=1)
    assert (made.number, made.definition, made.returns_to, made.published_by) == (3, document(), first, ana)
    assert journey.live_version == made
    entry = AuditEntry.objects.get(action="roll_back")
    assert (entry.actor, entry.before, entry.after) == (ana, {"version": 2}, {"version": 3, "returns_to": 1})


def test_who_enters_next_follows_it_and_who_is_on_the_way_stays(stage: Stage, journey: Journey) -> None:
    for user in ("ana", "bia"):
        stage.know(user)
    stage.happen("customer.signed_up", "ana")
    rollback.roll_back(journey, to=1, live=2, by=None, now=T0)
    stage.happen("customer.signed_up", "bia")
    assert [run.version.number for run in stage.runs()] == [2, 3]


def test_the_draft_is_left_as_it_is(journey: Journey) -> None:
    Journey.objects.filter(pk=journey.pk).update(draft={"purpose": "half-written"})
    rollback.roll_back(journey, to=1, live=2, by=None, now=T0)
    assert Journey.objects.get(pk=journey.pk).draft == {"purpose": "half-written"}


@pytest.mark.parametrize(
    ("to", "live", "text"),
    [
        (2, 2, "There is no earlier version 2 to return to."),
        (9, 2, "There is no earlier version 9 to return to."),
        (1, 1, "Nothing was published: another version went live meanwhile."),
    ],
)
def test_what_is_no_earlier_version_or_no_longer_so_is_refused(journey: Journey, to: int, live: int, text: str) -> None:
    with pytest.raises(NotPossible, match=text):
        rollback.roll_back(journey, to=to, live=live, by=None, now=T0)
    assert (numbers(journey), AuditEntry.objects.filter(action="roll_back").count()) == ([1, 2], 0)


def test_an_archived_journey_returns_to_nothing(journey: Journey) -> None:
    halting.archive(journey, by=None, now=T0, end=False)
    with pytest.raises(NotPossible, match="archived"):
        rollback.roll_back(journey, to=1, live=2, by=None, now=T0)
    assert numbers(journey) == [1, 2]


def test_a_version_that_would_not_pass_by_now_is_refused(stage: Stage, journey: Journey, root: Client) -> None:
    stage.connector.key = "post"
    stage.connector.save()
    with pytest.raises(InvalidDefinition) as caught:
        rollback.roll_back(journey, to=1, live=2, by=None, now=T0)
    assert {problem.pointer for problem in caught.value.problems} == {"/steps/0/connector", "/steps/2/connector"}
    assert "It cannot be published yet" in root.get(address(journey, "publication"), {"to": "1"}).content.decode()
    answer = root.post(address(journey, "publication"), {"to": "1", "live": "2"})
    assert told(answer) == ["Nothing was published: this version has mistakes by now."]
    assert numbers(journey) == [1, 2]


def test_the_page_shows_what_returning_changes_and_does_it(journey: Journey, root: Client) -> None:
    assert "Return to v1" in root.get(address(journey, "versions")).content.decode()
    page = root.get(address(journey, "publication"), {"to": "1"}).content.decode()
    assert "“hold”: or time runs out was “36 hours, remind” and is now “1 day, remind”." in page
    assert "Return to version 1" in page
    answer = root.post(address(journey, "publication"), {"to": "1", "live": "2"})
    assert told(answer) == ["welcome v3 is live."]
    listed = root.get(address(journey, "versions")).content.decode()
    assert "return to v1" in listed
    assert "Return to v3" not in listed


@pytest.mark.parametrize("to", ["2", "7", "x", "-1", "99999999999"])
def test_a_page_for_no_earlier_version_is_not_found(journey: Journey, root: Client, to: str) -> None:
    assert root.get(address(journey, "publication"), {"to": to}).status_code == 404
    assert root.post(address(journey, "publication"), {"to": to, "live": "2"}).status_code == 404
    assert numbers(journey) == [1, 2]


def test_who_may_not_publish_may_not_return(stage: Stage, journey: Journey) -> None:
    writer = logged_in(staff("wil", stage.brand, "view_journey", "change_journey"))
    assert "Return to v1" not in writer.get(address(journey, "versions")).content.decode()
    assert writer.post(address(journey, "publication"), {"to": "1", "live": "2"}).status_code == 403
    assert numbers(journey) == [1, 2]


def test_publishing_a_paused_journey_does_not_resume_it(stage: Stage, journey: Journey) -> None:
    halting.pause(journey, by=None, now=T0, waiting=halting.Waiting.TIME_STANDS)
    made = rollback.roll_back(journey, to=1, live=2, by=None, now=T0)
    journey.refresh_from_db()
    assert (journey.status, journey.live_version) == (Journey.Status.PAUSED, made)
    halting.resume(journey, by=None, now=T0)
    assert JourneyVersion.objects.get(pk=made.pk).returns_to_id == journey.versions.get(number=1).pk
    assert Journey.objects.get(pk=journey.pk).status == Journey.Status.LIVE
