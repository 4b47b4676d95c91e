"""Channels: the gate before a thousand sends against one bare statement that answers the same, and letters sent
against smtplib."""

from collections.abc import Set
from typing import Any

from django.db import connection as django_connection
from psycopg import Connection

from bench.channels.enrol import Enrolment
from bench.channels.gate import SENDS, Gate
from bench.channels.letters import AT_ONCE, BATCH, LETTERS, Letters, server
from bench.database import Durability, connect, durability
from bench.journey import make_journey
from bench.measure import Peak, Result, Side, Size, take_turns
from bench.people import make_people
from channels.broadcasts.enrol import PIECE

PEOPLE = 100_000
MEMBERS = 1_000_000
WANTED = 0.50
ENROLLED = 0.40
MOST_MEGABYTES = 300


def measure(wanted: Set[str], size: Size) -> list[Result | Peak]:
    results: list[Result | Peak] = []
    make_journey()
    with connect() as connection:
        people = size.of(PEOPLE, at_least=2 * SENDS)
        make_people(connection, people)
        if "channels.gate" in wanted:
            results.append(_gate(connection, people, size))
        if "dispatch.smtp" in wanted:
            results.append(_letters(connection, size))
        if wanted & {"broadcast.enrol", "broadcast.memory"}:
            results += _enrolment(connection, size, wanted)
    django_connection.close()
    return results


def _gate(connection: "Connection[Any]", people: int, size: Size) -> Result:
    gate = Gate(connection, people)
    ours = Side("gate", gate.ask, people, SENDS, 1, 1, _own())
    bare = Side("one statement", gate.look_up, people, SENDS, 1, 1, durability(connection))
    take_turns([ours, bare], size.rounds)
    return Result("channels.gate", "sends/s", ours, bare, WANTED)


def _letters(connection: "Connection[Any]", size: Size) -> Result:
    with server() as port:
        letters = Letters(connection, port, size.of(LETTERS, at_least=200))
        ours = Side("sent", letters.ours, letters.rows, BATCH, 1, AT_ONCE, _own())
        bare = Side("smtplib alone", letters.bare, letters.rows, 1, 1, 0, durability(connection))
        take_turns([ours, bare], size.rounds)
    return Result("dispatch.smtp", "messages/s", ours, bare, WANTED)


def _enrolment(connection: "Connection[Any]", size: Size, wanted: Set[str]) -> list[Result | Peak]:
    results: list[Result | Peak] = []
    enrolment = Enrolment(connection, size.of(MEMBERS, at_least=2 * PIECE))
    if "broadcast.enrol" in wanted:
        ours = Side("in pieces", enrolment.in_pieces, enrolment.people, PIECE, 1, 1, _own())
        bare = Side("INSERT … SELECT", enrolment.bare, enrolment.people, enrolment.people, 1, 1, durability(connection))
        take_turns([ours, bare], size.rounds)
        results.append(Result("broadcast.enrol", "recipients/s", ours, bare, ENROLLED))
    if "broadcast.memory" in wanted:
        alone = Side("a process of its own", enrolment.megabytes, enrolment.people, PIECE, 1, 1, _own())
        alone.rates.append(alone.run())
        results.append(Peak("broadcast.memory", "MB", alone, MOST_MEGABYTES))
    return results


def _own() -> Durability:
    django_connection.ensure_connection()
    return durability(django_connection.connection)
