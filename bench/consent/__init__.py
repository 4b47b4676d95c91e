"""Consent: permission in bulk against the bare look-ups it cannot do without, and opting out while others send."""

from collections.abc import Set

from django.db import connection as django_connection

from bench.consent.check import ASKS, Check
from bench.consent.opt_out import SENDERS, OptOuts
from bench.database import connect, durability
from bench.journey import make_journey
from bench.measure import Peak, Result, Side, Size, take_turns
from bench.people import make_people

PEOPLE = 100_000
WANTED = 0.50
MOST_MS = 250


def measure(wanted: Set[str], size: Size) -> list[Result | Peak]:
    results: list[Result | Peak] = []
    make_journey()
    with connect() as connection:
        people = size.of(PEOPLE, at_least=2 * ASKS)
        make_people(connection, people)
        if "consent.check" in wanted:
            check = Check(connection, people)
            django_connection.ensure_connection()
            ours = Side(
                "permissions", check.permissions, people, ASKS, 1, 1, durability(django_connection.connection)
            )  # fmt: skip
            bare = Side("the two look-ups", check.look_ups, people, ASKS, 1, 1, durability(connection))
            take_turns([ours, bare], size.rounds)
            results.append(Result("consent.check", "permissions/s", ours, bare, WANTED))
        if "consent.opt_out" in wanted:
            with OptOuts(connection, people, size) as opt_outs:
                # The web worker has a connection a thread, so has the worker that sends.
                side = Side(
                    "one-click, 99 of 100 within", opt_outs.slowest, opt_outs.each, 1, 2, SENDERS + 4,
                    durability(connection),
                )  # fmt: skip
                take_turns([side], size.rounds)
            results.append(Peak("consent.opt_out", "ms", side, MOST_MS))
    django_connection.close()
    return results
