"""The engine on a journey of eight steps: against a Celery task per step, and against SQL that decides nothing."""

from collections.abc import Set

from bench.database import connect
from bench.engine.by_hand import ByHand
from bench.engine.journey import T0, make_journey
from bench.engine.ours import Ours
from bench.engine.people import make_people
from bench.engine.per_step import PerStep
from bench.measure import Result, Size, take_turns
from customers.sql import ensure_partitions

UNIT = "transitions/s"
RUNS = 100_000
PER_STEP_RUNS = 2_000


def measure(wanted: Set[str], size: Size) -> list[Result]:
    """`engine.transitions`, `engine.limit` or both; our side is run once for both."""
    runs = size.of(RUNS, at_least=1000)
    version = make_journey()
    ensure_partitions(T0)
    with connect() as connection:
        make_people(connection, runs)
        connection.execute("ANALYZE")
        connection.commit()
        engine = Ours(connection, runs)
        ours = engine.side()
        baselines = {}
        with PerStep(connection, version, size.of(PER_STEP_RUNS, at_least=100)) as per_step:
            if "engine.transitions" in wanted:
                per_step.start()
                baselines["engine.transitions"] = (per_step.side(), 100.0)
            if "engine.limit" in wanted:
                baselines["engine.limit"] = (ByHand(connection, version, runs).side(), 0.5)
            take_turns([ours, *(side for side, _target in baselines.values())], size.rounds)
        engine.close()
    return [Result(name, UNIT, ours, side, target) for name, (side, target) in baselines.items()]
