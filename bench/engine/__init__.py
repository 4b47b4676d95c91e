"""The engine on a journey of eight steps: against a Celery task per step, and against SQL that decides nothing."""

from collections.abc import Set
from contextlib import ExitStack

from bench.database import connect
from bench.engine.by_hand import ByHand
from bench.engine.ours import Ours
from bench.engine.per_step import PerStep
from bench.journey import T0, make_journey
from bench.measure import Result, Side, Size, take_turns
from bench.people import make_people
from customers.sql import ensure_partitions

UNIT = "transitions/s"
RUNS = 100_000
PER_STEP_RUNS = 2_000
WANTED = {"engine.transitions": 100.0, "engine.limit": 0.5}


def measure(wanted: Set[str], size: Size) -> list[Result]:
    """One or both of ours; our side is run once for both."""
    runs = size.of(RUNS, at_least=1000)
    version = make_journey()
    ensure_partitions(T0)
    baselines: dict[str, Side] = {}
    with ExitStack() as stack:
        connection = stack.enter_context(connect())
        make_people(connection, runs)
        if "engine.transitions" in wanted:
            per_step = PerStep(connection, version, size.of(PER_STEP_RUNS, at_least=100))
            baselines["engine.transitions"] = stack.enter_context(per_step).side()
        if "engine.limit" in wanted:
            baselines["engine.limit"] = ByHand(connection, version, runs).side()
        engine = stack.enter_context(Ours(connection, runs))
        ours = engine.side()
        take_turns([ours, *baselines.values()], size.rounds)
    return [Result(name, UNIT, ours, side, WANTED[name]) for name, side in baselines.items()]
