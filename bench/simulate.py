"""Replaying stored events through a version, against the pure step loop over the same events already in memory."""

import time
from collections.abc import Collection, Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection as django_connection
from psycopg import Connection

from bench.database import connect, durability, empty
from bench.journey import LOG_IN, SIGN_UP, T0, make_journey
from bench.measure import Result, Side, Size, take_turns
from bench.people import key, make_people
from consent.decision import Verdict
from consent.permission import Choice, Want
from customers.models import Customer
from customers.rules import Facts
from customers.sql import ensure_partitions
from journeys.compiling import awaited_names, version
from journeys.engine.arrivals import Arrival
from journeys.simulation.events import stored
from journeys.simulation.life import live
from journeys.simulation.past import Recorded
from journeys.simulation.run import simulate
from journeys.steps.base import ZONE
from journeys.version import Version

NAME: Final = "simulate.events"
WANTED: Final = 0.30
PEOPLE: Final = 20_000
UNTIL: Final = T0 + timedelta(days=30)

_NUMBERS = "generate_series(1, %(people)s) n"
# Somebody signs up, comes back four times, and one in ten closes the account.
_EVENTS = f"""
    WITH event AS (
        INSERT INTO customers_event
            (id, received_at, occurred_at, brand_id, source_id, profile_id, kind, name, message_id)
        SELECT nextval('customers_event_id_seq'), %(now)s + d.after, %(now)s + d.after, s.brand_id, s.id, {key(0)},
            'track', d.name, d.name || extract(epoch FROM d.after) || '-' || n
        FROM {_NUMBERS}, customers_source s, (VALUES
            ('{SIGN_UP}', interval '1 second'), ('{LOG_IN}', interval '2 hours'), ('{LOG_IN}', interval '30 hours'),
            ('{LOG_IN}', interval '4 days'), ('{LOG_IN}', interval '9 days'), ('account.closed', interval '3 hours')
        ) AS d(name, after)
        WHERE d.name <> 'account.closed' OR n %% 10 = 0
        RETURNING id, received_at, name
    )
    INSERT INTO customers_eventpayload (event_id, received_at, payload)
    SELECT id, received_at, jsonb_build_object('properties', jsonb_build_object(
        'plan', 'pro', 'referred', id %% 2 = 0, 'campaign', 'spring', 'page', '/sign-up', 'ref', id))
    FROM event
"""
_TRAITS = f"""
    INSERT INTO customers_trait (name, value, valid_from, recorded_at, event_id, profile_id)
    SELECT t.name, t.value, %(now)s, %(now)s, 0, {key(0)} FROM {_NUMBERS}, LATERAL (VALUES
        ('plan', to_jsonb(CASE n %% 3 WHEN 0 THEN 'pro' ELSE 'free' END)), ('country', to_jsonb('BR'::text)),
        ('seats', to_jsonb(n %% 20)), ('blocked', to_jsonb(false)), ('timezone', to_jsonb('America/Recife'::text))
    ) AS t(name, value)
"""
_CONSENT = f"""
    INSERT INTO consent_consententry (state, effective_at, occurred_at, recorded_at, method, message_id, language,
        legal_basis, jurisdiction, collector, withdrawal_path, position, previous, commitment, digest, address_id,
        brand_id, profile_id, source_id, purpose_id)
    SELECT 'given', %(now)s, %(now)s, %(now)s, 'event', 'bench-' || n, 'en', '', '', '', '', 1, sha256('0'),
        sha256('1'), sha256('2'), {key(2)}, s.brand_id, {key(0)}, s.id, p.id
    FROM {_NUMBERS}, customers_source s, consent_purpose p
"""


def measure(wanted: Set[str], size: Size) -> list[Result]:
    people = size.of(PEOPLE, at_least=200)
    of = version(make_journey().pk)
    ensure_partitions(T0)
    with ExitStack() as stack:
        connection = stack.enter_context(connect())
        _fill(connection, people)
        stack.callback(django_connection.close)
        django_connection.ensure_connection()
        lives = list(_stored(of))
        replayed = Replayed(of, lives)
        counted = sum(map(len, lives))
        held = durability(django_connection.connection)
        ours = Side("the simulator", replayed.from_the_database, counted, 2_000, 1, 1, held)
        bare = Side("the step loop in memory", replayed.in_memory, counted, counted, 1, 0, held)
        take_turns([ours, bare], size.rounds)
    return [Result(NAME, "events/s", ours, bare, WANTED)]


def _fill(connection: "Connection[Any]", people: int) -> None:
    empty(connection, "customers_event", "customers_eventpayload", "customers_trait", "consent_consententry")
    make_people(connection, people)
    for statement in (_EVENTS, _TRAITS, _CONSENT):
        connection.execute(statement.encode(), {"people": people, "now": T0})
    connection.execute("ANALYZE")


def _stored(of: Version) -> Any:
    return stored(of.brand_id, awaited_names(of.definition, of.steps), T0, UNTIL)


@dataclass(frozen=True, slots=True)
class InMemory:
    """What the recorded past tells, without asking anybody: what is left is the loop over the steps."""

    traits: Mapping[UUID, Mapping[str, Any]]

    def facts(self, customer: UUID, _at: datetime, properties: Mapping[str, Any]) -> Facts:
        return Facts(traits=self.traits[customer], properties=properties, extra={ZONE: "America/Recife"})

    def choices(self, _want: Want, _at: datetime) -> list[Choice]:
        return [Choice(None, None, Verdict(True, "", None))]

    def segments(self, _customer: UUID, _at: datetime) -> Collection[str]:
        return ()

    def held(self, _customer: UUID, _at: datetime) -> tuple[()]:
        return ()


class Replayed:
    def __init__(self, of: Version, lives: Sequence[Sequence[Arrival]]) -> None:
        self.of, self.lives = of, lives
        self.past = InMemory(dict(Customer.objects.values_list("pk", "traits")))
        self.entered = len(lives)

    def from_the_database(self) -> float:
        began = time.perf_counter()
        tally = simulate(self.of, _stored(self.of), Recorded("UTC"), UNTIL).tally
        seconds = time.perf_counter() - began
        self._check(tally.entered, sum(tally.blocked.values()))
        return tally.events / seconds

    def in_memory(self) -> float:
        began = time.perf_counter()
        entered = sum(len(live(self.of, events, self.past, UNTIL).runs) for events in self.lives)
        seconds = time.perf_counter() - began
        self._check(entered, 0)
        return sum(map(len, self.lives)) / seconds

    def _check(self, entered: int, blocked: int) -> None:
        if (entered, blocked) != (self.entered, 0):
            raise RuntimeError(f"{entered} of {self.entered} entered, {blocked} messages were blocked")
