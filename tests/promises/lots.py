"""P18: an arm is drawn by the person and the split alone: anew, elsewhere or of a new version, it is the same."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from config.loop.checks import Check
from config.loop.killer import await_ready
from config.processes import PROJECT
from consent.models import Purpose
from customers.clock import utcnow
from journeys.models import Cause, Journey, Transition
from journeys.publish import publish
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.waves import tell

_SHARES: Final = (40, 30, 20, 10)
# Of three degrees of freedom, what one of ten thousand fair draws exceeds.
_MOST_CHI_SQUARE: Final = 21.108
_VISITS: Final = 3
# A process of its own draws for so many people, and tells what they got.
_DRAW: Final = """
import django
django.setup()
import json, sys
from datetime import UTC, datetime
from hashlib import sha256
from types import SimpleNamespace
from uuid import UUID
import msgspec
from customers.rules import Facts
from journeys.steps.base import Here
from journeys.steps.random_split import RandomSplit
step = msgspec.convert(json.loads(sys.argv[1]), RandomSplit)
now = datetime(2026, 3, 2, tzinfo=UTC)
def drawn(number):
    run = SimpleNamespace(journey_id=UUID(int=7), profile_id=UUID(int=number), entry_key="", entered_at=now)
    return step.enter(Here(Facts(), now, {}, run)).branch
arms = bytes(drawn(number) for number in range(int(sys.argv[2])))
print(json.dumps({"digest": sha256(arms).hexdigest(), "counts": [arms.count(n) for n in range(len(step.arms))]}))
"""


def run(stage: Stage) -> Iterator[Check]:
    Purpose.objects.create(brand=stage.brand, key="flow", name="Flow", kind=Purpose.Kind.MARKETING)
    journey = Journey.objects.create(brand=stage.brand, key="lots", name="Lots")
    stage.start_web(1)
    people = stage.size(5_000, 150)
    for visit in range(_VISITS):
        # Each time by a worker that has just begun, the second time and the third of a new version.
        publish(journey, _document(visit), by=None, now=utcnow())
        worker = stage.start_engine()
        await_ready(worker)
        tell(stage.partner(), [_knock(person, visit) for person in range(people)])
        stage.settle("a visit")
        worker.terminate()

    arms = _arms()
    yield Check("people who came in so often, each time by another worker and version", people, len(arms))
    yield Check("  visits", _VISITS * people, sum(len(one) for one in arms.values()))
    yield Check(
        "  of people who were drawn otherwise the next time", 0, sum(len(set(one)) > 1 for one in arms.values())
    )
    yield Check("exposures, one of each", people, stage.count("SELECT count(*) FROM channels_exposure"))
    draws = stage.size(200_000, 20_000)
    here, there = _draw(stage, draws), _draw(stage, draws)
    yield Check("draws that another process repeats", here["digest"], there["digest"])
    expected = [draws * share / 100 for share in _SHARES]
    deviation = sum((got - want) ** 2 / want for got, want in zip(here["counts"], expected, strict=True))
    yield Check("  their chi-square, in tenths", range(round(_MOST_CHI_SQUARE * 10)), round(deviation * 10))


def _split() -> dict[str, Any]:
    arms = [{"name": f"arm{n}", "share": share, "next": f"end{n}"} for n, share in enumerate(_SHARES)]
    return {"id": "lot", "type": "random_split", "state": "new", "arms": arms}


def _document(visit: int) -> dict[str, Any]:
    ends = [{"id": f"end{n}", "type": "exit", "state": "over"} for n in range(len(_SHARES))]
    # A later version has more steps before the split and behind it.
    before = [{"id": f"wait{n}", "type": "delay", "state": "new", "after": "PT1S", "next": "lot"} for n in range(visit)]
    return {
        "purpose": "flow",
        "states": [{"name": "new", "kind": "initial"}, {"name": "over", "kind": "success"}],
        "transitions": [["new", "over"]],
        "entry": {"event": "door.knocked", "reentry": "always", "guard": "none", "guard_reason": "Nothing is sent."},
        "steps": [*before[:1], _split(), *ends],
    }


def _knock(person: int, visit: int) -> Mapping[str, object]:
    return {"name": "door.knocked", "id": f"{person}-{visit}", "identifiers": {"user_id": f"person-{person}"}}


def _arms() -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = defaultdict(list)
    drawn = Transition.objects.filter(cause=Cause.ARM).values_list("run__profile_id", "branch")
    for profile, branch in drawn:
        found[profile].append(branch or 0)
    return found


def _draw(stage: Stage, people: int) -> dict[str, Any]:
    arguments = [sys.executable, "-c", _DRAW, json.dumps(_split()), str(people)]
    environment = os.environ | stage.environment()
    done = subprocess.run(arguments, env=environment, cwd=PROJECT, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


PROMISE = Promise(
    "P18",
    "An arm is drawn by the person and the split alone, and the shares are as they were said",
    run,
    controls=("lots by chance",),
    code=("journeys/steps/", "journeys/engine/walk.py", "channels/exposures.py"),
    minutes=8,
)
