"""Entry: may this event bring this customer in, and if so, the first walk."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from psycopg import Cursor

from consent.decision import Verdict
from consent.permission import Choice, Want, choose_addresses
from consent.privacy.restricting import restricted
from customers.rules import Facts
from journeys.engine import permitted
from journeys.engine.arrivals import Arrival
from journeys.engine.entries import Entries
from journeys.engine.itself import with_run
from journeys.engine.limits import Limits, read_limits
from journeys.engine.runs import ACTIVE, Began, RunState
from journeys.engine.variables import at_entry, keep_entry
from journeys.engine.walk import arrive
from journeys.engine.write import Origin, Refused, Work
from journeys.entry.names import CALLED
from journeys.models import Cause, EntryRefusal
from journeys.version import Version, key_of

Reason = EntryRefusal.Reason

# Never flattened, so never a reading of all that a journey remembers, whatever the planner believes.
_REMEMBERED = """
    SELECT u.journey_id, u.customer_id, m.entry_key, m.last_entered_at
    FROM unnest(%b::uuid[], %b::uuid[]) AS u(customer_id, journey_id),
    LATERAL (
        SELECT m.entry_key, m.last_entered_at FROM customers_profile p, LATERAL (
            SELECT m.entry_key, m.last_entered_at FROM journeys_entrymemory m
            WHERE m.journey_id = u.journey_id AND m.profile_id = p.id OFFSET 0
        ) m
        WHERE p.customer_id = u.customer_id OFFSET 0
    ) m
"""


@dataclass(slots=True)
class Gate:
    """What entry decides by, read for a whole batch: who entered before, who may be written to, and with whose data
    nothing may be done."""

    # By (journey, customer, entry key), when they came in last.
    remembered: dict[tuple[UUID, UUID, str], datetime] = field(default_factory=dict)
    choices: dict[Want, list[Choice]] = field(default_factory=dict)
    restricted: set[UUID] = field(default_factory=set)
    limits: Limits = field(default_factory=Limits)

    def refusal(self, candidate: Version, customer: UUID, key: str, now: datetime) -> tuple[Reason, int | None] | None:
        if customer in self.restricted:
            return Reason.RESTRICTED, None
        entry, last = candidate.definition.entry, self.remembered.get((candidate.journey_id, customer, key))
        if last is not None and entry.reentry == "never":
            return Reason.NOT_AGAIN, None
        if last is not None and entry.reentry_after and last + entry.reentry_after > now:
            return Reason.NOT_YET, None
        return self._no_permission(candidate, customer)

    def remember(self, run: RunState, now: datetime) -> None:
        self.remembered[run.journey_id, run.customer_id, run.entry_key] = now
        self.limits.remember(run, now)

    def _no_permission(self, candidate: Version, customer: UUID) -> tuple[Reason, int | None] | None:
        return permitted.refusal(candidate, self._verdicts(candidate, customer))

    def consent_entry(self, candidate: Version, customer: UUID) -> int | None:
        """The ledger entry that lets this customer in, kept with the run."""
        return permitted.granting(self._verdicts(candidate, customer))

    def _verdicts(self, candidate: Version, customer: UUID) -> list[Verdict]:
        return [self.choices[want][0].verdict for want in permitted.wants(customer, candidate)]


def open_gate(
    cursor: Cursor[Any],
    candidates: Collection[tuple[UUID, Version]],
    now: datetime,
    entries: Entries,
) -> Gate:
    """Read what is needed to judge these (customer, version) pairs: who asked to be left alone, who came in before, one
    bulk permission, and what else limits entry to a version. `entries` say what counts beside the versions."""
    gate = Gate(
        restricted=restricted(cursor, {customer for customer, _live in candidates}),
        limits=read_limits(cursor, candidates, entries, now),
    )
    once = [(customer, live) for customer, live in candidates if live.definition.entry.reentry != "always"]
    if once:
        rows = cursor.execute(
            _REMEMBERED,
            [[customer for customer, _live in once], [live.journey_id for _customer, live in once]],
        )
        for *place, last in rows.fetchall():
            key = (place[0], place[1], place[2])
            gate.remembered[key] = max(last, gate.remembered.get(key, last))
    wants = list({want for customer, live in candidates for want in permitted.wants(customer, live)})
    gate.choices.update(zip(wants, choose_addresses(wants, now), strict=True))
    return gate


class Known(Protocol):
    """Who says what rules may look at of a customer."""

    def facts(self, customer: UUID, version: Version, properties: Mapping[str, Any]) -> Facts: ...


def enter(
    arrival: Arrival,
    candidates: Iterable[Version],
    runs: list[RunState],
    gate: Gate,
    people: Known,
    now: datetime,
    work: Work,
) -> None:
    """Try every candidate version; `runs` are the customer's live runs and gain the new ones."""
    for candidate in candidates:
        facts = people.facts(arrival.customer_id, candidate, arrival.properties)
        if candidate.entry_rule is not None and not candidate.entry_rule.holds(facts):
            if arrival.name == CALLED:
                work.refusals.append(rule_not_met(arrival, candidate))
            continue
        judged = _judge(arrival, candidate, facts, runs, gate, now)
        if isinstance(judged, Refused):
            work.refusals.append(judged)
            continue
        _admit(arrival, judged, gate, facts, now, work)
        runs.append(judged)


def rule_not_met(arrival: Arrival, candidate: Version) -> Refused:
    """Of somebody who was to come in; an event that does not meet the rule is no entry event."""
    named = candidate.definition.entry.key
    key = key_of(arrival.properties, named) if named else ""
    return Refused(
        candidate.journey_id, candidate.id, arrival.profile_id, key or "", arrival.event_id, arrival.received_at,
        Reason.RULE_NOT_MET,
    )  # fmt: skip


def _judge(
    arrival: Arrival, candidate: Version, facts: Facts, runs: Iterable[RunState], gate: Gate, now: datetime
) -> RunState | Refused:
    """The run that is let in, or why there is none."""
    named = candidate.definition.entry.key
    key = "" if named is None else key_of(arrival.properties, named)
    refuse = partial(
        Refused, candidate.journey_id, candidate.id, arrival.profile_id, key or "", arrival.event_id,
        arrival.received_at,
    )  # fmt: skip
    if key is None:
        return refuse(Reason.KEY_MISSING)
    live = _live_run(runs, candidate.journey_id, key)
    if live is not None:
        return refuse(Reason.ALREADY_LIVE, live_run=live)
    refusal = gate.refusal(candidate, arrival.customer_id, key, now)
    if refusal is not None:
        return refuse(*refusal)
    run = _new_run(arrival, candidate, key, now)
    asked = with_run(facts, run, now, Cause.ENTERED, None)
    for number, (rule, _end) in enumerate(candidate.exit_rules):
        if rule.holds(asked):
            return refuse(Reason.EXIT_ALREADY_TRUE, exit_rule=number)
    # Asked last: whoever is refused by them would have come in otherwise.
    limit = gate.limits.refusal(candidate, arrival.customer_id, arrival.profile_id, runs, now)
    return run if limit is None else refuse(**asdict(limit))


def _live_run(runs: Iterable[RunState], journey_id: UUID, key: str) -> RunState | None:
    for run in runs:
        if run.status == ACTIVE and run.version.journey_id == journey_id and run.entry_key == key:
            return run
    return None


def _new_run(arrival: Arrival, entered: Version, key: str, now: datetime) -> RunState:
    limit = entered.definition.timeout
    return RunState(
        id=0, version=entered, customer_id=arrival.customer_id, profile_id=arrival.profile_id, entry_key=key,
        status=ACTIVE, step=0, state=entered.state_of[0], seq=0, timed_out_step=None, entered_at=now, stepped_at=now,
        due_at=None, ends_at=now + limit.after if limit else None, variables=at_entry(entered, arrival.properties),
    )  # fmt: skip


def _admit(arrival: Arrival, run: RunState, gate: Gate, facts: Facts, now: datetime, work: Work) -> None:
    work.origins[id(run)] = Origin(
        event_id=arrival.event_id,
        received_at=arrival.received_at,
        began=Began(*arrival.place, arrival.event_id),
        consent_entry_id=gate.consent_entry(run.version, arrival.customer_id),
        variables=arrival.properties,
    )
    gate.remember(run, now)
    if run.version.entry_rule is not None:
        work.note(run, run.version.entry_rule.traits, facts)
    keep_entry(run, work)
    arrive(run, facts, now, work, (arrival.event_id, arrival.received_at))
