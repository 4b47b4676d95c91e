"""Why an entry was refused: the reason in words, what decided, and what would have allowed it."""

from typing import Any

from analytics.why import Explanation, explain_refusal
from consent.models import ConsentEntry
from journeys.models import EntryRefusal
from tests.journeys.stage import T0, Stage, welcome

KEYED = {"event": "customer.signed_up", "key": "cart", "reentry": "always"}


def explained() -> Explanation:
    return explain_refusal(EntryRefusal.objects.get())


def facts(part: str) -> dict[str, Any]:
    found = explained().part(part)
    assert found is not None, part
    return {fact.key: fact.value for fact in found.facts}


def test_a_live_run_in_the_way_is_named(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.happen("customer.signed_up", properties={"campaign": "spring"})
    run = stage.the_run()
    assert (explained().outcome, explained().reason) == ("refused", "already_live")
    assert explained().verdict == "No run was started. A run of this person, journey and key was live already."
    assert explained().would_have_allowed == "The live run ended before the event, or another entry key."
    assert facts("run") == {"run": run.pk, "entered_at": T0}
    assert facts("event")["properties"] == {"campaign": "spring"}
    assert facts("journey")["version"] == 1


def test_two_entries_in_one_batch_name_the_run_that_was_just_made(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.accept("customer.signed_up")
    stage.accept("customer.signed_up")
    stage.run()
    assert EntryRefusal.objects.get().live_run_id == stage.the_run().pk


def test_who_may_not_enter_again_is_shown_the_run_before(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.happen("login.succeeded")
    stage.pass_time(days=3)
    stage.happen("customer.signed_up")
    assert explained().reason == "not_again"
    assert facts("run")["run"] == stage.the_run().pk


def test_a_withdrawal_that_refused_is_proven(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("consent.withdrawn", properties={"purpose": "news"})
    stage.happen("customer.signed_up")
    entry = ConsentEntry.objects.get(state="withdrawn")
    assert explained().reason == "no_consent"
    assert (facts("consent")["entry_id"], facts("consent")["state"]) == (entry.pk, "withdrawn")


def test_without_any_entry_of_the_ledger_that_is_said(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know(granted=False)
    stage.happen("customer.signed_up")
    part = explained().part("consent")
    assert part is not None
    assert part.text == "No ledger entry decided: there was none for this purpose, or no address to hold one."


def test_the_exit_rule_that_held_is_shown(stage: Stage) -> None:
    rules = [
        {"rule": {"leaf": "attribute", "name": "plan", "op": "eq", "value": name}, "state": "lost"}
        for name in ("basic", "closed")
    ]
    stage.publish(welcome(exit_rules=rules))
    stage.know(plan="closed")
    stage.happen("customer.signed_up")
    part = explained().part("exit_rule")
    assert part is not None
    assert (explained().reason, part.text) == ("exit_already_true", 'plan eq "closed"')
    assert part.not_kept == ("What the rule saw of the person's traits was not kept.",)


def test_a_missing_key_is_explained(stage: Stage) -> None:
    document = welcome(entry=KEYED)
    document["steps"][1]["branches"][0]["key"] = "cart"
    stage.publish(document)
    stage.know()
    stage.happen("customer.signed_up", properties={"basket": 1})
    assert explained().reason == "key_missing"
    assert explained().part("run") is None
