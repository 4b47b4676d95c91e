"""Handing over: journeys that send people to other journeys, which let them in by the very conditions of their entry.

Advance has the runs; whoever lets somebody in has the customer locked first, and so these steps hold the customer.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol, cast
from uuid import UUID

from psycopg import Cursor

from customers import bells
from customers.internal import MOST_HOPS, Cause, Internal, keep, reserve
from customers.rules import Facts
from journeys.compiling import version
from journeys.engine.arrivals import Arrival
from journeys.engine.asking import ask, of_entries
from journeys.engine.enroll import enter, open_gate, rule_not_met
from journeys.engine.entries import SAID_BESIDE, Entries
from journeys.engine.runs import ACTIVE, RunState, live_of, people_of
from journeys.engine.walk import Walked, walk
from journeys.engine.write import Work
from journeys.models import Journey
from journeys.steps.base import Go
from journeys.version import Version

HANDED_OVER: Final = "journey.handed_over"
reserve(HANDED_OVER)

_HOPS: Final = """
    SELECT c.run_id, e.hops FROM journeys_runcontext c
    JOIN customers_event e ON e.id = c.event_id AND e.received_at = c.event_received_at
    WHERE c.run_id = ANY(%b)
"""


class HandsOver(Protocol):
    """A step that sends people to another journey, as far as that is asked by it."""

    journey: str

    def said(self, properties: Mapping[str, Any]) -> dict[str, Any]: ...

    def answered(self, *, is_taken: bool) -> Go: ...


def hand_over(
    cursor: Cursor[Any], runs: Sequence[RunState], facts: Mapping[int, Facts], now: datetime, work: Work
) -> dict[int, tuple[Go, tuple[int, datetime]]]:
    """Ask the other journeys; by run, what it does now, and the event that it was handed over by. The customers of the
    runs are locked, so nobody else lets them in meanwhile; runs of theirs may end."""
    targets, entries = _targets(runs)
    hops: dict[int, int] = dict(cursor.execute(_HOPS, [[run.id for run in runs]]).fetchall())
    arrivals = _arrivals(cursor, runs, facts, hops, now)
    customers = {run.customer_id for run in runs}
    asked = {(run.customer_id, targets[run.id]) for run in runs if run.id in targets}
    people = ask(cursor, people_of(cursor, customers), of_entries(asked), now)
    live: dict[UUID, list[RunState]] = defaultdict(list)
    for one in live_of(cursor, customers):
        live[one.customer_id].append(one)
    gate = open_gate(cursor, asked, now, entries)
    work.choices.update(gate.choices)
    answers = {}
    for run, arrival in zip(runs, arrivals, strict=True):
        target, own = targets.get(run.id), live[run.customer_id]
        before = len(own)
        makes_room = run.version.brand_id in entries.at_once and _ends_with_it(run, facts[run.id], now)
        if makes_room:
            gate.limits.leaving.add(run.id)
        # Whoever has been sent on so often is sent in a circle.
        if target is not None and hops.get(run.id, 0) + 1 < MOST_HOPS:
            rule = target.entry_rule
            if rule is not None and not rule.holds(people.facts(run.customer_id, target, arrival.properties)):
                work.refusals.append(rule_not_met(arrival, target))
            else:
                enter(arrival, [target], own, gate, people, now, work)
        is_taken = len(own) > before
        if makes_room and not is_taken:
            gate.limits.leaving.discard(run.id)
        answers[run.id] = _step(run).answered(is_taken=is_taken), (arrival.event_id, now)
    bells.ring("engine")
    return answers


def _ends_with_it(run: RunState, facts: Facts, now: datetime) -> bool:
    """Whether the run ends in the very move by which the other journey takes its customer: they are in one journey
    after it as before, so it does not count where the brand limits in how many they may be."""
    trial = replace(run, variables=None if run.variables is None else dict(run.variables))
    walk(trial, _step(run).answered(is_taken=True), facts, now, Walked())
    return trial.status != ACTIVE


def _step(run: RunState) -> HandsOver:
    return cast("HandsOver", run.version.steps[run.step])


def _targets(sending: Collection[RunState]) -> tuple[dict[int, Version], Entries]:
    """By run, the live version of the journey it is to go to, none where that is not live; and what is said beside."""
    keys = {_step(run).journey for run in sending}
    live = Journey.objects.filter(
        brand__in={run.version.brand_id for run in sending}, key__in=keys, status=Journey.Status.LIVE
    ).exclude(live_version=None)
    entries, found = Entries(), dict[tuple[UUID, str], Version]()
    for brand, key, id_, *said in live.values_list("brand_id", "key", "live_version_id", *SAID_BESIDE):
        found[brand, key] = version(id_ or 0)
        entries.add(found[brand, key], *said)
    places = {run.id: (run.version.brand_id, _step(run).journey) for run in sending}
    return {run_id: found[place] for run_id, place in places.items() if place in found}, entries


def _arrivals(
    cursor: Cursor[Any], sending: Sequence[RunState], facts: Mapping[int, Facts], hops: Mapping[int, int], now: datetime
) -> list[Arrival]:
    """The event by which each is handed over: what the other run begins with."""
    told = [
        Internal(
            HANDED_OVER,
            run.profile_id,
            f"run-{run.id}-{run.seq}",
            _step(run).said(facts[run.id].properties),
            Cause(None, hops.get(run.id, 0)),
            run.version.brand_id,
        )
        for run in sending
    ]
    ids = keep(cursor, told, now)
    return [
        Arrival(
            0, id_, now, now, run.profile_id, run.version.brand_id, HANDED_OVER, one.key, run.customer_id,
            dict(one.properties),
        )
        for id_, one, run in zip(ids, told, sending, strict=True)
    ]  # fmt: skip
