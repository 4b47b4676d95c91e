"""`scale.flat`: the engine with ten times the runs, and how large a process that works at a million of them gets."""

import resource
from collections.abc import Set
from typing import Final

from bench.database import connect
from bench.engine.ours import Ours
from bench.journey import T0, make_journey
from bench.measure import Peak, Result, Side, Size, take_turns
from bench.people import make_people
from customers.sql import ensure_partitions

WANTED: Final = 0.75
MANY, FEW = 1_000_000, 100_000
MOST_MEGABYTES: Final = 400


def measure(wanted: Set[str], size: Size) -> list[Result | Peak]:
    make_journey()
    ensure_partitions(T0)
    with connect() as connection:
        many, few = size.of(MANY, at_least=10_000), size.of(FEW, at_least=1_000)
        make_people(connection, many)
        with Ours(connection, many) as at_many, Ours(connection, few) as at_few:
            sides = [at_many.side(), at_few.side()]
            take_turns(sides, size.rounds)
        memory = Side("the process", lambda: 0.0, many, sides[0].batch, 1, sides[0].connections, sides[0].durability)
        memory.rates.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    results: list[Result | Peak] = [Result("scale.flat", "transitions/s", sides[0], sides[1], WANTED)]
    results.append(Peak("scale.memory", "MB", memory, MOST_MEGABYTES))
    return [one for one in results if one.name in wanted]
