"""The engine on the welcome journey: entry, waits, time-outs, looking back."""

from datetime import timedelta
from typing import Any

from channels.models import Message
from customers.models import DeadLetter, MatchItem
from customers.resolve import resolve_inbox
from journeys.engine.advance import advance_due
from journeys.engine.match import match_events
from journeys.engine.recheck import recheck_parked
from journeys.models import Cause, EntryMemory, RecheckItem, Run, RunContext, Transition
from tests.journeys.stage import T0, Stage, message, welcome

QUEUED = ("queued", "")


def test_a_sign_up_is_welcomed_and_held(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    run = stage.the_run()
    assert (run.status, run.due_at) == (Run.Status.ACTIVE, T0 + timedelta(days=1))
    assert stage.steps_of(run) == ["welcome", "hold"]
    assert stage.messages() == [QUEUED]
    assert (MatchItem.objects.count(), RecheckItem.objects.count()) == (0, 0)


def test_the_awaited_event_resumes_the_run_and_nothing_is_reminded(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=2)
    stage.happen("login.succeeded")
    stage.pass_time(days=3)
    run = stage.the_run()
    assert (run.status, run.ended_at) == (Run.Status.COMPLETED, T0 + timedelta(hours=2))
    assert stage.steps_of(run) == ["welcome", "hold", "done"]
    assert stage.messages() == [QUEUED]


def test_time_runs_out_exactly_at_the_deadline_and_not_before(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=23, minutes=59, seconds=59)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold"]
    stage.pass_time(seconds=1)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", "lost"]
    assert stage.messages() == [QUEUED, QUEUED]
    causes = list(Transition.objects.order_by("seq").values_list("cause", flat=True))
    assert causes == [Cause.ENTERED, Cause.CONTINUED, Cause.TIMED_OUT, Cause.CONTINUED]


def test_an_event_received_at_the_very_deadline_is_in_time(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.now = T0 + timedelta(days=1)
    stage.happen("login.succeeded")
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "done"]


def test_an_event_received_after_the_deadline_is_late(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.now = T0 + timedelta(days=1, seconds=1)
    stage.happen("login.succeeded", at=T0 + timedelta(hours=1))
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", "lost"]


def test_a_log_in_before_the_sign_up_does_not_count(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("login.succeeded", at=T0 - timedelta(hours=1))
    stage.happen("customer.signed_up")
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold"]


def test_events_of_one_batch_work_in_the_order_of_receipt(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.accept("customer.signed_up")
    stage.accept("login.succeeded", at=T0 + timedelta(seconds=1))
    stage.run()
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "done"]


def test_an_event_of_the_same_instant_counts_by_the_greater_message_id(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.accept("customer.signed_up")
    stage.accept("login.succeeded")
    stage.run()
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "done"]


def test_a_hold_looks_back_to_the_entry_over_a_delay(stage: Stage) -> None:
    steps = [
        {"type": "delay", "id": "pause", "state": "not_activated", "after": "PT1H", "next": "hold"},
        *welcome()["steps"][1:],
    ]
    stage.publish(welcome(steps=steps))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(minutes=10)
    stage.happen("login.succeeded")
    assert stage.steps_of(stage.the_run()) == ["pause"]
    stage.pass_time(minutes=50)
    assert stage.steps_of(stage.the_run()) == ["pause", "hold", "done"]


def test_since_step_narrows_the_look_back_to_the_wait(stage: Stage) -> None:
    hold = welcome()["steps"][1] | {"since": "step"}
    steps = [
        {"type": "delay", "id": "pause", "state": "not_activated", "after": "PT1H", "next": "hold"},
        hold,
        *welcome()["steps"][2:],
    ]
    stage.publish(welcome(steps=steps))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(minutes=10)
    stage.happen("login.succeeded")
    stage.pass_time(hours=1)
    assert stage.steps_of(stage.the_run()) == ["pause", "hold"]
    stage.pass_time(seconds=1)
    stage.happen("login.succeeded")
    assert stage.steps_of(stage.the_run()) == ["pause", "hold", "done"]


def test_one_event_resumes_one_wait_of_a_run(stage: Stage) -> None:
    first = welcome()["steps"][1] | {
        "id": "first",
        "branches": [{"event": "login.succeeded", "next": "hold"}],
    }
    stage.publish(welcome(steps=[first, *welcome()["steps"][1:]]))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("login.succeeded")
    assert stage.steps_of(stage.the_run()) == ["first", "hold"]
    stage.happen("login.succeeded", at=stage.now + timedelta(seconds=1))
    assert stage.steps_of(stage.the_run()) == ["first", "hold", "done"]


def test_historical_events_start_and_resume_nothing(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up", historical=True)
    assert stage.runs() == []
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("login.succeeded", historical=True)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold"]


def test_a_split_takes_the_first_rule_that_holds(stage: Stage) -> None:
    split: dict[str, Any] = {
        "type": "split",
        "id": "split",
        "state": "not_activated",
        "branches": [
            {"rule": {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}, "next": "welcome"},
            {"rule": {"leaf": "event_property", "name": "vip", "op": "eq", "value": True}, "next": "done"},
        ],
        "otherwise": "lost",
    }
    stage.publish(welcome(steps=[split, *welcome()["steps"]]))
    for user, plan, vip in (("ana", "pro", True), ("bia", "free", True), ("caio", "free", False)):
        stage.know(user, plan=plan)
        stage.happen("customer.signed_up", user, properties={"vip": vip})
    assert [stage.steps_of(run)[:2] for run in stage.runs()] == [
        ["split", "welcome"],
        ["split", "done"],
        ["split", "lost"],
    ]


def test_an_exit_event_ends_the_run_in_any_wait(stage: Stage) -> None:
    stage.publish(welcome(exit_events=[{"event": "account.closed", "state": "lost", "outcome": "closed"}]))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("account.closed")
    run = stage.the_run()
    assert (run.status, run.due_at) == (Run.Status.EXITED, None)
    assert stage.steps_of(run) == ["welcome", "hold", None]


def test_an_exit_rule_that_time_made_true_ends_the_run_before_its_next_message(stage: Stage) -> None:
    rule = {"leaf": "this_run", "name": "hours", "op": "gt", "value": 20}
    stage.publish(welcome(exit_rules=[{"rule": rule, "state": "lost"}]))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(days=1)
    assert stage.the_run().status == Run.Status.EXITED
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", None]
    assert stage.messages() == [QUEUED]


def test_never_again_means_never(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("login.succeeded")
    stage.happen("customer.signed_up")
    assert len(stage.runs()) == 1
    assert stage.refusals() == ["already_live", "not_again"]
    assert EntryMemory.objects.get().last_ended_at == T0 + timedelta(hours=1)


def test_always_lets_in_again_once_the_run_has_ended(stage: Stage) -> None:
    stage.publish(welcome(entry={"event": "customer.signed_up", "reentry": "always"}))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("login.succeeded")
    stage.happen("customer.signed_up")
    assert [run.status for run in stage.runs()] == [Run.Status.COMPLETED, Run.Status.ACTIVE]


def test_nobody_enters_without_consent_and_the_refusal_is_kept(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know(granted=False)
    stage.happen("customer.signed_up")
    assert (stage.runs(), stage.refusals(), stage.messages()) == ([], ["no_consent"], [])


def test_a_grant_in_the_same_batch_lets_in(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know(granted=False)
    stage.accept("consent.granted", properties={"purpose": "news"})
    stage.accept("customer.signed_up")
    stage.run()
    assert (len(stage.runs()), stage.refusals()) == (1, [])


def test_somebody_without_an_address_is_refused_as_such(stage: Stage) -> None:
    stage.publish(welcome())
    stage.accept("consent.granted", properties={"purpose": "news"})
    stage.happen("customer.signed_up")
    assert (stage.runs(), stage.refusals()) == ([], ["no_address"])


def test_consent_withdrawn_before_the_reminder_makes_a_message_that_says_so(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("consent.withdrawn", properties={"purpose": "news"})
    stage.pass_time(days=1)
    assert stage.messages() == [QUEUED, ("suppressed", "withdrawn")]


def test_two_carts_of_one_customer_are_two_runs(stage: Stage) -> None:
    hold = welcome()["steps"][1] | {"branches": [{"event": "order.completed", "key": "cart", "next": "done"}]}
    stage.publish(
        welcome(
            entry={"event": "cart.created", "key": "cart", "reentry": "always"},
            steps=[welcome()["steps"][0], hold, *welcome()["steps"][2:]],
        )
    )
    stage.know()
    for cart in ("a", "b", "a"):
        stage.happen("cart.created", properties={"cart": cart})
    stage.happen("cart.created")
    stage.pass_time(hours=1)
    stage.happen("order.completed", properties={"cart": "b"})
    assert [(run.entry_key, run.status) for run in stage.runs()] == [("a", 1), ("b", Run.Status.COMPLETED)]
    assert stage.refusals() == ["already_live", "key_missing"]


def test_runs_stay_on_the_version_they_entered(stage: Stage) -> None:
    first = stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    second = stage.publish(welcome(steps=[message("only", next="lost"), welcome()["steps"][4]]))
    stage.know("bia")
    stage.happen("customer.signed_up", "bia")
    stage.pass_time(days=1)
    ana, bia = stage.runs()
    assert (ana.version_id, stage.steps_of(ana)) == (first.pk, ["welcome", "hold", "remind", "lost"])
    assert (bia.version_id, stage.steps_of(bia)) == (second.pk, ["only", "lost"])


def test_two_devices_of_one_person_are_one_customer_and_their_events_one_run(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("login.succeeded", "", anonymous_id="phone")
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold"]
    stage.happen("page.viewed", anonymous_id="phone")
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "done"]


def test_of_two_live_runs_of_a_merged_customer_the_elder_lives(stage: Stage) -> None:
    entry = {"event": "customer.signed_up", "guard": "none", "guard_reason": "test"}
    stage.publish(welcome(entry=entry))
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("customer.signed_up", "", anonymous_id="tablet")
    stage.happen("page.viewed", anonymous_id="tablet")
    elder, younger = stage.runs()
    assert (elder.status, younger.status) == (Run.Status.ACTIVE, Run.Status.MERGED)
    assert elder.customer_id == younger.customer_id
    assert Message.objects.filter(origin_id=str(younger.pk)).count() == 1
    assert stage.steps_of(younger) == ["welcome", "hold", None]


def test_one_event_may_end_a_run_and_begin_the_next_of_its_key(stage: Stage) -> None:
    stage.publish(
        welcome(
            entry={"event": "customer.signed_up", "reentry": "always"},
            exit_events=[{"event": "customer.signed_up", "state": "lost"}],
        )
    )
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("customer.signed_up")
    assert [run.status for run in stage.runs()] == [Run.Status.EXITED, Run.Status.ACTIVE]
    assert (stage.refusals(), DeadLetter.objects.count()) == ([], 0)


def test_an_entry_refused_for_a_run_that_looking_back_ends_is_considered_again(stage: Stage) -> None:
    stage.publish(
        welcome(
            entry={"event": "customer.signed_up", "reentry": "always"},
            exit_events=[{"event": "customer.signed_up", "state": "lost"}],
        )
    )
    stage.know()
    stage.accept("customer.signed_up", properties={"n": 1})
    resolve_inbox(stage.now)
    match_events(stage.now)
    stage.pass_time(seconds=1)
    stage.accept("customer.signed_up", properties={"n": 2})
    resolve_inbox(stage.now)
    RecheckItem.objects.create(run_id=stage.the_run().pk)
    recheck_parked(stage.now)
    first, second = stage.runs()
    assert (first.status, second.status) == (Run.Status.EXITED, Run.Status.ACTIVE)
    assert RunContext.objects.get(run_id=second.pk).variables == {"n": 2}


def test_a_clock_that_is_ahead_hides_nothing_that_follows(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up", at=T0 + timedelta(minutes=10))
    stage.pass_time(minutes=5)
    stage.happen("login.succeeded")
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "done"]


def test_a_clock_that_goes_back_makes_nothing_due(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(days=1, seconds=-1)
    stage.pass_time(minutes=-5)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold"]
    stage.pass_time(minutes=5, seconds=1)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", "lost"]
    stage.pass_time(minutes=-5)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", "lost"]


def test_an_exit_rule_sees_the_entry_event_after_a_wait_too(stage: Stage) -> None:
    rule = {"leaf": "event_property", "name": "vip", "op": "ne", "value": True}
    stage.publish(welcome(exit_rules=[{"rule": rule, "state": "lost"}]))
    stage.know()
    stage.happen("customer.signed_up", properties={"vip": True})
    stage.pass_time(days=1)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", "lost"]


def test_an_event_received_after_the_deadline_does_not_hold_up_the_time_out(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.now = T0 + timedelta(days=1, minutes=1)
    stage.accept("login.succeeded")
    assert advance_due(stage.now) == 1
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", "lost"]


def test_an_event_received_in_time_and_not_looked_at_yet_does(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.accept("login.succeeded", received=T0 + timedelta(days=1), at=T0 + timedelta(days=1))
    stage.now = T0 + timedelta(days=1, minutes=1)
    assert advance_due(stage.now) == 0
    stage.run()
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "done"]


def merging(stage: Stage, first: str) -> None:
    """The run of an anonymous visitor; the elder profile of a user is about to take him over."""
    stage.know("ana")
    stage.happen(first, "", anonymous_id="phone")


def test_a_due_run_waits_for_the_merge_that_moves_it(stage: Stage) -> None:
    entry = {"event": "customer.signed_up", "guard": "none", "guard_reason": "test"}
    pause = {"type": "delay", "id": "pause", "state": "not_activated", "after": "PT1H", "next": "remind"}
    stage.publish(welcome(entry=entry, steps=[pause, *welcome()["steps"][2::2]]))
    merging(stage, "customer.signed_up")
    stage.now += timedelta(hours=1)
    stage.accept("page.viewed", "ana", anonymous_id="phone")
    resolve_inbox(stage.now)
    assert advance_due(stage.now) == 0
    stage.run()
    assert stage.messages() == [QUEUED]
    assert stage.steps_of(stage.the_run()) == ["pause", "remind", "lost"]


def test_a_time_out_waits_for_a_log_in_that_a_merge_brings(stage: Stage) -> None:
    entry = {"event": "customer.signed_up", "guard": "none", "guard_reason": "test"}
    stage.publish(welcome(entry=entry))
    merging(stage, "customer.signed_up")
    stage.now += timedelta(days=1)
    stage.accept("login.succeeded", "ana", anonymous_id="phone", received=stage.now - timedelta(hours=1))
    resolve_inbox(stage.now)
    assert advance_due(stage.now) == 0
    stage.run()
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "done"]


def test_people_come_in_again_once_enough_time_is_over(stage: Stage) -> None:
    entry = {"event": "customer.signed_up", "reentry": "after", "reentry_after": "P7D"}
    stage.publish(welcome(entry=entry))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(days=2)
    stage.happen("customer.signed_up")
    assert stage.refusals() == ["not_yet"]
    # Counted from when they came in, not from when they were refused or the run ended.
    stage.pass_time(days=5, seconds=-1)
    stage.happen("customer.signed_up")
    assert stage.refusals() == ["not_yet", "not_yet"]
    stage.pass_time(seconds=1)
    stage.happen("customer.signed_up")
    assert stage.refusals() == ["not_yet", "not_yet"]
    assert [run.entered_at for run in stage.runs()] == [T0, T0 + timedelta(days=7)]
