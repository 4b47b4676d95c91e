"""The entitlement step: grants once for each visit, by the ledger, and goes on by what came of it."""

from typing import Any

import pytest
from django.db import transaction

from analytics.why import explain_run
from channels.entitlements import ledger
from channels.models import Entitlement, EntitlementEntry, Origin
from customers import merging
from customers.pg import raw_cursor
from journeys.compiling import awaited_names, version
from journeys.definition import InvalidDefinition
from journeys.engine import acting, advance
from journeys.engine.advance import advance_due
from journeys.models import Cause, Run, Transition
from journeys.simulation.events import stored
from journeys.simulation.past import Recorded
from journeys.simulation.run import simulate
from journeys.simulation.unknown import Unknown
from journeys.validate import check
from tests.journeys.stage import T0, Stage, welcome
from tests.journeys.test_unmerge import profile
from tests.statements import counted

FREE = {"event": "customer.signed_up", "reentry": "always", "guard": "none", "guard_reason": "test"}


def entitle(**more: Any) -> dict[str, Any]:
    step = {"type": "entitlement", "id": "gift", "state": "not_activated", "key": "free_shipping", "next": "done"}
    return step | more


def granting(**more: Any) -> dict[str, Any]:
    """Granted: activated; any other way: lost."""
    ways = ["done", *(more.get(name) for name in ("already", "limit_reached", "nothing"))]
    return welcome(entry=FREE, steps=[entitle(**more), *(end for end in welcome()["steps"][3:] if end["id"] in ways)])


def entered(stage: Stage, document: dict[str, Any], times: int = 1, user: str = "ana") -> Stage:
    if "welcome" not in stage.journeys:
        stage.publish(document)
    for _time in range(times):
        stage.happen("customer.signed_up", user)
    return stage


def causes(stage: Stage) -> list[str]:
    rows = Transition.objects.filter(seq=2).order_by("run_id").values_list("cause", flat=True)
    return [Cause(one).name for one in rows]


def grants() -> list[tuple[str, int | None, int | None, str]]:
    return list(Entitlement.objects.order_by("id").values_list("key", "quantity", "remaining", "state"))


def test_it_grants_and_the_run_goes_on(stage: Stage) -> None:
    entered(stage, granting(quantity=2, good_for="P30D", reason="welcome gift"))
    run, one = stage.the_run(), Entitlement.objects.get()
    assert (run.status, causes(stage), grants()) == (
        Run.Status.COMPLETED, ["GRANTED"], [("free_shipping", 2, 2, "open")],
    )  # fmt: skip
    assert (one.profile_id, one.origin, one.origin_id, one.step_id) == (run.profile_id, "run", str(run.pk), "gift")
    assert (one.scope_id, one.reason, (one.expires_at - stage.now).days) == (run.journey_id, "welcome gift", 30)  # type: ignore[operator]  # it has an end


def test_whoever_has_it_already_goes_the_other_way(stage: Stage) -> None:
    entered(stage, granting(already="lost"), times=2)
    assert (causes(stage), len(grants())) == (["GRANTED", "ALREADY_HELD"], 1)


def test_without_that_way_it_is_granted_once_more(stage: Stage) -> None:
    entered(stage, granting(), times=2)
    assert (causes(stage), len(grants())) == (["GRANTED", "GRANTED"], 2)


def test_a_limit_holds_over_all_who_grant_and_after_it_was_used_up(stage: Stage) -> None:
    entered(stage, granting(quantity=1, most=2, limit_reached="lost"), times=3)
    assert (causes(stage), len(grants())) == (["GRANTED", "GRANTED", "LIMIT_REACHED"], 2)


def test_two_runs_of_one_customer_in_one_batch_are_granted_it_once(stage: Stage) -> None:
    wait = {"type": "delay", "id": "wait", "state": "not_activated", "after": "PT1H", "next": "gift"}
    for key in ("welcome", "again"):
        steps = [wait, entitle(already="lost"), *welcome()["steps"][3:]]
        stage.publish(welcome(entry=FREE, steps=steps), key)
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    ends = sorted(one.version.definition["steps"][one.step]["id"] for one in stage.runs())
    assert (ends, len(grants())) == (["done", "lost"], 1)


def test_it_is_taken_back_and_whoever_has_nothing_goes_the_other_way(stage: Stage) -> None:
    stage.publish(granting(), "gifts")
    stage.happen("customer.signed_up")
    back = welcome(entry=FREE | {"event": "order.returned"}, steps=[
        entitle(do="revoke", nothing="lost", reason="returned"), *welcome()["steps"][3:],
    ])  # fmt: skip
    stage.publish(back, "back")
    for _time in range(2):
        stage.happen("order.returned")
    assert causes(stage) == ["GRANTED", "REVOKED", "NOTHING_HELD"]
    assert grants() == [("free_shipping", None, None, "revoked")]
    assert Entitlement.objects.get().ended_reason == "returned"


def test_what_another_of_the_customers_profiles_has_counts(stage: Stage) -> None:
    stage.publish(granting(already="lost"))
    stage.happen("customer.signed_up", "", anonymous_id="tablet")
    stage.happen("visited", "", anonymous_id="phone")
    stage.pass_time(seconds=1)
    merging.join(profile("tablet"), profile("phone"), merging.decide.decision(stage.brand.pk, 1, "test", stage.now))
    stage.run()
    stage.happen("customer.signed_up", "", anonymous_id="phone")
    assert (causes(stage), len(grants())) == (["GRANTED", "ALREADY_HELD"], 1)


def test_a_run_that_dies_while_it_is_written_grants_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_given: Any) -> None:
        raise RuntimeError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(advance, "write", die)
        entered(stage, granting(quantity=1))
    assert (grants(), EntitlementEntry.objects.count()) == ([], 0)
    stage.pass_time(minutes=5)
    assert (causes(stage), len(grants())) == (["GRANTED"], 1)


def test_a_visit_that_comes_again_grants_nothing_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    granted = ledger.grant

    def twice(cursor: Any, grants: Any, now: Any) -> Any:
        asked.append([granted(cursor, grants, now), granted(cursor, grants, now)])
        return asked[-1][0]

    monkeypatch.setattr(ledger, "grant", twice)
    entered(stage, granting(quantity=1))
    first, again = asked[0]
    assert (len(first), again, len(grants()), EntitlementEntry.objects.count()) == (1, [], 1, 1)


def test_a_run_whose_customer_is_busy_comes_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(acting, "_LOCK_CUSTOMERS", "SELECT id FROM customers_customer WHERE id = ANY(%b) AND false")
        entered(stage, granting())
        assert (stage.the_run().status, grants()) == (Run.Status.ACTIVE, [])
    advance_due(stage.now)
    assert (stage.the_run().status, len(grants())) == (Run.Status.COMPLETED, 1)


def test_a_journey_holds_until_it_is_used(stage: Stage) -> None:
    hold = {
        "type": "hold", "id": "hold", "state": "not_activated",
        "branches": [{"event": "entitlement.used", "next": "done",
                      "rule": {"leaf": "event_property", "name": "key", "op": "eq", "value": "free_shipping"}}],
        "timeout": {"after": "P7D", "next": "lost"},
    }  # fmt: skip
    entered(stage, welcome(entry=FREE, steps=[entitle(next="hold", quantity=1), hold, *welcome()["steps"][3:]]))
    assert stage.the_run().status == Run.Status.ACTIVE
    run = stage.the_run()
    act = ledger.Act(Origin.API, "till", "u1")
    stage.now += stage.now.resolution
    with transaction.atomic(), raw_cursor() as cursor:
        ledger.use(cursor, run.customer_id, stage.brand.pk, "free_shipping", 1, act, stage.now)
    stage.run()
    assert stage.steps_of(stage.the_run()) == ["gift", "hold", "done"]


def test_the_why_page_says_what_came_of_it(stage: Stage) -> None:
    entered(stage, granting(already="lost"), times=2)
    texts = [explain_run(run)[1][1].text for run in stage.runs()]
    assert texts == [
        "At “gift” they were granted “free_shipping”.",
        "At “gift” they were not granted “free_shipping”, as they had it already.",
    ]


def test_a_simulation_writes_nothing_and_counts_what_it_would_have_granted(stage: Stage) -> None:
    stage.publish(granting(quantity=1, most=2, limit_reached="lost"))
    for _time in range(3):
        stage.happen("customer.signed_up")
        stage.pass_time(minutes=1)
    before = EntitlementEntry.objects.count(), grants()
    made = version(stage.runs()[0].version_id)
    events = stored(stage.brand.pk, awaited_names(made.definition, made.steps), T0, stage.now)
    told = simulate(made, events, Recorded("UTC"), T0.replace(month=4))
    assert told.tally.as_json()["runs"] == [
        {"status": "completed", "state": "activated", "runs": 2},
        {"status": "completed", "state": "lost", "runs": 1},
    ]
    assert Unknown.ENTITLEMENTS in told.unknown
    assert (EntitlementEntry.objects.count(), grants()) == before


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"key": "Free Shipping"}, "name_invalid", "/steps/0/key"),
        ({"key": ""}, "name_invalid", "/steps/0/key"),
        ({"key": "a" * 61}, "name_invalid", "/steps/0/key"),
        ({"quantity": 0}, "out_of_range", "/steps/0/quantity"),
        ({"quantity": 1_000_001}, "out_of_range", "/steps/0/quantity"),
        ({"most": 0, "limit_reached": "lost"}, "out_of_range", "/steps/0/most"),
        ({"most": 2}, "limit_unclear", "/steps/0/limit_reached"),
        ({"limit_reached": "lost"}, "limit_unclear", "/steps/0/limit_reached"),
        ({"good_for": "PT0S"}, "duration", "/steps/0/good_for"),
        ({"reason": "x" * 301}, "too_long", "/steps/0/reason"),
        ({"nothing": "lost"}, "not_allowed_here", "/steps/0/nothing"),
        ({"do": "revoke", "quantity": 2}, "not_allowed_here", "/steps/0/quantity"),
        ({"do": "revoke", "already": "lost"}, "not_allowed_here", "/steps/0/already"),
        ({"already": "nowhere"}, "unknown_step", "/steps/0"),
        ({"next": "gift"}, "loop", "/steps/0"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    stage: Stage, changes: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(granting(**changes))
    assert (code, pointer) in [(one.code, one.pointer) for one in refused.value.problems]


@pytest.mark.parametrize("changes", [{"do": "give"}, {"quantity": "two"}, {"colour": "red"}, {"key": 7}])
def test_what_has_another_shape_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidDefinition):
        check(granting(**changes))


def in_one_batch(stage: Stage, *steps: dict[str, Any], users: int = 1) -> None:
    """Everybody has one, and runs that come to these steps at one moment."""
    gifts = granting()
    stage.publish(gifts | {"entry": FREE | {"event": "order.placed"}}, "gifts")
    wait = {"type": "delay", "id": "wait", "state": "not_activated", "after": "PT1H", "next": "gift"}
    for n, step in enumerate(steps):
        stage.publish(welcome(entry=FREE, steps=[wait, step, *welcome()["steps"][3:]]), f"n{n}")
    for n in range(users):
        stage.happen("order.placed", f"u-{n}")
        stage.happen("customer.signed_up", f"u-{n}")


@pytest.mark.parametrize("is_granted_last", [True, False])
def test_what_is_taken_back_and_granted_in_one_batch_is_done_in_the_order_of_the_runs(
    stage: Stage, is_granted_last: bool
) -> None:
    back, gift = entitle(do="revoke", nothing="lost", reason="returned"), entitle(most=9, limit_reached="lost")
    in_one_batch(stage, *((back, gift) if is_granted_last else (gift, back)))
    before = Entitlement.objects.get()

    stage.pass_time(hours=1)

    causes = [Cause(one).name for one in Transition.objects.order_by("run_id", "seq").values_list("cause", flat=True)]
    done = [one for one in causes if one in ("GRANTED", "REVOKED")]
    assert done == ["GRANTED", *(("REVOKED", "GRANTED") if is_granted_last else ("GRANTED", "REVOKED"))]
    before.refresh_from_db()
    [after] = Entitlement.objects.exclude(pk=before.pk)
    assert (before.state, before.ended_reason) == ("revoked", "returned")
    assert (after.state, after.ended_reason) == (("open", "") if is_granted_last else ("revoked", "returned"))
    kinds = list(EntitlementEntry.objects.filter(entitlement=after).order_by("id").values_list("kind", flat=True))
    assert kinds == (["grant"] if is_granted_last else ["grant", "revoke"])


def test_what_is_taken_back_of_many_costs_no_more_statements_than_of_one(stage: Stage) -> None:
    in_one_batch(stage, entitle(do="revoke", nothing="lost", reason="returned"), users=4)
    with counted() as statements:
        stage.pass_time(hours=1)
    assert [one[3] for one in grants()] == ["revoked"] * 4
    assert len([one for one in statements if "state = 'revoked'" in one]) == 1
    acts = EntitlementEntry.objects.filter(kind="revoke").values_list("idempotency_key", flat=True)
    assert len(set(acts)) == 4
