"""Variants of a message: each person gets one of them for good, its template is that of publication, and it is told."""

import json
from collections import Counter
from types import SimpleNamespace
from typing import Any
from uuid import uuid5

import pytest
from django.db import IntegrityError, connection, transaction

from analytics.journey_numbers import as_json, as_text, journey_numbers
from analytics.metrics.message_variants import OfVariant, message_variants
from analytics.why.message import explain_message
from analytics.why.run import explain_run
from channels.dispatch import dispatch_all
from channels.models import Exposure, Message, Template, TemplateText, TemplateVersion
from customers.ids import NIL
from customers.rules import Facts
from journeys.code.cases import run_cases
from journeys.code.file import read, write
from journeys.compiling import version
from journeys.definition import InvalidDefinition
from journeys.models import Journey
from journeys.needs import read_from
from journeys.simulation.shown import sections
from journeys.steps.base import Go, Here
from journeys.steps.message import Message as MessageStep
from journeys.steps.message import Variant
from journeys.validate import check
from tests.journeys.stage import T0, Stage, message, welcome
from tests.journeys.test_simulation import simulated

TWO = [{"key": "a", "template": "note", "share": 50}, {"key": "b", "template": "other", "share": 50}]


def varied(variants: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    said = message("hello", next="lost") | {"variants": TWO if variants is None else variants} | more
    del said["template"]
    if "template" in more:
        said["template"] = more["template"]
    return welcome(
        steps=[said, {"type": "exit", "id": "lost", "state": "lost"}],
        entry={"event": "customer.signed_up", "reentry": "always"},
        transitions=[("not_activated", "lost"), ("not_activated", "activated")],
    )


@pytest.fixture
def two(stage: Stage) -> Stage:
    """A stage with a second template, whose words name what the entry event said."""
    template = Template.objects.create(brand=stage.brand, key="other", name="Other", channel="email")
    made = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(version=made, locale="en", subject="Other", text="Other {{ event.plan | default: '' }}")
    return stage


def let_in(stage: Stage, people: int) -> None:
    for n in range(people):
        stage.know(f"u{n}")
        stage.happen("customer.signed_up", f"u{n}")


def let_in_both(stage: Stage, least: int = 1) -> Counter[str]:
    """Let people in until each of two variants was drawn so often; how often it was."""
    n = 0
    while len(found := Counter(Exposure.objects.values_list("arm", flat=True))) < 2 or min(found.values()) < least:
        assert n < 60
        stage.know(f"u{n}")
        stage.happen("customer.signed_up", f"u{n}")
        n += 1
    return found


def test_people_are_drawn_by_the_shares_and_each_time_the_same() -> None:
    variants = [Variant(key=f"v{n}", template="t", share=share) for n, share in enumerate((60, 30, 10))]
    step = MessageStep(id="m", state="s", channel="email", connector="c", next="n", variants=variants)

    def drawn(n: int) -> int:
        run = SimpleNamespace(journey_id=NIL, profile_id=uuid5(NIL, str(n)), entry_key="", entered_at=T0)
        outcome = step.enter(Here(Facts(), T0, {}, run))
        assert isinstance(outcome, Go)
        assert outcome.branch is not None
        assert outcome.lot is not None
        assert (outcome.sends, outcome.lot.arm) == (True, f"v{outcome.branch}")
        return outcome.branch

    first = [drawn(n) for n in range(5_000)]
    assert first == [drawn(n) for n in range(5_000)]
    counts = Counter(first)
    # Five standard deviations are 173, 162 and 106.
    assert abs(counts[0] - 3_000) < 173
    assert abs(counts[1] - 1_500) < 162
    assert abs(counts[2] - 500) < 106


def test_each_gets_the_template_of_their_variant_and_is_exposed_once(two: Stage) -> None:
    two.publish(varied())
    people = let_in_both(two).total()
    two.pass_time(hours=1)
    two.happen("customer.signed_up", "u0")
    arms = dict(Exposure.objects.values_list("profile_id", "arm"))
    assert len(arms) == Exposure.objects.count() == people
    assert set(Exposure.objects.values_list("key", "is_holdout")) == {("hello", False)}
    keys = {"a": "note", "b": "other"}
    sent = Message.objects.values_list("profile_id", "template_version__template__key")
    assert len(sent) == people + 1
    assert {template for profile, template in sent if template != keys[arms[profile]]} == set()


def test_exposures_by_variant_are_never_changed(two: Stage) -> None:
    two.publish(varied())
    let_in(two, 1)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE channels_exposure SET arm = 'c'")


def test_each_variants_template_is_that_of_publication(two: Stage) -> None:
    made = two.publish(varied())
    bound = made.bindings["templates"]
    assert bound == {
        "note": TemplateVersion.objects.get(template__key="note").pk,
        "other": TemplateVersion.objects.get(template__key="other").pk,
    }
    for template in Template.objects.all():
        later = TemplateVersion.objects.create(template=template, number=2)
        TemplateText.objects.create(version=later, locale="en", subject="Later", text="Later")
    let_in_both(two)
    assert set(Message.objects.values_list("template_version_id", flat=True)) == set(bound.values())


def test_what_any_variant_reads_of_the_event_is_kept_for_the_run(two: Stage) -> None:
    made = version(two.publish(varied()).pk)
    assert read_from(made, made.index["hello"]) == {"plan"}


def test_those_on_their_way_keep_the_variants_of_their_version(two: Stage) -> None:
    document = varied()
    document["steps"].insert(0, {
        "type": "delay", "id": "rest", "state": "not_activated", "after": "P1D", "next": "hello",
    })  # fmt: skip
    two.publish(document)
    let_in(two, 6)
    document["steps"][1]["variants"] = [
        {"key": "c", "template": "note", "share": 99},
        {"key": "d", "template": "note", "share": 1},
    ]
    two.publish(document)
    two.pass_time(days=1)
    assert set(Exposure.objects.values_list("arm", flat=True)) <= {"a", "b"}
    assert Exposure.objects.count() == 6


def test_the_why_page_names_the_variant(two: Stage) -> None:
    two.publish(varied())
    let_in(two, 1)
    arm = Exposure.objects.get().arm
    _way, moves = explain_run(two.the_run())
    assert f"At “hello” the lot fell on the variant “{arm}”." in [move.text for move in moves]
    [words] = [part for part in explain_message(Message.objects.get()).parts if part.key == "words"]
    assert f"It is variant “{arm}” of “hello”, on which the lot fell." in str(words.text)
    assert ("variant", arm) in [(fact.key, fact.value) for fact in words.facts]


@pytest.mark.parametrize("variants", [None, TWO])
@pytest.mark.parametrize("before", [0, 2])
def test_a_run_that_an_exit_rule_ended_at_a_message_drew_no_variant(
    two: Stage, variants: list[dict[str, Any]] | None, before: int
) -> None:
    document = varied(variants) if variants else varied([], template="note")
    said = {"type": "update", "id": "up", "state": "not_activated", "next": "hello"}
    document["steps"].insert(0, said | {"changes": [{"trait": "plan", "do": "set", "value": "pro"}]})
    rules = [*["never"] * before, "pro"]
    document["exit_rules"] = [
        {"rule": {"leaf": "attribute", "name": "plan", "op": "eq", "value": plan}, "state": "lost"} for plan in rules
    ]
    two.publish(document)
    two.know(plan="free")
    two.happen("customer.signed_up")
    _way, moves = explain_run(two.the_run())
    assert moves[-1].step_from == "hello"
    assert moves[-1].text == 'An exit rule held: plan eq "pro".'
    assert not any("variant" in move.text for move in moves)
    assert not Message.objects.exists()
    assert message_variants(Journey.objects.get().pk).variants == ()


def test_a_message_without_variants_says_nothing_of_them(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    [words] = [part for part in explain_message(Message.objects.get()).parts if part.key == "words"]
    assert "variant" not in str(words.text)
    assert message_variants(Journey.objects.get().pk).variants == ()
    assert not Exposure.objects.exists()


def test_numbers_are_told_by_variant(two: Stage) -> None:
    two.publish(varied())
    arms = let_in_both(two, least=2)
    dispatch_all(two.now)
    of_a = list(Message.objects.filter(template_version__template__key="note"))
    of_b = list(Message.objects.filter(template_version__template__key="other"))
    Message.objects.filter(pk=of_a[0].pk).update(state="clicked")
    Message.objects.filter(pk=of_a[1].pk).update(state="delivered")
    Message.objects.filter(pk=of_b[0].pk).update(state="suppressed", reason="withdrawn")
    journey = Journey.objects.get().pk
    assert message_variants(journey).variants == (
        OfVariant("hello", "a", asked=arms["a"], sent=arms["a"], delivered=2, opened=1, clicked=1),
        OfVariant("hello", "b", asked=arms["b"], sent=arms["b"] - 1, delivered=0, opened=0, clicked=0),
    )
    numbers = journey_numbers(journey)
    assert numbers.broken == []
    assert as_json(numbers)["message_variants"]["variants"][0]["clicked"] == 1
    assert "hello: b" in as_text(numbers)


def test_a_simulation_draws_the_same_and_counts_by_variant(two: Stage) -> None:
    two.publish(varied())
    arms = let_in_both(two)
    told = simulated(two).tally.as_json()
    assert told["variants"] == [{"step": "hello", "variant": key, "messages": arms[key]} for key in ("a", "b")]
    [section] = [
        one for one in sections({"live": told | {"unknown": []}})["sections"] if one.title == "Messages by variant"
    ]
    assert section.rows == [("hello: a", [arms["a"]]), ("hello: b", [arms["b"]])]


def test_a_case_says_which_variant_is_sent_and_the_file_goes_round() -> None:
    case = {
        "name": "one of both",
        "when": [{"event": "customer.signed_up"}],
        "then": [{"after": "PT1H", "sent": ["hello"], "variants": {"hello": "none"}}],
    }
    file = read(json.dumps({"key": "k", "name": "K", "definition": varied(), "cases": [case]}))
    [failure] = run_cases(file)
    assert (failure.what, failure.expected) == ("variants", {"hello": "none"})
    assert failure.found in ({"hello": "a"}, {"hello": "b"})
    assert read(write(file)).definition["steps"][0]["variants"] == TWO
    assert read(write(file)).cases == file.cases


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        (varied(TWO[:1]), "variant_count", "/steps/0/variants"),
        (varied([TWO[0] | {"key": f"v{n}", "share": 10} for n in range(10)]), "variant_count", "/steps/0/variants"),
        (varied([TWO[0], TWO[1] | {"share": 40}]), "shares", "/steps/0/variants"),
        (varied([TWO[0] | {"share": 100}, TWO[1] | {"share": 0}]), "shares", "/steps/0/variants"),
        (varied([TWO[0], TWO[1] | {"key": "a"}]), "duplicate_variant", "/steps/0/variants/1/key"),
        (varied([TWO[0], TWO[1] | {"key": "b c"}]), "bad_name", "/steps/0/variants/1/key"),
        (varied(template="note"), "template_and_variants", "/steps/0/template"),
        (varied([]), "missing_field", "/steps/0/template"),
    ],
)
def test_variants_that_cannot_be_are_refused_with_their_place(
    document: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(document)
    assert (code, pointer) in [(one.code, one.pointer) for one in refused.value.problems]


@pytest.mark.parametrize("share", [50.5, "50", None, True])
def test_a_variants_share_is_a_whole_number(share: Any) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(varied([TWO[0], TWO[1] | {"share": share}]))
    assert [one.code for one in refused.value.problems] == ["invalid_definition"]


def test_a_variant_of_a_template_nobody_has_cannot_be_published(stage: Stage) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        stage.publish(varied())
    assert [(one.code, one.pointer) for one in refused.value.problems] == [
        ("unknown_template", "/steps/0/variants/1/template")
    ]
