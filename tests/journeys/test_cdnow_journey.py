"""CDNOW as a journey: simulated and live, it does what an independent computation says."""

import json
from io import StringIO
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from django.core.management import call_command

from journeys.models import EntryRefusal, Run, Transition
from tests.journeys import cdnow
from tests.journeys.cdnow import Counts
from tests.journeys.stage import Stage


def test_the_independent_computation_counts_every_purchase_once() -> None:
    assert cdnow.expected().entries == 6_919
    assert sum(cdnow.expected()[1:]) == 6_919


def test_the_simulator_agrees_exactly(stage: Stage, tmp_path: Path) -> None:
    stage.publish(cdnow.document(), key="again")
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(json.dumps(line) for line in cdnow.lines()))
    out = StringIO()
    call_command(
        "simulate", "again", "--file", str(file), "--to", cdnow.end().isoformat(), "--format", "json", stdout=out
    )
    told = json.loads(out.getvalue())["live"]
    ended = {(one["status"], one["state"]): one["runs"] for one in told["runs"]}
    expected = cdnow.expected()
    assert Counts(told["entered"], ended["completed", "activated"], ended["completed", "lost"]) == expected
    assert told["sent"] == [{"channel": "email", "step": "remind", "messages": expected.reminders}]
    assert (told["customers"], told["events"], told["refused"], told["blocked"]) == (2_357, 6_919, {}, [])
    assert len(ended) == 2


def test_the_live_engine_agrees_exactly(stage: Stage) -> None:
    """Under a moved clock: each second's purchases once everything that fell due before them is done."""
    stage.now = cdnow.purchases()[0].at.replace(year=1996)
    stage.publish(cdnow.document(), key="again")
    for at, together in groupby(sorted(cdnow.purchases(), key=attrgetter("at")), key=attrgetter("at")):
        stage.now = at.replace(microsecond=0)
        stage.pass_time(microseconds=-1)
        stage.now = at
        for one in together:
            stage.accept("order.completed", one.customer, properties={"discs": one.discs})
        stage.run()
    stage.now = cdnow.end()
    stage.run()
    assert EntryRefusal.objects.count() == 0
    ended = {
        state: Run.objects.filter(status=Run.Status.COMPLETED, state=number).count()
        for number, state in enumerate(("not_activated", "activated", "lost"))
    }
    assert Counts(Run.objects.count(), ended["activated"], ended["lost"]) == cdnow.expected()
    # Nobody was reminded who bought in time: one reminder a run that was lost, and no other.
    assert Transition.objects.filter(step_from=1).count() == ended["lost"]
