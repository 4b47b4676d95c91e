"""Typed variables of a journey: begun with by entry, given by events, read by rules and templates, kept for why."""

from typing import Any

import pytest

from analytics.why.run import explain_run
from channels.models import Message, MessageContent, TemplateText
from channels.templates import names_under
from customers.rules import WALK, Facts, parse
from journeys.definition import InvalidDefinition
from journeys.engine import variables as engine_variables
from journeys.models import RuleInputs, Variable
from journeys.validate import check
from journeys.variables import fit
from tests.journeys.stage import Stage, message
from tests.journeys.test_asks import journey, pause, split

PLAN = {"name": "plan", "kind": "text", "property": "plan", "default": "free"}
TOTAL = {"name": "total", "kind": "number", "property": "cart.total"}
GIFT = {"name": "gift", "kind": "boolean", "default": False}
DAY = {"name": "day", "kind": "moment"}
ALL: list[dict[str, Any]] = [PLAN, TOTAL, GIFT, DAY]
SETS: list[dict[str, Any]] = [
    {"variable": "plan", "property": "chosen"},
    {"variable": "total", "property": "total"},
    {"variable": "gift", "property": "gift"},
    {"variable": "day", "property": "day"},
]


def asked(name: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"leaf": "variable", "name": name, "op": op} | ({} if value is None else {"value": value})


def hold(sets: list[dict[str, Any]], *, next: str = "split", **more: Any) -> dict[str, Any]:
    branch = {"event": "plan.chosen", "next": next, "sets": sets}
    timeout = {"after": "P1D", "next": "lost"}
    return {"type": "hold", "id": "hold", "state": "not_activated", "branches": [branch], "timeout": timeout} | more


def with_variables(*steps: dict[str, Any], variables: list[dict[str, Any]] = ALL, **changes: Any) -> dict[str, Any]:
    # Whatever is declared must be given a value by something.
    return journey(*steps, **changes) | {"variables": variables}


def rows() -> list[tuple[Any, ...]]:
    return list(Variable.objects.order_by("seq", "name").values_list("seq", "name", "text", "number", "boolean"))


def say(stage: Stage, text: str) -> None:
    TemplateText.objects.update(text=text, subject="Hello")


def test_a_run_begins_with_what_entry_tells_and_with_defaults(stage: Stage) -> None:
    stage.publish(with_variables(hold(SETS), split(asked("plan", "eq", "pro"))))
    stage.know()
    stage.happen("customer.signed_up", properties={"cart": {"total": 12.5}, "plan": 7})
    assert rows() == [(1, "gift", None, None, False), (1, "plan", "free", None, None), (1, "total", None, 12.5, None)]


def test_an_event_gives_what_its_branch_says_and_the_split_behind_sees_it(stage: Stage) -> None:
    rule = {"all": [asked("plan", "eq", "pro"), asked("total", "ge", 40), asked("gift", "eq", True),
                    asked("day", "gt", "2026-05-31T08:00:00Z")]}  # fmt: skip
    stage.publish(with_variables(hold(SETS), split(rule)))
    stage.know()
    stage.happen("customer.signed_up")
    said = {"chosen": "pro", "total": 40, "gift": True, "day": "2026-05-31T11:00:00+02:00"}
    stage.happen("plan.chosen", properties=said)
    assert stage.steps_of(stage.the_run())[-1] == "done"
    assert RuleInputs.objects.get().facts == {
        "journey.plan": "pro", "journey.total": 40, "journey.gift": True, "journey.day": "2026-05-31T09:00:00Z",
    }  # fmt: skip
    assert [row[:2] for row in rows()] == [(1, "gift"), (1, "plan"), (2, "day"), (2, "gift"), (2, "plan"), (2, "total")]


def test_what_does_not_fit_leaves_the_variable_as_it_was(stage: Stage) -> None:
    rule = {"all": [asked("plan", "eq", "free"), asked("total", "missing"), asked("day", "missing")]}
    stage.publish(with_variables(hold(SETS), split(rule)))
    stage.know()
    stage.happen("customer.signed_up", properties={"cart": {"total": "12"}})
    stage.happen("plan.chosen", properties={"chosen": ["pro"], "total": True, "day": "tomorrow", "gift": 0})
    assert stage.steps_of(stage.the_run())[-1] == "done"
    assert [row[:2] for row in rows()] == [(1, "gift"), (1, "plan")]


def test_a_split_behind_a_wait_reads_the_last_values(stage: Stage) -> None:
    stage.publish(with_variables(hold(SETS, next="pause"), pause(), split(asked("total", "eq", 3))))
    stage.know()
    stage.happen("customer.signed_up", properties={"cart": {"total": 1}})
    stage.happen("plan.chosen", properties={"total": 3})
    stage.pass_time(hours=1)
    assert stage.steps_of(stage.the_run())[-1] == "done"


def test_a_hold_that_weighs_gives_what_the_best_event_says(stage: Stage) -> None:
    weighing = hold(SETS, take="best")
    stage.publish(with_variables(weighing, split(asked("plan", "eq", "pro"))))
    stage.know()
    stage.happen("customer.signed_up")
    stage.happen("plan.chosen", properties={"chosen": "pro"})
    stage.pass_time(days=1)
    assert stage.steps_of(stage.the_run())[-1] == "done"


def test_two_events_at_once_give_one_after_the_other(stage: Stage) -> None:
    again = hold(SETS, next="split") | {"id": "again"}
    steps = (hold(SETS, next="again"), again, split({"all": [asked("plan", "eq", "b"), asked("total", "eq", 1)]}))
    stage.publish(with_variables(*steps))
    stage.know()
    stage.accept("customer.signed_up")
    stage.accept("plan.chosen", properties={"chosen": "a", "total": 1})
    stage.accept("plan.chosen", properties={"chosen": "b"})
    stage.run()
    assert stage.steps_of(stage.the_run())[-1] == "done"


def test_a_template_says_them_as_they_were_when_the_message_was_made(stage: Stage) -> None:
    say(stage, "{{ journey.plan }} {{ journey.total }} {{ event.plan }}")
    stage.publish(
        with_variables(message("hello", next="hold"), hold(SETS, next="again"), message("again", next="done"))
    )
    stage.know()
    stage.happen("customer.signed_up", properties={"plan": "basic", "cart": {"total": 2.5}})
    stage.happen("plan.chosen", properties={"chosen": "pro", "total": 3})
    contents = MessageContent.objects.order_by("message__visit").values_list("context", "journey")
    assert list(contents) == [
        ({"plan": "basic", "cart": {"total": 2.5}}, {"plan": "basic", "total": 2.5, "gift": False}),
        ({"plan": "basic", "cart": {"total": 2.5}}, {"plan": "pro", "total": 3, "gift": False}),
    ]


def test_a_template_that_names_none_has_none_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(
        with_variables(pause("hello"), message("hello", next="hold"), hold(SETS), split(asked("plan", "exists")))
    )
    stage.know()
    stage.happen("customer.signed_up")
    monkeypatch.setattr(engine_variables, "value_of", _unwanted)
    stage.pass_time(hours=1)
    assert MessageContent.objects.get().journey is None
    assert stage.steps_of(stage.the_run())[-1] == "hold"


def _unwanted(*_columns: object) -> None:
    raise AssertionError("nobody asked for these")


def test_a_journey_without_variables_reads_and_writes_none(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    say(stage, "{{ journey.plan }}")
    stage.publish(journey(pause("hello"), message("hello", next="lost")) | {"steps": [
        pause("hello"), message("hello", next="lost"), {"type": "exit", "id": "lost", "state": "lost"},
    ]})  # fmt: skip
    stage.know()
    stage.happen("customer.signed_up", properties={"plan": "pro"})
    monkeypatch.setattr(engine_variables, "_LAST", "no statement at all")
    stage.pass_time(hours=1)
    assert (Message.objects.count(), Variable.objects.count()) == (1, 0)
    assert MessageContent.objects.get().journey is None


def test_why_says_what_was_given_when(stage: Stage) -> None:
    stage.publish(with_variables(hold(SETS), split(asked("plan", "eq", "pro"))))
    stage.know()
    stage.happen("customer.signed_up")
    stage.happen("plan.chosen", properties={"chosen": "pro", "gift": True})
    entered, by_event, by_split = explain_run(stage.the_run())[1]
    assert entered.gave == {"gift": False, "plan": "free"}
    assert by_event.gave == {"gift": True, "plan": "pro"}
    assert by_event.given(masked=True) == {"gift": True, "plan": "•••"}
    assert (by_split.gave, by_split.saw) == ({}, {"journey.plan": "pro"})


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [
        ("text", "ção", "ção"), ("text", "", ""), ("text", 3, None), ("text", "x" * 1001, None),
        ("number", 3, 3), ("number", 3.0, 3), ("number", 0.5, 0.5), ("number", True, None), ("number", "3", None),
        ("number", 2**53, None), ("number", float("nan"), None), ("number", float("-inf"), None),
        ("boolean", False, False), ("boolean", 0, None), ("boolean", "true", None),
        ("moment", "2026-05-31T11:00:00+02:00", "2026-05-31T09:00:00Z"), ("moment", "2026-05-31T11:00:00", None),
        ("moment", "2026-05-31", None), ("moment", 1780218000, None), ("moment", "0001-01-01T00:00:00+14:00", None),
    ],
)  # fmt: skip
def test_a_value_fits_or_is_none(kind: str, value: Any, held: Any) -> None:
    assert (fit(kind, value), type(fit(kind, value))) == (held, type(held))


HAS_PLAN = asked("plan", "exists")
HOLD_SETS = "/steps/0/branches/0/sets/0"
RULE = "/steps/1/branches/0/rule"


@pytest.mark.parametrize(
    ("variables", "sets", "rule", "code", "pointer"),
    [
        ([PLAN, PLAN], [], asked("plan", "exists"), "duplicate_variable", "/variables/1/name"),
        ([PLAN | {"name": "a b"}, PLAN], [], asked("plan", "exists"), "bad_name", "/variables/0/name"),
        ([PLAN | {"default": 3}], [], asked("plan", "exists"), "wrong_type", "/variables/0/default"),
        ([PLAN | {"property": "a..b"}], [], asked("plan", "exists"), "name_invalid", "/variables/0/property"),
        ([PLAN, DAY], [], asked("plan", "exists"), "never_set", "/variables/1"),
        ([PLAN], [{"variable": "x", "property": "y"}], HAS_PLAN, "unknown_variable", f"{HOLD_SETS}/variable"),
        ([PLAN], [{"variable": "plan", "property": ""}], HAS_PLAN, "name_invalid", f"{HOLD_SETS}/property"),
        ([PLAN], [], asked("plans", "exists"), "unknown_variable", f"{RULE}/name"),
        ([PLAN], [], asked("plan", "eq", 3), "wrong_type", f"{RULE}/value"),
        ([PLAN], [], asked("plan", "in", ["a", 3]), "wrong_type", f"{RULE}/value/1"),
        ([PLAN], [], asked("plan", "gt", "a"), "wrong_operator", f"{RULE}/op"),
        ([TOTAL], [], asked("total", "starts_with", "3"), "wrong_operator", f"{RULE}/op"),
        ([GIFT], [], asked("gift", "eq", "yes"), "wrong_type", f"{RULE}/value"),
        ([DAY | {"property": "d"}], [], asked("day", "lt", "2026-05-31"), "wrong_type", f"{RULE}/value"),
        ([DAY | {"property": "d"}], [], asked("day", "lt", "2026-05-31T09:00:00+00:00"), "wrong_type", f"{RULE}/value"),
        ([PLAN | {"name": f"v{n}"} for n in range(51)], [], asked("v1", "exists"), "variable_count", "/variables"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_variables_is_told_at_its_place(
    variables: list[dict[str, Any]], sets: list[dict[str, Any]], rule: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(with_variables(hold(sets), split(rule), variables=variables))
    assert [(one.code, one.pointer) for one in refused.value.problems] == [(code, pointer)]


def test_a_template_that_names_an_unknown_variable_is_not_published(stage: Stage) -> None:
    say(stage, "{{ journey.plan }} {% if journey['pln'] %}{{ event.whatever }}{% endif %}")
    document = with_variables(message("hello", next="hold"), hold(SETS), split(asked("plan", "exists")))
    with pytest.raises(InvalidDefinition) as refused:
        stage.publish(document)
    [problem] = refused.value.problems
    assert (problem.code, problem.pointer) == ("unknown_variable", "/steps/0/template")
    assert "journey.pln" in str(problem.message)


def test_names_in_a_template_are_found_however_they_are_written() -> None:
    source = "{{ journey.a }}{% if journey['b'] > journey.c.d %}{{ event.e }}{% endif %}{{ x | default: journey.f }}"
    assert names_under(source, "journey") == {"a", "b", "c", "f"}
    assert names_under("no braces", "journey") == set()


def test_a_variable_of_the_leaf_is_missing_where_the_run_has_none() -> None:
    assert parse(asked("plan", "missing"), WALK).holds(Facts())
