"""Runs and merges: the younger of two ends, and comes back as it was when the merge is undone."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from channels.models import Message
from customers import merging
from customers.models import Customer, Identifier, Profile, ProfileMove
from journeys.models import Cause, EntryMemory, Run, RunContext, Transition
from tests.journeys.stage import Stage, make_stage, message, welcome

ENTRY = {"event": "customer.signed_up", "guard": "none", "guard_reason": "test"}
ELDER, YOUNGER = "ana", "bia"


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def profile(value: str) -> UUID:
    return Identifier.objects.get(value=value, closed_at=None).profile_id


def decided(stage: Stage) -> merging.Decision:
    return merging.decide.decision(stage.brand.pk, 1, "test", stage.now)


def merge(stage: Stage, *values: str) -> None:
    stage.pass_time(seconds=1)
    merging.join(profile(values[0]), profile(values[1]), decided(stage))
    stage.run()


def unmerge(stage: Stage, *values: str) -> None:
    stage.pass_time(seconds=1)
    merging.split([profile(value) for value in values], decided(stage))
    stage.run()


def two_runs(stage: Stage, **changes: Any) -> tuple[Run, Run]:
    """An anonymous visitor enters an hour after the tablet did; both are in the same journey."""
    stage.publish(welcome(entry=ENTRY, **changes))
    stage.happen("customer.signed_up", "", anonymous_id=ELDER)
    stage.pass_time(hours=1)
    stage.happen("customer.signed_up", "", anonymous_id=YOUNGER)
    elder, younger = stage.runs()
    return elder, younger


def picture(stage: Stage) -> list[dict[str, Any]]:
    """Everything about the runs that a merge and its undoing must leave as it was."""
    fields = ("customer_id", "profile_id", "status", "step", "state", "due_at", "ended_at", "merged_into_id")
    return [{name: getattr(run, name) for name in fields} for run in stage.runs()]


def causes(run: Run) -> list[int]:
    return list(Transition.objects.filter(run_id=run.pk).order_by("seq").values_list("cause", flat=True))


def test_undone_a_merge_has_changed_nothing_of_the_runs(stage: Stage) -> None:
    _elder, younger = two_runs(stage)
    before = picture(stage)
    memory = list(EntryMemory.objects.order_by("profile_id").values())
    merge(stage, ELDER, YOUNGER)
    assert [run.status for run in stage.runs()] == [Run.Status.ACTIVE, Run.Status.MERGED]
    unmerge(stage, YOUNGER)
    assert picture(stage) == before
    assert list(EntryMemory.objects.order_by("profile_id").values()) == memory
    assert causes(younger)[-2:] == [Cause.MERGED, Cause.UNMERGED]


def test_whichever_of_the_two_is_taken_out_the_younger_comes_back(stage: Stage) -> None:
    two_runs(stage)
    merge(stage, ELDER, YOUNGER)
    unmerge(stage, ELDER)
    assert [run.status for run in stage.runs()] == [Run.Status.ACTIVE, Run.Status.ACTIVE]
    assert len({run.customer_id for run in stage.runs()}) == 2


def test_it_looks_back_over_what_its_own_profile_did_meanwhile(stage: Stage) -> None:
    elder, younger = two_runs(stage)
    merge(stage, ELDER, YOUNGER)
    stage.pass_time(minutes=5)
    stage.happen("login.succeeded", "", anonymous_id=YOUNGER)
    elder.refresh_from_db()
    assert elder.status == Run.Status.COMPLETED
    unmerge(stage, YOUNGER)
    younger.refresh_from_db()
    assert younger.status == Run.Status.COMPLETED
    assert stage.steps_of(younger)[-1] == "done"


def test_what_is_too_late_when_it_comes_back_is_not_sent(stage: Stage) -> None:
    _elder, younger = two_runs(stage)
    merge(stage, ELDER, YOUNGER)
    stage.pass_time(days=3)
    unmerge(stage, YOUNGER)
    younger.refresh_from_db()
    assert younger.status == Run.Status.COMPLETED
    late = Message.objects.filter(origin_id=str(younger.pk)).order_by("created_at").last()
    assert late is not None
    # The hold had run out a day after the entry, and its reminder was to go within another day.
    assert late.expires_at == younger.entered_at + timedelta(days=2)
    assert late.expires_at < stage.now


def _pause() -> Sequence[dict[str, Any]]:
    return (
        {"type": "delay", "id": "pause", "state": "not_activated", "after": "P1D", "next": "lost"},
        {"type": "exit", "id": "lost", "state": "lost"},
    )


def states(run: Run) -> list[tuple[str, str]]:
    return list(Message.objects.filter(origin_id=str(run.pk)).order_by("created_at").values_list("state", "reason"))


def test_cancelled_by_the_merge_a_message_waits_again_when_it_is_undone(stage: Stage) -> None:
    steps = [message("welcome", next="pause", not_later_than="P3D"), *_pause()]
    stage.publish(welcome(entry=ENTRY, steps=steps))
    for visitor in (ELDER, YOUNGER):
        address = f"{visitor}@example.com"
        stage.accept("identify", "", anonymous_id=visitor, email=address, traits={"email": address})
        stage.accept("consent.granted", "", anonymous_id=visitor, email=address, properties={"purpose": "news"})
        stage.happen("customer.signed_up", "", anonymous_id=visitor)
        stage.pass_time(minutes=1)
    younger = stage.runs()[1]
    assert states(younger) == [("queued", "")]
    merge(stage, ELDER, YOUNGER)
    assert states(younger) == [("cancelled", "merged")]
    unmerge(stage, YOUNGER, f"{YOUNGER}@example.com")
    assert states(younger) == [("queued", "")]


def test_where_another_run_of_its_key_has_begun_it_stays_as_it_is(stage: Stage) -> None:
    elder, younger = two_runs(stage)
    merge(stage, ELDER, YOUNGER)
    Run.objects.filter(pk=elder.pk).update(status=Run.Status.COMPLETED, ended_at=stage.now)
    # A run of the younger's own that began meanwhile, as when somebody started one by hand.
    other = Run.objects.get(pk=elder.pk)
    other.pk, other.profile_id, other.status, other.ended_at = None, younger.profile_id, Run.Status.ACTIVE, None
    other.save(force_insert=True)
    other.refresh_from_db()
    context = RunContext.objects.get(run_id=younger.pk)
    context.pk = other.pk
    context.save(force_insert=True)
    unmerge(stage, YOUNGER)
    younger.refresh_from_db()
    assert (younger.status, younger.merged_into_id) == (Run.Status.MERGED, None)
    assert causes(younger)[-1] == Cause.SUPERSEDED
    # And so it stays, whatever comes.
    merge(stage, ELDER, YOUNGER)
    unmerge(stage, YOUNGER)
    assert causes(younger).count(Cause.SUPERSEDED) == 1


def test_three_merged_and_taken_apart_one_by_one(stage: Stage) -> None:
    two_runs(stage)
    stage.pass_time(hours=1)
    stage.happen("customer.signed_up", "", anonymous_id="caio")
    before = picture(stage)
    merge(stage, ELDER, YOUNGER)
    merge(stage, YOUNGER, "caio")
    active, merged = Run.Status.ACTIVE, Run.Status.MERGED
    assert [run.status for run in stage.runs()] == [active, merged, merged]
    # The two younger leave together: of them the elder goes on.
    unmerge(stage, YOUNGER, "caio")
    assert [run.status for run in stage.runs()] == [active, active, merged]
    unmerge(stage, "caio")
    assert picture(stage) == before


def test_every_move_is_kept(stage: Stage) -> None:
    two_runs(stage)
    since = Profile.objects.get(pk=profile(YOUNGER)).customer_since
    merge(stage, ELDER, YOUNGER)
    unmerge(stage, YOUNGER)
    there, back = ProfileMove.objects.order_by("id")
    assert (there.from_customer_id, there.to_customer_id) == (back.to_customer_id, back.from_customer_id)
    assert (there.was_since, back.was_since) == (since, there.at)
    assert Customer.objects.filter(profiles__isnull=False).distinct().count() == 2
