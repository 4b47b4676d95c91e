"""Channels: the gate before a thousand sends against one bare statement that answers the same."""

from collections.abc import Set

from django.db import connection as django_connection

from bench.channels.gate import SENDS, Gate
from bench.database import connect, durability
from bench.journey import make_journey
from bench.measure import Peak, Result, Side, Size, take_turns
from bench.people import make_people

PEOPLE = 100_000
WANTED = 0.50


def measure(_wanted: Set[str], size: Size) -> list[Result | Peak]:
    make_journey()
    with connect() as connection:
        people = size.of(PEOPLE, at_least=2 * SENDS)
        make_people(connection, people)
        gate = Gate(connection, people)
        django_connection.ensure_connection()
        ours = Side("gate", gate.ask, people, SENDS, 1, 1, durability(django_connection.connection))
        bare = Side("one statement", gate.look_up, people, SENDS, 1, 1, durability(connection))
        take_turns([ours, bare], size.rounds)
    django_connection.close()
    return [Result("channels.gate", "sends/s", ours, bare, WANTED)]
