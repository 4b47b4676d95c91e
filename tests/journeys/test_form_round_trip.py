"""A document shown as a form and sent back untouched is the same document."""

import gc
import json
from typing import Any, ClassVar

import msgspec
import pytest
from django.template.loader import render_to_string
from hypothesis import HealthCheck, given, settings

from customers.authoring.choices import Choices
from customers.authoring.describe import struct_fields
from customers.authoring.posted import tree
from journeys.authoring.controls import controls
from journeys.authoring.describe import step_forms
from journeys.authoring.read import read
from journeys.authoring.submitted import submitted
from journeys.authoring.tidy import lost_in_the_form, tidy
from journeys.definition import Definition, parse
from journeys.steps.base import End, Here, Outcome, Step, step_types
from tests.journeys.documents import documents
from tests.journeys.forms import values_of
from tests.journeys.stage import welcome


def as_json(document: object) -> Any:
    return json.loads(json.dumps(document))


def meaning(document: dict[str, Any]) -> tuple[Definition, list[Step]]:
    """What the engine reads; to it, the legal transitions are a set."""
    definition, steps = parse(document)
    definition.transitions = sorted(set(definition.transitions))
    # As written; `steps` are the same, read.
    definition.steps = []
    return definition, steps


def html_of(document: dict[str, Any]) -> str:
    shown = controls(document, Choices())
    return "".join(render_to_string(control.template, {"control": control}) for control in shown.values())


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(documents())
def test_nothing_is_lost_between_document_page_and_document(document: dict[str, Any]) -> None:
    reading = read(tree(values_of(html_of(document))))
    assert reading.document == tidy(document)
    assert reading.problems == []
    assert lost_in_the_form(document) == []
    # Another spelling, the same journey.
    assert meaning(reading.document) == meaning(document)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(documents())
def test_what_is_thought_to_be_submitted_is_what_the_page_submits(document: dict[str, Any]) -> None:
    assert submitted(controls(document, Choices()).values()) == values_of(html_of(document))


@given(documents())
def test_a_tidied_document_is_tidy(document: dict[str, Any]) -> None:
    assert tidy(tidy(document)) == tidy(document)


def test_what_the_form_cannot_show_is_named_before_it_is_lost() -> None:
    odd: dict[str, Any] = welcome(colour="red") | {"entry": {"event": "  padded", "since": 1}}
    odd["steps"][0]["connector"] = 5
    assert lost_in_the_form(as_json(odd)) == [
        "/entry/event",
        "/entry/since",
        "/steps/0/connector",
        "/colour",
    ]


@pytest.mark.parametrize(
    "step",
    [{"type": "jump", "id": "far", "height": [1, {"a": None}]}, {"id": "nothing"}, 5, "text", None, []],
)
def test_a_step_that_is_none_comes_back_as_it_was(step: object) -> None:
    document = as_json(welcome(steps=[step, *welcome()["steps"]]))
    assert read(tree(values_of(html_of(document)))).document == tidy(document)


def test_an_incomplete_document_comes_back_incomplete() -> None:
    document = {"states": [{}], "transitions": [], "entry": {}, "steps": [{"type": "message"}, {"type": "hold"}]}
    kept = read(tree(values_of(html_of(document)))).document
    assert kept == document | {
        "steps": [{"type": "message"}, {"type": "hold", "branches": [], "timeout": {}}],
    }


class _Tier(msgspec.Struct, forbid_unknown_fields=True):
    from_points: int
    title: str = ""


def make_award() -> None:
    """A step type that the program does not know; it lives as long as somebody holds it."""

    class Award(Step, tag_field="type", tag="award", kw_only=True, forbid_unknown_fields=True):
        waits: ClassVar[bool] = False

        points: int
        reason: str
        next: str
        tiers: list[_Tier] = []
        doubled: bool = False
        weight: float = 1.0
        extra: dict[str, Any] = {}

        def enter(self, here: Here) -> Outcome:
            return End()

    step_forms()


def test_a_new_step_type_has_a_form_without_any_list_of_them() -> None:
    make_award()
    form = step_forms()["award"]
    assert {one.name: one.kind for one in form.fields} == {
        "id": "text",
        "state": "text",
        "points": "number",
        "reason": "text",
        "next": "text",
        "tiers": "list",
        "doubled": "flag",
        "weight": "number",
        "extra": "json",
    }
    step = {
        "type": "award",
        "id": "gift",
        "state": "not_activated",
        "points": 12,
        "reason": "<i>because</i>",
        "next": "hold",
        "tiers": [{"from_points": 1, "title": "gold"}, {"from_points": 2}],
        "doubled": True,
        "weight": 2.5,
        "extra": {"a": [1]},
    }
    document = as_json(welcome(steps=[step]))
    html = html_of(document)
    assert read(tree(values_of(html))).document == tidy(document)
    assert 'value="step:award"' in html
    assert "<i>because" not in html
    # The type goes as it came, before another test counts them.
    struct_fields.cache_clear()
    gc.collect()
    assert "award" not in step_types()
