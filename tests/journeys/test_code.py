"""Journeys as code: files that go round, cases that hold or say why not, a schema for editors."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings

from config.demo.company import JOURNEYS
from journeys.authoring import text
from journeys.authoring.tidy import tidy
from journeys.code.cases import run_cases
from journeys.code.file import JourneyFile, NotAJourney, read, write
from journeys.code.order import in_order
from journeys.code.portable import LIMITS, broken_limits
from journeys.code.schema import schema
from journeys.definition import parse
from journeys.models import DraftRevision, Journey, JourneyVersion
from tests.journeys.documents import documents
from tests.journeys.stage import Stage, welcome

CASES: list[dict[str, Any]] = [
    {
        "name": "who logs in is not reminded",
        "when": [{"event": "customer.signed_up"}, {"at": "PT3H", "event": "login.succeeded"}],
        "then": [
            {"after": "PT1H", "sent": ["welcome"], "waits_at": "hold"},
            {"after": "P2D", "sent": ["welcome"], "ended_in": "activated", "path": ["welcome", "hold", "done"]},
        ],
    }
]


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def backwards(value: Any) -> Any:
    """The same with the names of every object the other way round."""
    if isinstance(value, dict):
        return {name: backwards(value[name]) for name in reversed(value)}
    return [backwards(one) for one in value] if isinstance(value, list) else value


def a_file(**more: Any) -> JourneyFile:
    written = {"key": "welcome", "name": "Welcome", "definition": as_json(welcome()), "cases": CASES} | more
    return read(json.dumps(written))


def told(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(documents())
def test_a_document_goes_round_and_its_order_is_always_the_same(document: dict[str, Any]) -> None:
    file = JourneyFile(key="any", name="Any", definition=as_json(document))
    written = write(file)
    again = read(written)
    assert again.definition == tidy(as_json(document))
    assert write(again) == written
    assert write(JourneyFile(key="any", name="Any", definition=backwards(file.definition))) == written


def test_a_file_with_cases_goes_round(tmp_path: Path) -> None:
    file = a_file()
    assert read(write(file)) == JourneyFile(
        key="welcome", name="Welcome", definition=in_order(file.definition), cases=file.cases
    )


@pytest.mark.parametrize("path", JOURNEYS, ids=lambda path: path.stem)
def test_the_demos_journeys_do_what_their_cases_say_and_are_written_in_order(path: Path) -> None:
    file = read(path.read_text())
    assert (file.key, len(file.cases)) == (path.stem, 5)
    assert list(run_cases(file)) == []
    assert write(file) == path.read_text()


def test_a_case_that_does_not_hold_says_what_was_found() -> None:
    case = CASES[0] | {"then": [{"after": "P2D", "sent": ["welcome", "remind"], "entered": 2, "waits_at": "hold"}]}
    assert [str(one) for one in run_cases(a_file(cases=[case]))] == [
        "who logs in is not reminded: after P2D, entered: expected 2, found 1",
        "who logs in is not reminded: after P2D, sent: expected ['welcome', 'remind'], found ['welcome']",
        "who logs in is not reminded: after P2D, waits_at: expected 'hold', found None",
    ]


def test_consent_traits_and_zone_are_those_of_the_moment() -> None:
    document = as_json(welcome())
    rule = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}
    document["entry"] |= {"rule": rule, "reentry": "always"}
    document["steps"][1] = {
        "type": "delay", "id": "hold", "state": "not_activated", "next": "remind", "hours": {"opens": "09:00"},
    }  # fmt: skip
    document["steps"] = [step for step in document["steps"] if step["id"] != "done"]
    case = {
        "name": "a day in Recife",
        "given": {"zone": "America/Recife", "now": "2026-03-02T08:00:00+00:00"},
        "when": [
            {"event": "customer.signed_up"},
            {"at": "PT1H", "traits": {"plan": "pro"}},
            {"at": "PT2H", "event": "customer.signed_up"},
            {"at": "PT3H", "consent": "withdrawn"},
        ],
        "then": [
            {"after": "PT1H", "entered": 0, "refused": [], "sent": []},
            {"after": "PT2H", "entered": 1, "sent": ["welcome"], "waits_at": "hold"},
            {"after": "PT4H", "sent": ["welcome"], "blocked": {"remind": "withdrawn"}, "ended_in": "lost"},
        ],
    }
    assert list(run_cases(a_file(definition=document, cases=[case]))) == []


def test_a_case_tells_who_is_in_which_segment_and_how_often_people_come() -> None:
    document = as_json(welcome())
    document["entry"] |= {"exclude": "vip", "reentry": "always", "cap": {"most": 1, "per": "P1D"}}
    case = {
        "name": "first kept out, then let in once",
        "given": {"segments": ["vip"]},
        "when": [
            {"event": "customer.signed_up"},
            {"at": "PT1H", "leaves": "vip"},
            {"at": "PT2H", "event": "customer.signed_up"},
            {"at": "PT3H", "event": "login.succeeded"},
            {"at": "PT4H", "event": "customer.signed_up"},
            {"at": "P3D", "enters": "vip"},
            {"at": "P4D", "event": "customer.signed_up"},
        ],
        "then": [{"after": "P5D", "entered": 1, "refused": ["excluded", "entry_cap", "excluded"]}],
    }
    file = a_file(definition=document, cases=[case])
    assert list(run_cases(file)) == []
    assert list(run_cases(read(write(file)))) == []


@pytest.mark.parametrize(
    "written",
    [
        "",
        "- a list",
        "key: welcome",
        "key: welcome\nname: Welcome\ndefinition: {}\nextra: 1",
        "key: welcome\nname: Welcome\ndefinition: &all {}",
        "key: welcome\nkey: welcome\nname: W\ndefinition: {}",
        'key: w\nname: w\ndefinition: {}\ncases: [{name: a, when: [], then: [{after: soon}]}]',
        'key: w\nname: w\ndefinition: {}\ncases: [{name: a, when: [], then: [], given: {consent: perhaps}}]',
    ],
)  # fmt: skip
def test_what_is_no_file_of_a_journey_is_refused(written: str) -> None:
    with pytest.raises(NotAJourney):
        read(written)


def test_the_schema_takes_what_is_a_journey_and_refuses_what_is_not() -> None:
    validator = jsonschema_rs.validator_for(schema())
    for path in JOURNEYS:
        assert list(validator.iter_errors(text.read(path.read_text()))) == []
    whole = text.read(JOURNEYS[0].read_text())
    assert not validator.is_valid(whole | {"extra": 1})
    assert not validator.is_valid(whole | {"definition": whole["definition"] | {"steps": [{"type": "nap"}]}})
    assert not validator.is_valid(whole | {"cases": [{"name": "no then"}]})
    assert schema()["$defs"]["Delay"]["properties"]["after"]["title"] == "wait for"


def test_limits_of_other_platforms_are_told_with_their_place() -> None:
    document = as_json(welcome())
    document["steps"][1]["timeout"]["after"] = "P200D"
    broken = list(broken_limits(*parse(document)))
    assert [(one.platform, one.pointer, one.found, one.most) for one in broken] == [
        ("Segment Journeys", "/steps/1/timeout", 200, 182),
        ("Braze Canvas", "/steps/1/timeout", 200, 30),
        ("Adobe Journey Optimizer", "/steps/1/timeout", 200, 29),
    ]
    assert list(broken_limits(*parse(as_json(welcome())))) == []
    assert all(most > 0 for limits in LIMITS.values() for _measure, most in limits)


def test_so_are_limits_of_age_of_coming_again_and_of_attempts_elsewhere() -> None:
    document = as_json(welcome())
    document["timeout"] = {"after": "P100D", "state": "lost"}
    document["entry"] |= {"reentry": "after", "reentry_after": "P91D"}
    document["steps"][0] = {
        "type": "webhook", "id": "welcome", "state": "not_activated", "connector": "crm", "path": "/seen",
        "retry": [{"errors": ["all"], "max_attempts": 3}, {"errors": ["timeout"], "max_attempts": 4}], "next": "hold",
    }  # fmt: skip
    broken = list(broken_limits(*parse(document)))
    assert [(one.platform, one.pointer, one.found, one.most) for one in broken] == [
        ("Adobe Journey Optimizer", "/timeout", 100, 91),
        ("Adobe Journey Optimizer", "/entry/reentry_after", 91, 90),
        ("Adobe Journey Optimizer", "/steps/0/retry/1", 4, 3),
    ]


def test_the_command_runs_files_and_ends_with_an_error_if_one_fails(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(write(a_file()))
    assert told("test_journey", str(good), "--portable") == "good.yaml: 1 cases, 0 failures\n"
    bad.write_text(write(a_file(definition=as_json(welcome(steps=[])))))
    errors = StringIO()
    with pytest.raises(CommandError, match="1 not as it should be"):
        call_command("test_journey", str(good), str(bad), stdout=StringIO(), stderr=errors)
    assert errors.getvalue().startswith("bad.yaml: /steps: A journey has between 1 and 500 steps.")


def test_a_file_becomes_a_draft_and_the_draft_the_same_file(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "welcome.yaml"
    path.write_text(write(a_file(cases=[])))
    assert told("import_journey", str(path), "--brand", "acme") == "acme/welcome: new, revision 1\n"
    assert told("import_journey", str(path), "--brand", "acme") == "acme/welcome: unchanged, revision 1\n"
    assert told("export_journey", "welcome") == path.read_text()
    document = as_json(welcome(entry={"event": "customer.came_back"}))
    path.write_text(write(a_file(cases=[], definition=document)))
    assert told("import_journey", str(path), "--brand", "acme") == "acme/welcome: changed, revision 2\n"
    journey = Journey.objects.get()
    assert (journey.status, journey.draft["entry"]) == ("draft", {"event": "customer.came_back"})
    assert (JourneyVersion.objects.count(), DraftRevision.objects.count()) == (0, 2)


def test_a_journey_whose_cases_fail_is_not_taken(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "welcome.yaml"
    path.write_text(write(a_file(cases=[CASES[0] | {"then": [{"after": "P2D", "entered": 2}]}])))
    with pytest.raises(CommandError, match="expected 2, found 1"):
        call_command("import_journey", str(path), "--brand", "acme")
    assert Journey.objects.count() == 0
    with pytest.raises(CommandError, match="no brand 'nobody'"):
        call_command("import_journey", str(path), "--brand", "nobody")
    assert "revision 1" in told("import_journey", str(path), "--brand", "acme", "--unfinished")


def test_the_live_version_is_exported_when_asked_for(stage: Stage) -> None:
    stage.publish(welcome())
    assert read(told("export_journey", "welcome", "--live")).definition == tidy(as_json(welcome()))
    with pytest.raises(CommandError, match="there is no journey 'other'"):
        call_command("export_journey", "other")


def test_the_schema_is_written_for_editors() -> None:
    assert json.loads(told("journey_schema")) == as_json(schema())
