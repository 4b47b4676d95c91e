"""Segments: one built over everybody, and one kept up in those whom a batch has changed, each against SQL by hand."""

from collections.abc import Set

from django.db import connection as django_connection

from bench.database import connect, durability
from bench.measure import Result, Side, Size, take_turns
from bench.segments.dirty import BATCH, Dirty
from bench.segments.million import Million
from bench.segments.world import World
from customers import work

CUSTOMERS = 1_000_000
EVENTS = 5_000_000
CHANGED = 10_000
WANTED = {"segment.million": 0.80, "segment.dirty": 0.70}


def measure(wanted: Set[str], size: Size) -> list[Result]:
    results: list[Result] = []
    with connect() as connection:
        world = World(connection, size.of(CUSTOMERS, at_least=2_000), size.of(EVENTS, at_least=10_000))
        django_connection.ensure_connection()
        if "segment.million" in wanted:
            million = Million(world)
            # One connection for the work; the job's own rows are written on it as well.
            ours = Side(
                "the job that builds it", million.by_job, world.customers, world.customers, 1, 1,
                durability(django_connection.connection),
            )  # fmt: skip
            by_hand = Side(
                "SQL by hand", million.by_hand, world.customers, world.customers, 1, 1, durability(connection)
            )
            take_turns([ours, by_hand], size.rounds)
            results.append(Result("segment.million", "customers/s", ours, by_hand, WANTED["segment.million"]))
        if "segment.dirty" in wanted:
            dirty = Dirty(world, min(CHANGED, world.customers // 2))
            ours = Side(
                "through the stage", dirty.by_stage, dirty.changed, BATCH, 1,
                2,  # one for the work, one for the notes of who works on what
                durability(django_connection.connection),
            )  # fmt: skip
            by_hand = Side("SQL by hand", dirty.by_hand, dirty.changed, BATCH, 1, 1, durability(connection))
            take_turns([ours, by_hand], size.rounds)
            results.append(Result("segment.dirty", "customers/s", ours, by_hand, WANTED["segment.dirty"]))
        work.close()
    django_connection.close()
    return results
