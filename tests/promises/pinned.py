"""P16: whoever is in a journey stays on the version they came in with, whatever is published meanwhile."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from config.loop.checks import Check
from config.loop.killer import await_ready
from consent.models import Purpose
from customers.clock import utcnow
from journeys.models import Journey, JourneyVersion, Run, Transition
from journeys.publish import publish
from tests.promises.client import Client
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.waves import tell

_HOLD: Final = "PT6S"


def run(stage: Stage) -> Iterator[Check]:
    Purpose.objects.create(brand=stage.brand, key="flow", name="Flow", kind=Purpose.Kind.MARKETING)
    journey = Journey.objects.create(brand=stage.brand, key="pinned", name="Pinned")
    stage.start_web(1)
    for worker in [stage.start_engine() for _number in range(2)]:
        await_ready(worker)
    partner = stage.partner()
    rounds, people = stage.size(50, 6), stage.size(3_000, 60)
    for number in range(rounds):
        publish(journey, _document(number), by=None, now=utcnow())
        users = [f"person-{number}-{one}" for one in range(people // 2)]
        _tell(partner, "door.knocked", users)
        # Of those who came before, some answer while the next version is live already.
        if number:
            _tell(partner, "door.answered", [f"person-{number - 1}-{one}" for one in range(0, people // 2, 2)])
    stage.settle("the last of them", 300)
    stage.until(lambda: not Run.objects.filter(status=Run.Status.ACTIVE).exists(), "their ends", 300)

    ways = _ways()
    numbers = dict(JourneyVersion.objects.values_list("id", "number"))
    wrong = [way for way, version in ways if way not in _possible(numbers[version] - 1)]
    yield Check("versions published while people were inside", rounds, len(numbers))
    yield Check("  people who came in and out", rounds * (people // 2), len(ways))
    yield Check("  by a way that is none of their version's", 0, len(wrong))
    ends = Counter(way[-1] for way, _version in ways)
    answered = (rounds - 1) * len(range(0, people // 2, 2))
    yield Check("  of whom so many answered, and left so", range(answered // 2, answered + 1), ends["answered"])
    yield Check("dead letters", 0, stage.count("SELECT count(*) FROM customers_deadletter"))


def _tell(partner: Client, event: str, users: Sequence[str]) -> None:
    tell(partner, [{"name": event, "identifiers": {"user_id": user}} for user in users])


def _document(number: int) -> dict[str, Any]:
    """Each version has the same hold at another place and leads elsewhere, so that the numbers of steps tell."""
    filling = [
        {"id": f"pad{n}", "type": "delay", "state": "in", "after": "PT1S", "next": _next(number, n)}
        for n in range(number % 4)
    ]
    hold = {
        "id": "wait", "type": "hold", "state": "in",
        "branches": [{"event": "door.answered", "next": "answered"}],
        "timeout": {"after": _HOLD, "next": "left"},
    }  # fmt: skip
    ends = [{"id": "answered", "type": "exit", "state": "out"}, {"id": "left", "type": "exit", "state": "out"}]
    return {
        "purpose": "flow",
        "states": [{"name": "in", "kind": "initial"}, {"name": "out", "kind": "success"}],
        "transitions": [["in", "out"]],
        "entry": {"event": "door.knocked", "reentry": "always", "guard": "none", "guard_reason": "Nothing is sent."},
        "steps": [*filling, hold, *(reversed(ends) if number % 2 else ends)],
    }


def _next(number: int, pad: int) -> str:
    return f"pad{pad + 1}" if pad + 1 < number % 4 else "wait"


def _possible(number: int) -> set[tuple[str, ...]]:
    pads = tuple(f"pad{n}" for n in range(number % 4))
    return {(*pads, "wait", "answered"), (*pads, "wait", "left")}


def _ways() -> list[tuple[tuple[str, ...], int]]:
    """The way of each run by the names that its steps have in its version."""
    names = {
        version.id: [step["id"] for step in version.definition["steps"]] for version in JourneyVersion.objects.all()
    }
    steps: dict[int, list[int]] = {}
    for run_id, step in Transition.objects.order_by("run_id", "seq").values_list("run_id", "step_to"):
        if step is not None:
            steps.setdefault(run_id, []).append(step)
    versions = dict(Run.objects.values_list("id", "version_id"))
    return [
        (tuple(_name(names[versions[run_id]], step) for step in way), versions[run_id]) for run_id, way in steps.items()
    ]


def _name(of_version: Sequence[str], step: int) -> str:
    return of_version[step] if step < len(of_version) else "a step it has not"


PROMISE = Promise(
    "P16",
    "Whoever is in a journey stays on the version they came in with, whatever is published meanwhile",
    run,
    controls=("the current version",),
    code=("journeys/engine/", "journeys/version.py", "journeys/compiling.py", "journeys/publish.py"),
    minutes=15,
)
