"""Drafts: saved beside each other, checked all at once, compared, published, and archived."""

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from channels.models import SendStop
from customers.ids import new_id
from customers.models import AuditEntry, Brand
from journeys import drafts, halting
from journeys.definition import InvalidDefinition
from journeys.models import DraftRevision, Journey, JourneyMap, JourneyVersion, MapChannel, MapStage, Touchpoint
from tests.journeys.stage import T0, Stage, message, welcome

LOST = {"type": "exit", "id": "lost", "state": "lost"}


def document(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(welcome(**changes)))
    return made


@pytest.fixture
def journey(stage: Stage) -> Journey:
    return Journey.objects.create(brand=stage.brand, key="welcome", name="Welcome")


def person(name: str = "ana") -> Any:
    return get_user_model().objects.create_user(name)


def save(journey: Journey, what: object, lock: int, by: Any = None) -> Journey:
    return drafts.save_draft(journey, what, by=by, now=T0, lock=lock)


def purpose_at(journey: Journey, revision: int) -> object:
    document = drafts.draft_at(journey, revision)
    return document and document["purpose"]


def codes(problems: Any) -> list[tuple[str, str]]:
    return [(problem.code, problem.pointer) for problem in problems]


def test_an_incomplete_draft_is_kept(journey: Journey) -> None:
    ana = person()
    saved = save(journey, {"steps": [{}]}, 0, ana)
    assert (saved.draft, saved.draft_revision) == ({"steps": [{}]}, 1)
    kept = DraftRevision.objects.get()
    assert (kept.number, kept.saved_by, kept.saved_at) == (1, ana, T0)
    entry = AuditEntry.objects.get(action="save_draft")
    assert (entry.actor, entry.object_id) == (ana, str(journey.pk))
    assert entry.after is not None
    assert entry.after["revision"] == 1


def test_saving_what_is_saved_already_makes_no_revision(journey: Journey) -> None:
    save(journey, document(), 0)
    assert save(journey, document(), 1).draft_revision == 1
    assert DraftRevision.objects.count() == 1


def test_a_save_upon_an_older_draft_is_refused_and_overwrites_nothing(journey: Journey) -> None:
    save(journey, document(), 0)
    save(journey, document(purpose="theirs"), 1)
    with pytest.raises(drafts.StaleDraft) as stale:
        save(journey, document(purpose="mine"), 1)
    assert (stale.value.revision, stale.value.document["purpose"]) == (2, "theirs")
    journey.refresh_from_db()
    assert journey.draft["purpose"] == "theirs"
    assert DraftRevision.objects.count() == 2


def test_what_was_overwritten_is_still_there(journey: Journey) -> None:
    for n, purpose in enumerate(("first", "second", "third")):
        journey = save(journey, document(purpose=purpose), n)
    assert [purpose_at(journey, n) for n in (1, 2, 3)] == ["first", "second", "third"]
    assert (drafts.draft_at(journey, 0), drafts.draft_at(journey, 9)) == ({}, None)


def test_a_draft_from_before_there_were_revisions_is_kept_as_the_first(journey: Journey) -> None:
    Journey.objects.filter(pk=journey.pk).update(draft={"purpose": "old"})
    saved = save(journey, document(), 0)
    assert drafts.draft_at(saved, 0) == {"purpose": "old"}


def test_only_the_newest_revisions_are_kept(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "KEPT_REVISIONS", 2)
    for n in range(4):
        save(journey, {"purpose": str(n)}, n)
    assert list(DraftRevision.objects.order_by("number").values_list("number", flat=True)) == [3, 4]


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ([], ("wrong_type", "")),
        ({"steps": [{}] * 501}, ("step_count", "/steps")),
        ({"purpose": "a\x00b"}, ("bad_character", "/purpose")),
        ({"entry": {"event": "\ud800"}}, ("bad_character", "/entry/event")),
        ({"a\x00": 1}, ("bad_character", "/a\x00")),
        ({"x": float("inf")}, ("number_out_of_range", "/x")),
        ({"x": 10**400}, ("number_out_of_range", "/x")),
        ({"purpose": "x" * 1_000_001}, ("too_large", "")),
    ],
)
def test_what_no_draft_can_be_is_refused_whole(journey: Journey, what: object, expected: tuple[str, str]) -> None:
    with pytest.raises(drafts.UnfitDraft) as refused:
        save(journey, what, 0)
    assert codes(refused.value.problems) == [expected]
    journey.refresh_from_db()
    assert (journey.draft, journey.draft_revision, DraftRevision.objects.count()) == ({}, 0, 0)


def test_nesting_without_end_is_refused(journey: Journey) -> None:
    deep: Any = "x"
    for _level in range(100):
        deep = [deep]
    with pytest.raises(drafts.UnfitDraft) as refused:
        save(journey, {"steps": [deep]}, 0)
    assert [problem.code for problem in refused.value.problems] == ["too_deep"]


def test_everything_missing_is_told_at_once_and_at_its_field() -> None:
    found = codes(
        drafts.validate(
            {
                "states": [{"kind": "huge"}],
                "transitions": [["a"]],
                "entry": {"reentry": "always", "colour": 1},
                "steps": [
                    {"type": "message", "id": "m", "state": "s"},
                    {"type": "hold", "id": "h", "state": "s", "branches": [{}], "timeout": {"after": "soon"}},
                    {"type": "jump"},
                    7,
                ],
            }
        )
    )
    assert found == [
        ("missing_field", "/purpose"),
        ("missing_field", "/states/0/name"),
        ("unknown_choice", "/states/0/kind"),
        ("wrong_type", "/transitions/0"),
        ("unknown_field", "/entry/colour"),
        ("missing_field", "/entry/event"),
        ("missing_field", "/steps/0/channel"),
        ("missing_field", "/steps/0/connector"),
        ("missing_field", "/steps/0/next"),
        ("missing_field", "/steps/0/template"),
        ("missing_field", "/steps/1/branches/0/event"),
        ("missing_field", "/steps/1/branches/0/next"),
        ("not_a_duration", "/steps/1/timeout/after"),
        ("missing_field", "/steps/1/timeout/next"),
        ("unknown_step_type", "/steps/2/type"),
        ("unknown_step_type", "/steps/3/type"),
    ]


def test_a_step_that_is_not_there_is_told_at_every_field_that_names_it() -> None:
    made = document()
    made["steps"][1]["branches"][0]["next"] = "nowhere"
    made["steps"][2]["next"] = "away"
    found = codes(drafts.validate(made))
    assert ("unknown_step", "/steps/1/branches/0/next") in found
    assert ("unknown_step", "/steps/2/next") in found
    assert ("unknown_step", "/steps/1") not in found


def test_a_complete_document_has_no_problem(journey: Journey) -> None:
    assert drafts.validate(document(), journey) == []


def test_keys_of_another_brand_are_unknown_in_this_one(journey: Journey) -> None:
    other = Brand.objects.create(key="other", name="Other")
    elsewhere = Journey.objects.create(brand=other, key="welcome", name="Welcome")
    assert codes(drafts.validate(document(), elsewhere)) == [
        ("unknown_purpose", "/purpose"),
        ("unknown_connector", "/steps/0/connector"),
        ("unknown_template", "/steps/0/template"),
        ("unknown_connector", "/steps/2/connector"),
        ("unknown_template", "/steps/2/template"),
    ]


def touchpoint_in(brand: Brand, **fields: Any) -> Touchpoint:
    map_ = JourneyMap.objects.create(brand=brand, name="Map")
    stage = MapStage.objects.create(map=map_, name="Start")
    channel = MapChannel.objects.create(map=map_, kind="email")
    return Touchpoint.objects.create(map=map_, stage=stage, channel=channel, name="Hello", **fields)


def with_touchpoint(id_: object) -> dict[str, Any]:
    return document(steps=[message("a", next="lost", touchpoint=str(id_)), LOST])


def test_a_message_may_name_a_touchpoint_of_its_brand_only(journey: Journey) -> None:
    other = Brand.objects.create(key="other", name="Other")
    ours, theirs = touchpoint_in(journey.brand), touchpoint_in(other)
    removed = Touchpoint.objects.create(
        map=ours.map, stage=ours.stage, channel=ours.channel, name="Gone", removed_at=T0
    )
    assert drafts.validate(with_touchpoint(ours.pk), journey) == []
    for unknown in (theirs.pk, removed.pk, new_id()):
        assert codes(drafts.validate(with_touchpoint(unknown), journey)) == [
            ("unknown_touchpoint", "/steps/0/touchpoint")
        ]


@pytest.mark.parametrize("word", ["nonsense", "<script>"])
def test_a_touchpoint_that_is_no_id_is_told_at_its_step(journey: Journey, word: str) -> None:
    [problem] = drafts.validate(with_touchpoint(word), journey)
    assert problem.pointer.startswith("/steps/0/touchpoint")


@pytest.mark.django_db(transaction=True)
def test_publishing_makes_the_draft_live_and_writes_it_down(stage: Stage) -> None:
    journey = Journey.objects.create(brand=stage.brand, key="welcome", name="Welcome")
    ana = person()
    save(journey, document(), 0)
    made = drafts.publish_draft(journey, by=ana, now=T0, revision=1)
    assert (made.number, made.definition, made.published_by) == (1, document(), ana)
    entry = AuditEntry.objects.get(action="publish")
    assert (entry.actor, entry.before, entry.after) == (ana, None, {"version": 1})


def test_a_draft_saved_meanwhile_is_not_published(journey: Journey) -> None:
    save(journey, document(), 0)
    with pytest.raises(drafts.StaleDraft):
        drafts.publish_draft(journey, by=None, now=T0, revision=0)
    assert JourneyVersion.objects.count() == 0


def test_a_draft_with_mistakes_is_not_published(journey: Journey) -> None:
    save(journey, document(purpose="gossip"), 0)
    with pytest.raises(InvalidDefinition):
        drafts.publish_draft(journey, by=None, now=T0, revision=1)
    assert (JourneyVersion.objects.count(), AuditEntry.objects.filter(action="publish").count()) == (0, 0)


def test_an_archived_journey_is_not_published(journey: Journey) -> None:
    save(journey, document(), 0)
    halting.archive(journey, by=None, now=T0, end=False)
    with pytest.raises(drafts.NotPossible):
        drafts.publish_draft(journey, by=None, now=T0, revision=1)
    assert JourneyVersion.objects.count() == 0


def test_a_copy_begins_with_the_same_draft_under_keys_of_its_own(journey: Journey) -> None:
    save(journey, document(), 0)
    journey.refresh_from_db()
    first, second = (drafts.duplicate(journey, by=None, now=T0) for _time in range(2))
    assert (first.key, second.key) == ("welcome-copy", "welcome-copy-2")
    assert (first.name, first.draft, first.status, first.live_version) == ("Welcome (copy)", document(), "draft", None)
    assert first.draft_revision == 0


def test_archiving_lets_nobody_in_and_the_live_go_on(stage: Stage) -> None:
    stage.publish(document())
    stage.know("ana")
    stage.happen("customer.signed_up")
    journey = stage.journeys["welcome"]
    halting.archive(journey, by=None, now=stage.now, end=False)
    stage.know("bia")
    stage.happen("customer.signed_up", "bia")
    stage.pass_time(days=1)
    assert [run.status for run in stage.runs()] == [2]
    assert [state for state, _reason in stage.messages()] == ["queued", "queued"]
    assert SendStop.objects.count() == 0


def test_archiving_with_a_stop_holds_sending_and_bringing_back_lifts_only_that_stop(stage: Stage) -> None:
    stage.publish(document())
    journey = stage.journeys["welcome"]
    halting.archive(journey, by=None, now=T0, end=True)
    assert SendStop.objects.get(released_at=None).scope_id == journey.pk
    halting.unarchive(journey, by=None, now=T0)
    journey.refresh_from_db()
    assert (journey.status, SendStop.objects.filter(released_at=None).count()) == ("paused", 0)
    SendStop.objects.create(scope_id=journey.pk, reason="by hand", stopped_at=T0)
    halting.archive(journey, by=None, now=T0, end=True)
    halting.unarchive(journey, by=None, now=T0)
    assert SendStop.objects.get(released_at=None).reason == "by hand"


def test_a_journey_never_live_comes_back_as_a_draft(journey: Journey) -> None:
    halting.archive(journey, by=None, now=T0, end=False)
    halting.unarchive(journey, by=None, now=T0)
    journey.refresh_from_db()
    assert journey.status == "draft"
    with pytest.raises(drafts.NotPossible):
        halting.unarchive(journey, by=None, now=T0)


def test_pausing_and_resuming_go_to_and_fro_only(stage: Stage) -> None:
    stage.publish(document())
    journey = stage.journeys["welcome"]
    halting.pause(journey, by=None, now=T0)
    with pytest.raises(drafts.NotPossible):
        halting.pause(journey, by=None, now=T0)
    stage.know("ana")
    stage.happen("customer.signed_up")
    assert stage.runs() == []
    halting.resume(journey, by=None, now=T0)
    stage.happen("customer.signed_up")
    assert len(stage.runs()) == 1
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["pause", "resume"]


def test_live_runs_are_counted_by_the_version_they_stay_on(stage: Stage) -> None:
    first = stage.publish(document())
    stage.know("ana")
    stage.happen("customer.signed_up")
    second = stage.publish(document())
    stage.know("bia")
    stage.happen("customer.signed_up", "bia")
    assert drafts.live_runs(stage.journeys["welcome"]) == {first.pk: 1, second.pk: 1}
