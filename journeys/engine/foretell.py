"""What would become of people if they were called in now: the decisions of entry, with nothing locked and nothing
written. What is said may be otherwise a moment later."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from journeys.compiling import version
from journeys.engine.arrivals import Arrival
from journeys.engine.asking import ask, of_entries
from journeys.engine.enroll import enter, open_gate, rule_not_met
from journeys.engine.entries import SAID_BESIDE, Entries
from journeys.engine.runs import RunState, live_of, people_of
from journeys.engine.write import Work
from journeys.entry.names import CALLED
from journeys.models import Journey
from journeys.version import Version


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody who is to be let in, and what is said of them."""

    profile_id: UUID
    customer_id: UUID
    properties: Mapping[str, Any] = field(default_factory=dict)


def open_version(journey_id: UUID) -> tuple[Version, Entries] | None:
    """The live version of a journey that lets people in, and what is said of it beside."""
    live = Journey.objects.filter(pk=journey_id, status=Journey.Status.LIVE).exclude(live_version=None)
    id_, *said = live.values_list("live_version_id", *SAID_BESIDE).first() or (None,)
    if id_ is None:
        return None
    entries = Entries()
    entries.add(version(id_), *said)
    return version(id_), entries


def foretell(
    cursor: Cursor[Any], candidate: Version, entries: Entries, wanted: Sequence[Wanted], now: datetime
) -> list[str]:
    """For each, the reason why they would be refused; nothing for those who would come in."""
    arrivals = [
        Arrival(
            0, 0, now, now, one.profile_id, candidate.brand_id, CALLED, str(n), one.customer_id, dict(one.properties)
        )
        for n, one in enumerate(wanted)
    ]  # fmt: skip
    runs: dict[UUID, list[RunState]] = defaultdict(list)
    for run in live_of(cursor, {one.customer_id for one in wanted}):
        runs[run.customer_id].append(run)
    return try_all(cursor, candidate, entries, arrivals, runs, now, Work())


def try_all(
    cursor: Cursor[Any],
    candidate: Version,
    entries: Entries,
    arrivals: Sequence[Arrival],
    runs: Mapping[UUID, list[RunState]],
    now: datetime,
    work: Work,
) -> list[str]:
    """Try to let each in, in their order; what comes of it is in `work`, the reasons are returned."""
    pairs = {(arrival.customer_id, candidate) for arrival in arrivals}
    people = ask(cursor, people_of(cursor, {customer for customer, _live in pairs}), of_entries(pairs), now)
    gate = open_gate(cursor, pairs, now, entries)
    work.choices.update(gate.choices)
    reasons = []
    for arrival in arrivals:
        before = len(work.refusals)
        rule = candidate.entry_rule
        if rule is not None and not rule.holds(people.facts(arrival.customer_id, candidate, arrival.properties)):
            work.refusals.append(rule_not_met(arrival, candidate))
        else:
            enter(arrival, [candidate], runs[arrival.customer_id], gate, people, now, work)
        reasons.append(str(work.refusals[before].reason.value) if len(work.refusals) > before else "")
    return reasons
