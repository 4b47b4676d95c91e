"""One customer's events played through a version in virtual time, by the very functions that move live runs."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from channels.entitlements.leaf import Held
from consent.permission import Choice, Want
from customers.internal import TRAIT_CHANGED
from customers.rules import Facts
from journeys.engine import permitted
from journeys.engine.arrivals import Arrival, best_of, meaning_for
from journeys.engine.enroll import Gate, enter
from journeys.engine.limits import Limits
from journeys.engine.looks import leave_by_rule
from journeys.engine.runs import ACTIVE, Began, RunState
from journeys.engine.variables import give
from journeys.engine.walk import Asked, Moved, Send, Walked, begin_anew, leave, run_out, take, walk
from journeys.engine.write import Refused, Work
from journeys.entry.names import CALLED
from journeys.simulation.asking import with_answers
from journeys.simulation.entitled import Granted
from journeys.simulation.moment import Moment
from journeys.simulation.replies import NOTHING_SAID, Came, Replies, foresee
from journeys.steps.base import Here, Telling
from journeys.version import Version


class Past(Protocol):
    """What was known of a customer at a moment."""

    def facts(self, customer: UUID, at: datetime, properties: Mapping[str, Any]) -> Facts: ...

    def choices(self, want: Want, at: datetime) -> list[Choice]: ...

    def segments(self, customer: UUID, at: datetime) -> Collection[str]: ...

    def held(self, customer: UUID, at: datetime) -> Sequence[Held]: ...


@dataclass(slots=True)
class Life:
    """All that happened to one customer: runs, each with its moves and when they were made, and entries refused."""

    runs: list[RunState] = field(default_factory=list)
    moves: list[tuple[datetime, Moved]] = field(default_factory=list)
    sends: list[tuple[datetime, Send]] = field(default_factory=list)
    refused: list[tuple[datetime, Refused]] = field(default_factory=list)
    # What the journey would have said of the customer, in its order.
    tellings: list[Telling] = field(default_factory=list)


def live(
    version: Version,
    events: Sequence[Arrival],
    past: Past,
    until: datetime,
    closed: Collection[str] = (),
    replies: Replies = NOTHING_SAID,
) -> Life:
    """Play the events, in their order, and let time run on to `until`, that moment included. `closed` are journeys that
    take nobody who is sent to them; `replies` is what other systems say.

    At one moment an event comes before a timer: what is received at the very deadline is in time.
    """
    player = _Player(version, past, closed, replies)
    for arrival in events:
        player.pass_time(arrival.received_at, is_included=False)
        player.happen(arrival)
    player.pass_time(until, is_included=True)
    player.life.tellings = player.past.tellings
    return player.life


class _Player:
    def __init__(self, version: Version, past: Past, closed: Collection[str], replies: Replies) -> None:
        self.version, self.life, self.closed, self.replies = version, Life(), closed, replies
        # By run, what will have come of the call that it waits for.
        self.calls: dict[int, Came] = {}
        self.granted = Granted()
        self.kept: dict[str, Any] = {}
        self.past = Said(past)
        self.live: list[RunState] = []
        self.began: dict[int, Began] = {}
        self.variables: dict[int, Mapping[str, Any]] = {}
        self.came: list[Arrival] = []
        # (run, event) where the event moved the run.
        self.resumed: set[tuple[int, int]] = set()
        # By wait, how often its time began anew.
        self.resets: Counter[tuple[int, datetime]] = Counter()
        self.remembered: dict[tuple[UUID, UUID, str], datetime] = {}
        self.entered: dict[tuple[UUID, UUID], list[datetime]] = defaultdict(list)

    def pass_time(self, moment: datetime, *, is_included: bool) -> None:
        while self.live:
            run = min(self.live, key=lambda one: (one.due_at, one.entered_at))
            due = run.due_at
            if due is None or due > moment or (due == moment and not is_included):
                return
            self._time_out(run, due)
            self._look_back(run, due)

    def _time_out(self, run: RunState, due: datetime) -> None:
        step, facts, walked = self.version.steps[run.step], self._facts(run, due), Walked()
        best = best_of(run, self.began[id(run)], self._not_met(run), facts) if step.takes_the_best() else None
        if run.is_too_old:
            run_out(run, facts, due, walked)
        elif step.acts:
            came = self.calls.pop(id(run), None)
            moment = Moment(run, facts, due, walked, self.closed, self.granted, came, self.kept)
            outcome = step.suppose(moment)
            walk(run, outcome, self._facts(run, due), due, walked, since=due)
        elif best is None:
            here = Here(facts, due, self.version.enter_rules[run.step], run)
            walk(run, step.due(here), facts, due, walked, since=due)
        else:
            self.resumed.add((id(run), best[1].event_id))
            take(run, *best, facts, due, walked)
        self._keep(walked, due)
        for name in step.heard_as:
            self._hear(name, due)

    def happen(self, arrival: Arrival) -> None:
        now = arrival.received_at
        self.came.append(arrival)
        for run in list(self.live):
            if run.status == ACTIVE and self._meet(run, arrival, now):
                self._look_back(run, now)
        if arrival.name in (self.version.entry_event, CALLED) and self.version.lets_in_by(
            arrival.name, arrival.properties
        ):
            self._enter(arrival, now)

    def _meet(self, run: RunState, arrival: Arrival, now: datetime) -> bool:
        """Let the event do to the run what it means where the run stands; whether it meant anything."""
        traits = self.past.facts(run.customer_id, now, {}).traits if self.version.needs_person else {}
        meaning = meaning_for(run, self.began[id(run)], arrival, traits)
        is_exit = meaning is not None and meaning.kind == "exit"
        if not is_exit and arrival.name in self.version.looks and self._leaves(run, now):
            return True
        if meaning is None:
            return False
        if meaning.kind == "reset" and self.resets[id(run), run.stepped_at] >= meaning.number:
            return False
        self.resumed.add((id(run), arrival.event_id))
        walked, event = Walked(), (arrival.event_id, arrival.received_at)
        if meaning.kind == "exit":
            leave(run, self.version.exits[meaning.number][1], self._facts(run, now), now, walked, event)
        elif meaning.kind == "reset":
            self.resets[id(run), run.stepped_at] += 1
            begin_anew(run, arrival.place[0], walked, event)
        else:
            give(run, meaning.number, arrival.properties, walked)
            outcome = self.version.steps[run.step].resume(meaning.number)
            walk(run, outcome, self._facts(run, now), now, walked, event)
        self._keep(walked, now)
        return True

    def _leaves(self, run: RunState, now: datetime) -> bool:
        """Whether one of the exit rules holds, since something changed that they ask about."""
        walked, last = Walked(), next(moved for _at, moved in reversed(self.life.moves) if moved.run is run)
        exit_ = leave_by_rule(run, self._facts(run, now), now, walked, (int(last.cause), last.step_from))
        self._keep(walked, now)
        return exit_ is not None

    def _enter(self, arrival: Arrival, now: datetime) -> None:
        guarded = [Want(arrival.customer_id, *one) for one in self.version.entry_guard]
        choices = {want: self.past.choices(want, now) for want in guarded}
        gate = Gate(self.remembered, choices, limits=self._limits(arrival.customer_id, now))
        work = Work()
        runs = list(self.live)
        enter(arrival, [self.version], runs, gate, _Moment(self.past, now), now, work)
        self.life.refused += [(now, refused) for refused in work.refusals]
        for run in runs[len(self.live) :]:
            self.began[id(run)] = work.origins[id(run)].began
            self.variables[id(run)] = arrival.properties
            self.life.runs.append(run)
            self.live.append(run)
            self._keep(work, now)
            self._look_back(run, now)

    def _limits(self, customer: UUID, now: datetime) -> Limits:
        """Of other journeys nothing is known, so no brand's cap is asked."""
        excluded, key = self.version.excluded, self.version.definition.entry.exclude
        is_out = excluded is not None and key in self.past.segments(customer, now)
        return Limits({(customer, excluded)} if excluded and is_out else set(), self.entered)

    def _look_back(self, run: RunState, now: datetime) -> None:
        """A run that has come to a wait resumes by what happened since its entry, as a re-check has it."""
        while run.status == ACTIVE and self.version.awaits_at(run.step):
            if not any(self._meet(run, one, now) for one in self._not_met(run)):
                return

    def _not_met(self, run: RunState) -> Iterator[Arrival]:
        awaited = self.version.meanings[run.step].keys() | self.version.looks
        return (one for one in self.came if one.name in awaited and (id(run), one.event_id) not in self.resumed)

    def _facts(self, run: RunState, now: datetime) -> Facts:
        facts = self.past.facts(run.customer_id, now, self.variables[id(run)])
        if not self.version.asks:
            return facts
        own = [(at, send) for at, send in self.life.sends if send.run is run]
        return with_answers(facts, self.version, self.past, run.customer_id, now, own, self.granted.held(now))

    def _keep(self, walked: Walked, now: datetime) -> None:
        self.life.moves += [(now, moved) for moved in walked.moves]
        self.life.sends += [(now, send) for send in walked.sends]
        self.past.tellings += [one.telling for one in walked.told]
        for asked in walked.asked:
            self._ask(asked, now)
        self.live = [run for run in self.live if run.status == ACTIVE]
        if walked.told:
            self._hear(TRAIT_CHANGED, now)

    def _hear(self, name: str, now: datetime) -> None:
        """What the journey itself did is a change too, of which all the customer's runs hear."""
        if name in self.version.looks:
            for run in list(self.live):
                self._leaves(run, now)

    def _ask(self, asked: Asked, now: datetime) -> None:
        """A run is due once its call is over, if that is before its time is."""
        run = asked.run
        until = run.waits_until or run.due_at
        if run.due_at is None or until is None:
            return
        told = self.replies(run, self.version.steps[asked.step].id)
        self.calls[id(run)] = came = foresee(asked, told, now, until, lambda at: self._permits(run, at))
        run.due_at = min(run.due_at, came.at)

    def _permits(self, run: RunState, at: datetime) -> bool:
        wants = permitted.wants(run.customer_id, self.version)
        verdicts = [self.past.choices(want, at)[0].verdict for want in wants]
        return permitted.objection(self.version, verdicts) is None


@dataclass(slots=True)
class Said:
    """What was known of a customer, and upon it what the journey would have said itself by then."""

    past: Past
    tellings: list[Telling] = field(default_factory=list)

    def facts(self, customer: UUID, at: datetime, properties: Mapping[str, Any]) -> Facts:
        facts = self.past.facts(customer, at, properties)
        for telling in self.tellings:
            facts = replace(facts, traits=telling.upon(facts.traits))
        return facts

    def choices(self, want: Want, at: datetime) -> list[Choice]:
        return self.past.choices(want, at)

    def segments(self, customer: UUID, at: datetime) -> Collection[str]:
        return self.past.segments(customer, at)

    def held(self, customer: UUID, at: datetime) -> Sequence[Held]:
        return self.past.held(customer, at)


@dataclass(frozen=True, slots=True)
class _Moment:
    """What is known at a moment, as entry asks for it."""

    past: Past
    now: datetime

    def facts(self, customer: UUID, version: Version, properties: Mapping[str, Any]) -> Facts:
        facts = self.past.facts(customer, self.now, properties)
        return with_answers(facts, version, self.past, customer, self.now)
