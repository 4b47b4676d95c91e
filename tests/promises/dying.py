"""P8: whenever a worker is killed, every unit comes to its end soon after, by nobody's hand."""

import time
from collections.abc import Iterator
from math import ceil
from typing import Final

from config.loop.checks import Check
from config.loop.killer import await_ready
from tests.promises.deaths import Deaths, lives
from tests.promises.flow import Flow, drained, ends
from tests.promises.invariants import breaches
from tests.promises.kinds import Kinds
from tests.promises.plan import Promise
from tests.promises.points import POINTS, Marks
from tests.promises.stage import Stage

# After a death: until the note of it is missed, its units' turn comes, and another worker's lease of them is over.
_BOUND: Final = 60
# Of one unit, over which two may die before it comes through, and which took its own time.
_MOST_LATE: Final = 2 * _BOUND + 5
_DRAIN_SECONDS: Final = 120.0
_CONTROL_SECONDS: Final = 15.0


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(1)
    marks = Marks(stage.logs.parent / "marks")
    worker, _beat = stage.start_engine(marks.environment), stage.start_beat()
    await_ready(worker)
    partner = stage.partner()
    victims = [*POINTS * stage.size(20, 1), *lives(stage.size(120, 3))]
    broken: list[Check] = []

    def look(number: int) -> None:
        if number % stage.size(20, 3) == 0:
            broken.extend(check for check in breaches() if not check.holds)

    kinds = Kinds(stage, partner)
    with (
        Flow(stage, partner, per_second=stage.size(40, 20)) as flow,
        kinds,
        Deaths(stage, [worker], victims, marks, after=look) as deaths,
    ):
        deaths.wait()
    # A broken build is waited for no longer than it takes to see that nothing moves.
    began = time.monotonic()
    left = drained(_CONTROL_SECONDS if stage.control else _DRAIN_SECONDS)

    passed = ceil(time.monotonic() - began)

    for victim, planned in sorted(deaths.planned.items()):
        yield Check(f"killed: {victim}", planned, deaths.counts[victim])
    yield Check("  what did not hold in between", [], [check.row()[0] for check in broken])
    yield from ends(flow, _MOST_LATE)
    yield from kinds.ends()
    yield Check("seconds from the last death until nothing waited", range(_BOUND + 1), passed)
    yield Check("still waiting anywhere", {}, left)
    yield Check("dead letters", 0, stage.count("SELECT count(*) FROM customers_deadletter"))


PROMISE = Promise(
    "P8",
    "Kill any worker at any moment: every unit comes to its end within a minute, by nobody's hand",
    run,
    controls=("claim without a lease",),
    code=(
        "customers/work.py",
        "customers/attempts.py",
        "customers/resolve/",
        "journeys/engine/",
        "consent/stage.py",
        "config/sweeps.py",
    ),
    minutes=20,
)
