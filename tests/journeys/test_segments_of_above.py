"""Segments look at consent and at runs: whoever owns these has people looked at again, and journeys enter by it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from customers import merging
from customers.models import Customer, Event, Identifier, SegmentTurn
from customers.rules import PEOPLE, Facts, Reading, RuleError, parse
from customers.segments import define
from journeys.models import Run
from journeys.rules import RunFact
from tests.journeys.segments import GOLD, inside, make_segment, spells
from tests.journeys.stage import Stage, make_stage, welcome

pytestmark = pytest.mark.django_db

AGREED = {"leaf": "consent", "purpose": "news", "state": "given"}
WELCOMED = {"leaf": "run", "journey": "welcome"}
VIP = {"leaf": "event_property", "name": "segment", "op": "eq", "value": "vip"}
FREE_ENTRY = {"event": "customer.signed_up", "guard": "none", "guard_reason": "test"}


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def say(stage: Stage, name: str, **more: Any) -> None:
    stage.happen(name, properties={"purpose": "news", **more})


def test_consent_brings_in_and_withdrawal_takes_out(stage: Stage) -> None:
    stage.know("ana", granted=False)
    segment = make_segment(stage, AGREED)
    assert inside(segment) == set()
    say(stage, "consent.granted")
    assert inside(segment) == {"ana"}
    stage.pass_time(minutes=1)
    say(stage, "consent.withdrawn")
    assert spells(segment) == [(True, False)]


def test_consent_that_expires_lets_go_without_anything_happening(stage: Stage) -> None:
    stage.know("ana", granted=False)
    given, expired = make_segment(stage, AGREED), make_segment(stage, AGREED | {"state": "expired"}, "lapsed")
    say(stage, "consent.granted", valid_until=(stage.now + timedelta(days=30)).isoformat())
    assert (inside(given), inside(expired)) == ({"ana"}, set())
    assert set(SegmentTurn.objects.values_list("due_at", flat=True)) == {stage.now + timedelta(days=30)}
    stage.pass_time(days=30, seconds=-1)
    assert (inside(given), inside(expired)) == ({"ana"}, set())
    stage.pass_time(seconds=1)
    assert (inside(given), inside(expired)) == (set(), {"ana"})


def test_a_build_finds_who_agreed_before(stage: Stage) -> None:
    stage.know("ana")
    stage.know("bia", granted=False)
    assert inside(make_segment(stage, AGREED)) == {"ana"}
    assert inside(make_segment(stage, AGREED | {"state": "never"}, "unasked")) == {"bia"}


def test_who_enters_a_journey_comes_in_and_goes_when_the_run_ends(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know("ana")
    live = make_segment(stage, WELCOMED, "live")
    never = make_segment(stage, WELCOMED | {"state": "never"}, "never")
    holding = make_segment(stage, WELCOMED | {"step": "hold"}, "holding")
    assert (inside(live), inside(never), inside(holding)) == (set(), {"ana"}, set())
    stage.happen("customer.signed_up")
    assert (inside(live), inside(never), inside(holding)) == ({"ana"}, set(), {"ana"})
    stage.pass_time(hours=1)
    stage.happen("login.succeeded")
    assert stage.the_run().status == Run.Status.COMPLETED
    assert (inside(live), inside(never), inside(holding)) == (set(), set(), set())
    assert inside(make_segment(stage, WELCOMED | {"state": "ever"}, "ever")) == {"ana"}


def test_what_segments_do_not_look_at_queues_nobody(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know("ana")
    segment = make_segment(stage, GOLD)
    stage.happen("customer.signed_up")
    assert inside(segment) == set()
    assert spells(segment) == []


def test_a_journey_is_entered_by_a_segment(stage: Stage) -> None:
    """Rule, segment, internal event, entry, message."""
    stage.publish(welcome(entry={"event": "segment.entered", "rule": VIP}))
    make_segment(stage, GOLD, "vip")
    make_segment(stage, {"not": GOLD}, "others")
    stage.know("ana")
    assert stage.runs() == []
    stage.happen("identify", traits={"plan": "gold"})
    [run] = stage.runs()
    assert stage.steps_of(run) == ["welcome", "hold"]
    assert stage.messages() == [("queued", "")]
    entered = Event.objects.filter(name="segment.entered").latest("id")
    told_by = Event.objects.filter(pk=entered.cause_id or 0).values_list("kind", flat=True)
    assert (run.context.event_id, entered.hops, list(told_by)) == (entered.pk, 1, ["identify"])


def test_nobody_enters_by_a_build(stage: Stage) -> None:
    stage.publish(welcome(entry={"event": "segment.entered"}))
    stage.know("ana", plan="gold")
    assert inside(make_segment(stage, GOLD)) == {"ana"}
    stage.run()
    assert stage.runs() == []


def test_what_follows_from_a_run_is_a_hop_further_from_the_first_cause(stage: Stage) -> None:
    """So that journeys and segments that feed each other come to an end."""
    stage.publish(welcome(entry={"event": "segment.entered", "rule": VIP}))
    stage.publish(welcome(entry={"event": "segment.entered", "rule": VIP | {"value": "welcomed"}}), "second")
    make_segment(stage, GOLD, "vip")
    make_segment(stage, WELCOMED, "welcomed")
    stage.know("ana")
    stage.happen("identify", traits={"plan": "gold"})
    first, second = stage.runs()
    events = list(Event.objects.filter(name="segment.entered").order_by("id").values_list("id", "hops", "cause_id"))
    assert [id_ for id_, _hops, _cause in events] == [first.context.event_id, second.context.event_id]
    assert [hops for _id, hops, _cause in events] == [1, 2]
    assert events[1][2] == events[0][0]


def test_a_merge_keeps_who_is_in_and_an_unmerge_gives_each_their_own_back(stage: Stage) -> None:
    segment = make_segment(stage, GOLD)
    stage.happen("identify", "", anonymous_id="tablet", traits={"plan": "gold"})
    stage.happen("identify", "", anonymous_id="phone")
    before = memberships(segment)
    decide = merging.decide.decision
    stage.pass_time(seconds=1)
    merging.join(profile("tablet"), profile("phone"), decide(stage.brand.pk, 1, "test", stage.now))
    stage.run()
    assert len(memberships(segment)) == 1
    stage.pass_time(seconds=1)
    merging.split([profile("phone")], decide(stage.brand.pk, 2, "test", stage.now))
    stage.run()
    assert inside(segment) == {"tablet"}
    assert memberships(segment) == before
    assert Customer.objects.filter(profiles__isnull=False).distinct().count() == 2


def test_what_a_merge_made_true_is_history_once_it_is_undone(stage: Stage) -> None:
    twice = {"leaf": "event_count", "event": "order.completed", "times": 2}
    segment = make_segment(stage, twice)
    stage.happen("order.completed", "", anonymous_id="tablet")
    stage.happen("order.completed", "", anonymous_id="phone")
    decide = merging.decide.decision
    merging.join(profile("tablet"), profile("phone"), decide(stage.brand.pk, 1, "test", stage.now))
    stage.run()
    assert spells(segment) == [(False, False)]
    stage.pass_time(seconds=1)
    merging.split([profile("phone")], decide(stage.brand.pk, 2, "test", stage.now))
    stage.run()
    assert spells(segment) == [(True, False)]
    assert inside(segment) == set()


def profile(value: str) -> Any:
    return Identifier.objects.get(value=value, closed_at=None).profile_id


def memberships(segment: Any) -> list[tuple[Any, ...]]:
    return list(segment.memberships.order_by("id").values_list("profile_id", "customer_id", "entered_at", "left_at"))


@pytest.mark.parametrize(
    ("rule", "code", "pointer"),
    [
        ({"leaf": "consent", "purpose": "other", "state": "given"}, "unknown_purpose", "/not/purpose"),
        ({"leaf": "run", "journey": "other"}, "unknown_journey", "/not/journey"),
        ({"leaf": "run", "journey": "welcome", "state": "never", "step": "hold"}, "value_not_allowed", "/not/step"),
        ({"leaf": "run", "journey": "x'; drop"}, "name_invalid", "/not/journey"),
    ],
)
def test_what_is_not_there_is_named_at_its_field(stage: Stage, rule: Any, code: str, pointer: str) -> None:
    with pytest.raises(RuleError) as refused:
        define.read_rule({"not": rule}, stage.brand.pk)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


LEAVES = [
    WELCOMED | more
    for more in (
        {}, {"state": "ever"}, {"state": "never"}, {"step": "hold"}, {"step": "remind"}, {"journey": "second"},
    )
]  # fmt: skip


def test_runs_are_the_same_in_sql_and_in_memory_now_and_then(stage: Stage) -> None:
    stage.publish(welcome(entry=FREE_ENTRY))
    stage.publish(welcome(entry=FREE_ENTRY | {"event": "second.begun"}), "second")
    for user in ("ana", "bia", "cai"):
        stage.know(user)
    stage.happen("customer.signed_up", "ana")
    stage.happen("second.begun", "ana")
    stage.happen("customer.signed_up", "bia")
    moments = [stage.now]
    stage.pass_time(hours=2)
    stage.happen("login.succeeded", "bia")
    moments.append(stage.now)
    # Another version, in which steps stand elsewhere.
    steps = welcome()["steps"]
    stage.publish(welcome(entry=FREE_ENTRY, steps=[steps[0], steps[2], steps[1], *steps[3:]]))
    stage.happen("customer.signed_up", "cai")
    moments.append(stage.now)
    expected = [[facts(user, moment) for user in ("ana", "bia", "cai")] for moment in moments]
    for tree in LEAVES:
        rule = parse(tree, PEOPLE)
        for by_key in (False, True):
            found = asked(rule.sql(Reading(stage.now, stage.brand.pk, by_key=by_key)))
            assert found == [rule.holds(one) for one in expected[-1]], tree
        for moment, then in zip(moments, expected, strict=True):
            assert asked(rule.as_of(Reading(moment, stage.brand.pk))) == [rule.holds(one) for one in then], tree


def facts(user: str, moment: Any) -> Facts:
    """By the rows of the runs, as they stood."""
    rows = Run.objects.filter(profile__identifier__value=user, entered_at__lte=moment).select_related("journey")
    found = []
    for run in rows:
        last = run.transitions.filter(at__lte=moment).order_by("-seq").first()
        is_live = run.ended_at is None or run.ended_at > moment
        step = run.version.definition["steps"][last.step_to]["id"] if is_live and last is not None else ""
        found.append(RunFact(run.journey.key, is_live, step))
    return Facts(extra={"runs": found}, now=moment)


def asked(fragment: tuple[str, list[Any]]) -> list[bool]:
    text, given = fragment
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT i.value, {text} FROM customers_customer c JOIN customers_profile q ON q.customer_id = c.id"
            " JOIN customers_identifier i ON i.profile_id = q.id AND i.kind_id = 'user_id' ORDER BY i.value",
            given,
        )
        return [holds for _value, holds in cursor.fetchall()]
