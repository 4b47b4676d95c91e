"""Simulations: the same decisions as live, by what was known then; nothing is written."""

import json
import os
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from channels.models import Message
from journeys.compiling import awaited_names, version
from journeys.models import EntryRefusal, Run, Transition
from journeys.simulation.events import stored
from journeys.simulation.past import Recorded
from journeys.simulation.run import Simulated, simulate
from journeys.simulation.unknown import Unknown
from tests.journeys.segments import GOLD, make_segment
from tests.journeys.stage import T0, Stage, make_stage, message, welcome

_TABLES = "SELECT relname FROM pg_stat_user_tables WHERE relname ~ '^(journeys|channels|consent|customers)_' ORDER BY 1"


def simulated(stage: Stage, *, days: float = 30, key: str = "welcome") -> Simulated:
    live = version(stage.journeys[key].live_version_id or 0)
    names = awaited_names(live.definition, live.steps)
    until = stage.now + timedelta(days=days)
    return simulate(live, stored(stage.brand.pk, names, T0 - timedelta(days=400), until), Recorded("UTC"), until)


def rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in tables))
        return dict(cursor.fetchall())


def simulate_command(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("simulate", "welcome", *arguments, "--format", "json", stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def wandering(**more: Any) -> dict[str, Any]:
    """Every kind of step: a split by the entry, hours, a hold that looks back over a delay, an exit, a lot."""
    hold = {
        "type": "hold", "id": "hold", "state": "not_activated",
        "branches": [
            {"event": "login.succeeded", "next": "which"},
            {"event": "cart.filled", "next": "rest", "rule": {"leaf": "event_property", "name": "n", "op": "ge",
                                                              "value": 2}},
        ],
        "timeout": {"after": "PT20H", "next": "remind"},
        **more,
    }  # fmt: skip
    return welcome(
        entry={"event": "customer.signed_up", "reentry": "after", "reentry_after": "PT30H",
               "cap": {"most": 2, "per": "PT70H"}},
        exit_events=[{"event": "customer.left", "state": "lost"}],
        steps=[
            {"type": "split", "id": "plan", "state": "not_activated", "otherwise": "rest",
             "branches": [{"rule": {"leaf": "event_property", "name": "n", "op": "eq", "value": 1}, "next": "hello"}]},
            message("hello", next="rest"),
            {"type": "delay", "id": "rest", "state": "not_activated", "after": "PT3H", "next": "hold",
             "hours": {"opens": "08:00", "closes": "20:00"}},
            hold,
            {"type": "random_split", "id": "which", "state": "not_activated",
             "arms": [{"name": "a", "share": 50, "next": "done"}, {"name": "b", "share": 50, "next": "remind"}]},
            message("remind", next="lost"),
            {"type": "exit", "id": "done", "state": "activated"},
            {"type": "exit", "id": "lost", "state": "lost"},
        ],
    )  # fmt: skip


HOLDS: list[dict[str, Any]] = [
    {},
    {"take": "best"},
    {"reset": {"event": "page.seen", "most": 2}},
    {"take": "best", "since": "step", "reset": {"event": "cart.filled", "most": 1}},
]
NAMES = ["customer.signed_up", "login.succeeded", "cart.filled", "page.seen", "customer.left", "consent.withdrawn"]
happenings = st.lists(
    st.tuples(
        st.sampled_from(["ana", "bia"]),
        st.sampled_from(
            ["customer.signed_up", "login.succeeded", "cart.filled", "page.seen", "customer.left", "consent.withdrawn"]
        ),
        st.integers(1, 3),
        st.integers(0, 60 * 24),
    ),
    max_size=14,
)


def _pass(stage: Stage, until: datetime) -> None:
    """Let time pass as it does where a worker looks every second; what falls due at the end itself waits."""
    while (run := Run.objects.filter(status=1, due_at__lt=until).order_by("due_at").first()) and run.due_at:
        stage.now = max(stage.now, run.due_at)
        stage.run()
    stage.now = until


class TestTheSame(TestCase):
    @settings(
        max_examples=int(os.environ.get("EXAMPLES", "12")), deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(happenings, st.sampled_from(HOLDS))
    def test_what_happened_live_is_what_is_simulated(
        self, sequence: list[tuple[str, str, int, int]], more: dict[str, Any]
    ) -> None:
        stage = make_stage()
        stage.publish(wandering(**more))
        for user in ("ana", "bia"):
            stage.know(user)
        for user, name, n, minutes in sequence:
            _pass(stage, stage.now + timedelta(minutes=minutes, seconds=30))
            stage.happen(name, user, properties={"n": n, "purpose": "news"})
        tally = simulated(stage).tally
        _pass(stage, stage.now + timedelta(days=30))
        stage.run()
        assert tally.entered == Run.objects.count()
        assert sum(tally.refused.values()) == EntryRefusal.objects.count()
        moves = Transition.objects.exclude(step_from=None).count()
        assert sum(tally.ways.values()) == moves
        states = [state.name for state in tally.version.definition.states]
        ended = [(run.get_status_display(), states[run.state]) for run in Run.objects.all()]
        assert sorted(ended) == sorted(tally.ended.elements())
        live = Message.objects.values_list("state", "reason")
        assert sum(tally.sent.values()) == sum(state == "queued" for state, _reason in live)
        assert sorted(reason for (_step, reason), n in tally.blocked.items() for _one in range(n)) == sorted(
            reason for state, reason in live if state == "suppressed"
        )


def test_a_simulation_writes_nothing(stage: Stage) -> None:
    stage.publish(wandering())
    stage.know()
    stage.happen("customer.signed_up", properties={"n": 1})
    before = rows()
    assert simulated(stage).tally.entered == 1
    assert rows() == before


def test_consent_is_that_of_the_moment(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=30)
    stage.happen("consent.withdrawn", properties={"purpose": "news"})
    tally = simulated(stage).tally
    assert dict(tally.sent) == {("email", "welcome"): 1, ("email", "remind"): 1}
    # That a no was said before the reminder is heard of after it.
    stage.accept("consent.withdrawn", at=T0 + timedelta(hours=23), properties={"purpose": "news"})
    stage.run()
    tally = simulated(stage).tally
    assert (dict(tally.sent), dict(tally.blocked)) == ({("email", "welcome"): 1}, {("remind", "withdrawn"): 1})


def test_whoever_had_not_agreed_then_does_not_come_in(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know(granted=False)
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("consent.granted", properties={"purpose": "news"})
    tally = simulated(stage).tally
    assert (tally.entered, dict(tally.refused)) == (0, {"no_consent": 1})


def test_traits_are_those_of_the_moment(stage: Stage) -> None:
    rule = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}
    stage.publish(welcome(entry={"event": "customer.signed_up", "rule": rule, "reentry": "always"}))
    stage.know(plan="free")
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.accept("identify", traits={"plan": "pro"})
    stage.run()
    stage.pass_time(hours=1)
    stage.happen("customer.signed_up")
    assert simulated(stage).tally.entered == len(stage.runs()) == 1


def test_whoever_was_in_the_excluded_segment_then_does_not_come_in(stage: Stage) -> None:
    make_segment(stage, GOLD)
    for user in ("ana", "bia"):
        stage.know(user, plan="gold")
    stage.accept("customer.signed_up", "ana")
    stage.pass_time(hours=1)
    stage.happen("identify", "bia", traits={"plan": "basic"})
    stage.pass_time(hours=1)
    stage.happen("customer.signed_up", "bia")
    stage.publish(welcome(entry={"event": "customer.signed_up", "exclude": "vip"}))
    told = simulated(stage)
    assert (told.tally.entered, dict(told.tally.refused)) == (1, {"excluded": 1})
    assert Unknown.AT_ONCE in told.unknown


def test_two_versions_stand_side_by_side(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    shorter = welcome()
    shorter["steps"][1]["timeout"]["after"] = "PT1H"
    stage.publish(shorter)
    stage.journeys["welcome"].refresh_from_db()
    until = (T0 + timedelta(hours=2)).isoformat()
    told = simulate_command("--version", "1", "--against", "live", "--from", T0.isoformat(), "--to", until)
    assert [(name, one["sent"]) for name, one in told.items()] == [
        ("1", [{"channel": "email", "step": "welcome", "messages": 1}]),
        ("live", [{"channel": "email", "step": step, "messages": 1} for step in ("remind", "welcome")]),
    ]
    assert told["1"]["time_in_state"] == []
    assert told["live"]["time_in_state"] == [
        {"state": "not_activated", "median_seconds": 3600.0, "longest_seconds": 3600.0}
    ]
    assert told["live"]["paths"][0][1] == {"at": T0.isoformat(), "cause": "continued", "step": "hold"}


def test_the_draft_is_simulated_as_it_would_be_published(stage: Stage) -> None:
    stage.publish(welcome())
    journey = stage.journeys["welcome"]
    journey.draft = json.loads(json.dumps(welcome(entry={"event": "login.succeeded"})))
    journey.save()
    stage.know()
    stage.happen("customer.signed_up")
    stage.happen("login.succeeded")
    told = simulate_command("--version", "draft", "--from", T0.isoformat(), "--to", stage.now.isoformat())
    assert (told["draft"]["entered"], told["draft"]["customers"]) == (1, 1)
    out = StringIO()
    call_command(
        "simulate", "welcome", "--version", "draft", "--from", T0.isoformat(), "--to", "2026-04-01", stdout=out
    )
    assert "entered" in out.getvalue()
    assert "not known: " in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--version", "7"], "no version '7'"),
        (["--version", "draft"], "no version 'draft'"),
        (["--to", "soon"], "'soon' is no moment"),
        (["--file", "nowhere.ndjson"], "nowhere.ndjson"),
        (["--brand", "other"], "there is no journey 'welcome'"),
    ],
)
def test_what_cannot_be_simulated_is_said(stage: Stage, arguments: list[str], said: str) -> None:
    stage.publish(welcome())
    with pytest.raises(CommandError, match=said):
        call_command("simulate", "welcome", *arguments)


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"event": "a"}', '{"event": 1, "user_id": "u", "occurred_at": "2026-03-02"}',
     '{"event": "a", "user_id": "u", "occurred_at": "noon"}',
     '{"event": "a", "user_id": "u", "occurred_at": "2026-03-02", "properties": [1]}'],
)  # fmt: skip
def test_a_line_that_is_no_event_is_named(stage: Stage, tmp_path: Path, line: str) -> None:
    stage.publish(welcome())
    file = tmp_path / "events.ndjson"
    file.write_text(f'{{"event": "a", "user_id": "u", "occurred_at": "2026-03-02"}}\n\n{line}\n')
    with pytest.raises(CommandError, match=r"events.ndjson: Line 3: "):
        call_command("simulate", "welcome", "--file", str(file))
