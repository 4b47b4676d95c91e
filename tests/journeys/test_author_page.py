"""The author's pages by plain HTTP, as a browser without scripts uses them."""

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from customers.models import AuditEntry, Brand, Squad, SquadMember
from journeys import drafts
from journeys.models import DraftRevision, Journey, JourneyVersion
from tests.journeys.forms import press, values_of
from tests.journeys.stage import T0, Stage, welcome

HOSTILE = "<script>alert(1)</script>"
PAGES = ("author", "publication", "versions", "text", "status")


def document(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(welcome(**changes)))
    return made


def address(journey: Journey, page: str = "author") -> str:
    return reverse(f"admin:journeys_journey_{page}", args=[journey.pk])


def logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def root(db: None) -> Client:
    return logged_in(get_user_model().objects.create_superuser("root"))


@pytest.fixture
def journey(stage: Stage) -> Journey:
    return Journey.objects.create(brand=stage.brand, key="welcome", name="Welcome", draft=document())


def told(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def staff(name: str, brand: Brand | None, *permissions: str) -> Any:
    user = get_user_model().objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    if brand is not None:
        assign_perm("view_brand", user, brand)
    return get_user_model().objects.get(pk=user.pk)


def test_saving_an_untouched_form_saves_the_same_document(root: Client, journey: Journey) -> None:
    html = root.get(address(journey)).content.decode()
    answer = press(root, address(journey), "save", html)
    assert (answer.status_code, answer.headers["Location"]) == (302, address(journey))
    assert told(answer) == ["The draft was saved. It can be published."]
    journey.refresh_from_db()
    assert (journey.draft, journey.draft_revision) == (document(), 0)


def test_a_button_changes_the_page_and_nothing_else(root: Client, journey: Journey) -> None:
    html = root.get(address(journey)).content.decode()
    answer = press(root, address(journey), "remove:/steps/2", html)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "“remind” was removed." in page
    assert "steps/4/type" not in values_of(page)
    again = press(root, address(journey), "undo", page).content.decode()
    assert values_of(again)["steps/2/id"] == ["remind"]
    assert values_of(again)["steps/1/timeout/next"] == ["remind"]
    journey.refresh_from_db()
    assert (journey.draft, journey.draft_revision) == (document(), 0)


def test_the_script_gets_the_inside_of_the_form_alone(root: Client, journey: Journey) -> None:
    values = values_of(root.get(address(journey)).content.decode())
    answer = root.post(address(journey), {**values, "do": "step:delay:0"}, headers={"X-Trilha-Part": "form"})
    page = answer.content.decode()
    assert "<html" not in page
    assert 'data-focus="f-steps-1-id"' in page
    assert "data-dirty" in page


def test_an_incomplete_draft_is_saved_and_its_gaps_counted(root: Client, journey: Journey) -> None:
    html = root.get(address(journey)).content.decode()
    answer = press(root, address(journey), "save", html, purpose="", steps__0__template="")
    assert told(answer) == ["The draft was saved. 2 things keep it from being published."]


def test_each_problem_stands_at_its_field_and_is_listed_with_a_link_to_it(root: Client, journey: Journey) -> None:
    html = root.get(address(journey)).content.decode()
    changes = {"entry__event": "", "steps__1__timeout__after__~n": "soon"}
    page = press(root, address(journey), "check", html, **changes).content.decode()
    for field in ("f-entry-event", "f-steps-1-timeout-after"):
        assert f'href="#{field}"' in page
        assert f'id="{field}-problem"' in page
        assert f'aria-describedby="{field}-problem"' in page
    assert 'value="soon"' in page


def test_problems_of_rules_and_whole_steps_find_their_place(root: Client, journey: Journey) -> None:
    made = document()
    made["entry"]["rule"] = {"all": [{"leaf": "attribute", "name": "1", "op": "eq", "value": "x"}]}
    made["steps"].append({"type": "exit", "id": "island", "state": "lost"})
    Journey.objects.filter(pk=journey.pk).update(draft=made)
    page = root.get(address(journey), {"check": "1"}).content.decode()
    assert 'href="#f-entry-rule-0-name"' in page
    assert 'href="#f-steps-5"' in page


def test_saving_upon_an_older_draft_shows_both_and_saves_nothing(root: Client, journey: Journey) -> None:
    html = root.get(address(journey)).content.decode()
    other = get_user_model().objects.create_user("bia")
    theirs = document()
    theirs["steps"][1]["timeout"]["after"] = "P2D"
    drafts.save_draft(journey, theirs, by=other, now=T0, lock=0)
    answer = press(root, address(journey), "save", html, entry__event="cart.abandoned")
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "bia saved this draft while you were writing" in page
    assert "“hold”: or time runs out was “1 day, remind” and is now “2 days, remind”." in page
    assert "entry event was “customer.signed_up” and is now “cart.abandoned”." in page
    journey.refresh_from_db()
    assert journey.draft == theirs


def stale_page(root: Client, journey: Journey) -> tuple[str, dict[str, Any]]:
    html = root.get(address(journey)).content.decode()
    theirs = document()
    theirs["steps"][1]["timeout"]["after"] = "P2D"
    rest = {"type": "delay", "id": "rest", "state": "not_activated", "after": "PT1H", "next": "hold"}
    theirs["steps"].insert(1, rest)
    drafts.save_draft(journey, theirs, by=None, now=T0, lock=0)
    page = press(root, address(journey), "save", html, entry__event="cart.abandoned").content.decode()
    return page, theirs


def test_both_changes_are_put_together_and_saved_after_a_look(root: Client, journey: Journey) -> None:
    page, _theirs = stale_page(root, journey)
    merged = press(root, address(journey), "merge", page).content.decode()
    assert press(root, address(journey), "save", merged).status_code == 302
    journey.refresh_from_db()
    assert journey.draft["entry"]["event"] == "cart.abandoned"
    assert [step["id"] for step in journey.draft["steps"]] == ["welcome", "rest", "hold", "remind", "done", "lost"]
    assert journey.draft["steps"][2]["timeout"]["after"] == "P2D"
    assert journey.draft_revision == 2


def test_mine_may_replace_theirs_which_stays_among_the_saved(root: Client, journey: Journey) -> None:
    page, theirs = stale_page(root, journey)
    assert press(root, address(journey), "overwrite", page).status_code == 302
    journey.refresh_from_db()
    assert journey.draft["entry"]["event"] == "cart.abandoned"
    assert drafts.draft_at(journey, 1) == theirs


def test_overwriting_what_is_newer_still_is_refused_again(root: Client, journey: Journey) -> None:
    page, theirs = stale_page(root, journey)
    journey.refresh_from_db()
    newest = theirs | {"purpose": "third"}
    drafts.save_draft(journey, newest, by=None, now=T0, lock=1)
    assert press(root, address(journey), "overwrite", page).status_code == 409
    journey.refresh_from_db()
    assert journey.draft == newest


@pytest.mark.django_db(transaction=True)
def test_publishing_asks_once_more_with_changes_and_people_on_their_way(stage: Stage) -> None:
    root = logged_in(get_user_model().objects.create_superuser("root"))
    stage.publish(document())
    journey = stage.journeys["welcome"]
    stage.know("ana")
    stage.happen("customer.signed_up")
    html = root.get(address(journey)).content.decode()
    assert "A new journey" in html
    changed = document()
    changed["steps"][1]["timeout"]["after"] = "PT36H"
    drafts.save_draft(journey, changed, by=None, now=T0, lock=0)
    page = root.get(address(journey, "publication")).content.decode()
    assert "“hold”: or time runs out was “1 day, remind” and is now “36 hours, remind”." in page
    assert "1 run is on its way." in page
    assert "v1: 1" in page
    answer = root.post(address(journey, "publication"), {"revision": "1"})
    assert told(answer) == ["welcome v2 is live."]
    assert [run.version.number for run in stage.runs()] == [1]


def test_a_draft_saved_after_the_confirmation_was_shown_is_not_published(root: Client, journey: Journey) -> None:
    drafts.save_draft(journey, document(entry={"event": "x"}), by=None, now=T0, lock=0)
    answer = root.post(address(journey, "publication"), {"revision": "0"})
    assert told(answer) == ["Nothing was published: the draft was saved meanwhile. These are its changes now."]
    assert JourneyVersion.objects.count() == 0


def test_a_version_is_copied_into_the_draft(root: Client, stage: Stage, journey: Journey) -> None:
    JourneyVersion.objects.create(
        journey=journey, number=1, definition=document(purpose="old"), bindings={}, published_at=T0
    )
    page = root.get(address(journey, "versions"), {"show": "v1"}).content.decode()
    assert "Version 1" in page
    answer = root.post(address(journey, "versions"), {"which": "v1", "lock": "0"})
    assert told(answer) == ["Version 1 is the draft now."]
    journey.refresh_from_db()
    assert journey.draft["purpose"] == "old"
    assert root.post(address(journey, "versions"), {"which": "v1", "lock": "0"}).status_code == 302
    assert DraftRevision.objects.get(number=0).document == document()


@pytest.mark.parametrize("which", ["", "v", "v9", "d9", "x1", "v²", "v99999999999", "d-1"])
def test_what_was_never_there_cannot_be_copied(root: Client, journey: Journey, which: str) -> None:
    assert root.post(address(journey, "versions"), {"which": which, "lock": "0"}).status_code == 404
    assert root.get(address(journey, "versions"), {"show": which}).status_code == 200


@pytest.mark.parametrize("format_", ["yaml", "json"])
def test_a_draft_leaves_as_text_and_comes_back_the_same(root: Client, journey: Journey, format_: str) -> None:
    answer = root.get(address(journey, "text"), {"format": format_, "download": "1"})
    assert answer.headers["Content-Disposition"] == f'attachment; filename="acme-welcome-draft-0.{format_}"'
    Journey.objects.filter(pk=journey.pk).update(draft={})
    upload = SimpleUploadedFile(f"draft.{format_}", answer.content)
    assert root.post(address(journey, "text"), {"file": upload, "lock": "0"}).status_code == 302
    journey.refresh_from_db()
    assert journey.draft == document()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"purpose": 1,}', "Line 1, column 15"),
        ('{"a": 1, "a": 2}', "“a” stands twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1e999}', "1e999"),
        ("[" * 100_000, "nested too deeply"),
        ("a: &x [1]\nb: *x", "anchors and tags are not taken"),
        ("a: !!python/object:os.system x", "anchors and tags are not taken"),
        ("a: 1\na: 2", "“a” stands twice"),
        ("purpose: 'x", "Line"),
        ("just words", "is an object"),
        ("", "is an object"),
        ("steps: [" + "{}," * 501 + "]", "between 1 and 500 steps"),
        ("x" * 400_001, "too long"),
        ('{"a": "\\u0000"}', "cannot be kept"),
        ('{"a": "\\ud800"}', "cannot be kept"),
    ],
)
def test_text_that_is_no_draft_is_refused_with_its_place(
    root: Client, journey: Journey, text: str, expected: str
) -> None:
    answer = root.post(address(journey, "text"), {"text": text, "lock": "0"})
    assert answer.status_code == 422
    assert expected in answer.content.decode()
    journey.refresh_from_db()
    assert (journey.draft, journey.draft_revision) == (document(), 0)


def test_text_upon_an_older_draft_is_shown_again_not_saved(root: Client, journey: Journey) -> None:
    drafts.save_draft(journey, document(purpose="theirs"), by=None, now=T0, lock=0)
    answer = root.post(address(journey, "text"), {"text": "purpose: mine", "lock": "0"})
    assert answer.status_code == 409
    assert "purpose: mine" in answer.content.decode()
    journey.refresh_from_db()
    assert journey.draft["purpose"] == "theirs"


def test_ten_thousand_steps_are_refused_with_a_reason(root: Client, journey: Journey) -> None:
    values = {f"steps/{n}/type": "exit" for n in range(10_000)}
    answer = root.post(address(journey), {**values, "lock": "0", "do": "save"})
    assert answer.status_code == 400
    assert "at most 500 steps" in answer.content.decode()
    journey.refresh_from_db()
    assert journey.draft == document()


def test_forged_values_are_kept_as_drafts_at_most_and_shown_as_text(root: Client, journey: Journey) -> None:
    values = {
        "steps/0/type": HOSTILE,
        "steps/0/id": HOSTILE,
        "states/0/name": HOSTILE,
        "states/0/kind": HOSTILE,
        "transitions": json.dumps([HOSTILE, HOSTILE]),
        "entry/event": HOSTILE,
        "entry/rule/~node": HOSTILE,
        "entry/reentry": HOSTILE,
        "exit_events/0/rule/~node": "all",
        "exit_events/0/rule/+/0/~node": "attribute",
        "exit_events/0/rule/+/0/name": HOSTILE,
        "exit_events/0/rule/+/0/op": HOSTILE,
        "exit_events/0/rule/+/0/value/~kind": HOSTILE,
        "exit_events/0/rule/+/0/value/~text": HOSTILE,
        "~undo": json.dumps({"holder": HOSTILE, "index": 0, "item": 0, "name": HOSTILE}),
        "brand": "other",
        "status": "live",
        "lock": "0",
    }
    for order in ("check", "refresh", "undo", HOSTILE, "save"):
        answer = root.post(address(journey), {**values, "do": order})
        assert answer.status_code in (200, 302)
        assert HOSTILE not in answer.content.decode()
    for page in PAGES:
        shown = root.get(address(journey, page), {"check": "1", "show": "d1", "format": HOSTILE}).content.decode()
        assert HOSTILE not in shown
    journey.refresh_from_db()
    assert (journey.status, journey.brand.key) == ("draft", "acme")
    assert root.post(address(journey, "publication"), {"revision": "1"}).status_code == 302
    assert JourneyVersion.objects.count() == 0


def test_nul_characters_are_refused_with_their_place(root: Client, journey: Journey) -> None:
    answer = root.post(address(journey), {"purpose": "a\x00b", "lock": "0", "do": "save"})
    assert answer.status_code == 409
    assert "Nothing was saved." in answer.content.decode()


def test_a_stranger_finds_no_journey_and_a_reader_changes_none(journey: Journey) -> None:
    other = Brand.objects.create(key="other", name="Other")
    no_permission = logged_in(staff("nobody", journey.brand))
    elsewhere = logged_in(staff("elsewhere", other, "view_journey", "change_journey", "publish_journey"))
    reader = logged_in(staff("reader", journey.brand, "view_journey"))
    for page in PAGES:
        assert Client().get(address(journey, page)).status_code == 302
        assert no_permission.get(address(journey, page)).status_code == 403
        assert elsewhere.get(address(journey, page)).status_code == 404
        assert elsewhere.post(address(journey, page), {"do": "save"}).status_code == 404
        assert reader.get(address(journey, page)).status_code == 200
        assert reader.post(address(journey, page), {"do": "save", "lock": "0"}).status_code == 403
    assert "Save draft</button>\n        </div>" not in reader.get(address(journey)).content.decode()
    journey.refresh_from_db()
    assert (journey.draft, AuditEntry.objects.filter(object_id=str(journey.pk)).count()) == (document(), 0)


def test_only_the_squad_and_the_brands_managers_write(journey: Journey) -> None:
    journey.squad = Squad.objects.create(brand=journey.brand, name="Onboarding")
    journey.save()
    colleague = staff("colleague", journey.brand, "view_journey", "change_journey")
    assert logged_in(colleague).post(address(journey), {"do": "save", "lock": "0"}).status_code == 403
    SquadMember.objects.create(squad=journey.squad, user=colleague, role=SquadMember.Role.PROCESS_OWNER)
    html = logged_in(colleague).get(address(journey)).content.decode()
    assert press(logged_in(colleague), address(journey), "save", html).status_code == 302


def test_publishing_needs_a_permission_of_its_own(journey: Journey) -> None:
    writer = logged_in(staff("writer", journey.brand, "view_journey", "change_journey"))
    page = writer.get(address(journey, "publication")).content.decode()
    assert "You may not publish this journey." in page
    assert writer.post(address(journey, "publication"), {"revision": "0"}).status_code == 403
    assert JourneyVersion.objects.count() == 0


def test_status_pages_do_what_they_say(root: Client, journey: Journey) -> None:
    answer = root.post(address(journey, "status"), {"do": "archive", "live_runs": "go_on"})
    assert told(answer) == ["The journey is archived. Nobody comes in any more; who is on the way goes on."]
    assert root.post(address(journey, "status"), {"do": "unarchive"}).status_code == 302
    root.post(address(journey, "status"), {"do": "duplicate"})
    assert list(Journey.objects.order_by("key").values_list("key", "status")) == [
        ("welcome", "draft"),
        ("welcome-copy", "draft"),
    ]
    assert root.post(address(journey, "status"), {"do": "explode"}).status_code == 404
    assert root.get(address(journey, "status")).status_code == 200


def test_forms_without_the_token_are_refused(journey: Journey) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(
        get_user_model().objects.create_superuser("root"), backend="django.contrib.auth.backends.ModelBackend"
    )
    for page in PAGES:
        assert client.post(address(journey, page), {"do": "save", "lock": "0"}).status_code == 403
    journey.refresh_from_db()
    assert journey.draft == document()


def test_however_many_steps_the_page_asks_the_same_few_questions(
    root: Client, journey: Journey, frozen_queries: Any
) -> None:
    frozen_queries("journey author page", lambda: root.get(address(journey), {"check": "1"}))
    Journey.objects.filter(pk=journey.pk).update(draft=document(steps=document()["steps"] * 20))
    frozen_queries("journey author page", lambda: root.get(address(journey), {"check": "1"}))
