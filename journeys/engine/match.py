"""Match: what committed events mean to the runs of their customers, and whom they bring in.

Events of one customer are worked in the order of receipt, by one worker at a time (the customer's row is the
lock). An event that means nothing to anybody costs no lock.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.pg import ask_at_once, raw_cursor
from customers.rules import Facts
from customers.work import Queue, first_in_line, work_once
from journeys.engine.arrivals import Arrival, load_properties, meaning_for
from journeys.engine.asking import ask, of_any_step, of_entries
from journeys.engine.enroll import Gate, enter, open_gate
from journeys.engine.entries import Entries, live_entries
from journeys.engine.looking_back import resumed
from journeys.engine.looks import last_moves, leave_by_rule, of_this_run
from journeys.engine.on_their_way import FIRST, MOVING, moving_of, oldest_before
from journeys.engine.passing import take
from journeys.engine.runs import ACTIVE, Began, People, RunState, lock_live, people_of, variables_of
from journeys.engine.variables import give, read_variables
from journeys.engine.walk import begin_anew, leave, walk
from journeys.engine.write import Work, write
from journeys.models import Cause
from journeys.steps.base import TRAITS
from journeys.version import Meaning, Version

# When an event was received, and its id: the order in which a customer's events are worked.
Place = tuple[datetime, int]

_DONE = "DELETE FROM customers_match_queue WHERE id = ANY(%b)"
_LOCK_CUSTOMERS = "SELECT id FROM customers_customer WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE"
_HOMES = "SELECT id, customer_id FROM customers_profile WHERE customer_id = ANY(%b)"
# By customer, the oldest event whose consent is still queued, and the oldest that another worker holds or that failed
# and waits to be worked on alone: later events of the customer must wait for it. Later by receipt: an event of a
# batch whose worker died has a higher id than those that overtook it.
_CONSENT_PENDING = """
    SELECT p.customer_id, q.first, 0 FROM customers_profile p, LATERAL (
        SELECT min(q.received_at) AS first FROM consent_queue q WHERE q.profile_id = p.id OFFSET 0
    ) q
    WHERE p.customer_id = ANY(%b) AND q.first IS NOT NULL
"""
_OLDER = """
    SELECT p.customer_id, m.* FROM customers_profile p, LATERAL (
        SELECT m.received_at, m.event_id FROM customers_match_queue m
        WHERE m.profile_id = p.id AND NOT m.id = ANY(%b) ORDER BY m.received_at, m.event_id LIMIT 1
    ) m
    WHERE p.customer_id = ANY(%b)
"""
# Whose runs have come to a wait and still look back: what another worker let pass while it could not see them may end
# one, and an entry that came after would be refused for it.
_LOOKING_BACK = """
    SELECT DISTINCT u.id FROM unnest(%b::uuid[]) AS u(id), LATERAL (
        SELECT r.id FROM journeys_run r WHERE r.customer_id = u.id AND r.status = 1 OFFSET 0
    ) r
    WHERE EXISTS (SELECT 1 FROM journeys_recheck_queue q WHERE q.run_id = r.id)
"""
# How often the time of runs that wait where it can begin anew has done so since they came there.
_RESETS = """
    SELECT r.id, r.stepped_at, count(*) FROM journeys_run r JOIN journeys_transition t ON t.run_id = r.id
    WHERE r.id = ANY(%b) AND t.cause = %b AND t.at >= r.stepped_at GROUP BY r.id
"""


def match(ids: Sequence[int], now: datetime) -> int:
    """Match these queue items, those nobody else holds; return how many are done."""
    with raw_cursor() as cursor:
        entries = live_entries()
        concerned, passed = take(cursor, ids, entries)
        left = _left(cursor, concerned, entries)
        ready = [arrival for arrival in concerned if arrival.item_id not in left]
        if ready:
            work = Work(holds_runs=True)
            _work_rounds(cursor, ready, entries, now, work)
            write(cursor, work, now)
            cursor.execute(_DONE, [[arrival.item_id for arrival in ready]], prepare=True)
    return passed + len(ready)


def _left(cursor: Cursor[Any], arrivals: Sequence[Arrival], entries: Entries) -> set[int]:
    """Lock the customers; return the queue items that must wait for another pass."""
    if not arrivals:
        return set()
    customers = list({arrival.customer_id for arrival in arrivals})
    entering = list({one.customer_id for one in arrivals if entries.of(one.brand_id, one.name)})
    queues: tuple[tuple[str, list[Any]], ...] = (
        (_HOMES, [customers]), (MOVING, []), (_LOOKING_BACK, [entering]), (_CONSENT_PENDING, [customers]),
        (_OLDER, [[arrival.item_id for arrival in arrivals], customers]),
    )  # fmt: skip
    # Of the inbox mostly the first row says that nothing older is in it. It is read before all the queues that its
    # messages lead to, so that whoever leaves it meanwhile is seen in one of those; and where more of it must be read,
    # they are read anew.
    _locked, first, *found = ask_at_once(cursor, (_LOCK_CUSTOMERS, [customers]), (FIRST, []), *queues)
    newest, unresolved = max(arrival.event_id for arrival in arrivals), dict[UUID, int]()
    if first and first[0][1] < newest:
        unresolved = oldest_before(cursor, customers, newest)
        found = ask_at_once(cursor, *queues)
    homes, unsettled, *older = dict(found[0]), moving_of(found[1]) | {row[0] for row in found[2]}, *found[3:]
    barred = _oldest(chain(*older))
    left = set()
    for arrival in arrivals:
        customer = arrival.customer_id
        place = (arrival.received_at, arrival.event_id)
        moved = homes.get(arrival.profile_id) != customer or customer in unsettled
        behind = barred.get(customer, place) < place or unresolved.get(customer, arrival.event_id) < arrival.event_id
        if moved or behind:
            left.add(arrival.item_id)
    return left


def _oldest(rows: Iterable[Sequence[Any]]) -> dict[UUID, Place]:
    """By customer, the oldest event that must be worked before any later one and is not in this batch."""
    oldest: dict[UUID, Place] = {}
    for customer, *place in rows:
        first = (place[0], place[1])
        oldest[customer] = min(first, oldest.get(customer, first))
    return oldest


def _work_rounds(cursor: Cursor[Any], arrivals: Sequence[Arrival], entries: Entries, now: datetime, work: Work) -> None:
    by_customer: dict[UUID, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_customer[arrival.customer_id].append(arrival)
    live = lock_live(cursor, "customer_id", list(by_customer))
    table = Table(cursor, arrivals, live, entries, now)
    # Customers do not touch each other, so the n-th rounds of all of them may be worked customer by customer.
    work.choices.update(table.gate.choices)
    for customer, own in by_customer.items():
        for arrival in own:
            table.deal(arrival, customer, work)


class Table:
    """Everything a batch decides by, read beforehand: runs, traits, properties, permissions."""

    def __init__(
        self,
        cursor: Cursor[Any],
        arrivals: Sequence[Arrival],
        live: Iterable[tuple[RunState, Began]],
        entries: Entries,
        now: datetime,
    ) -> None:
        self.now = now
        self.entries = entries
        self.runs: dict[UUID, list[RunState]] = defaultdict(list)
        self.began: dict[int, Began] = {}
        self.entered_with: dict[int, dict[str, Any]] = {}
        for run, began in live:
            self.runs[run.customer_id].append(run)
            self.began[id(run)] = began
        versions = self._versions(arrivals)
        looking = [one for one in arrivals if self._looks_inside(one, versions.get(one.customer_id, ()))]
        load_properties(cursor, looking)
        self.entering = {arrival.event_id: self._candidates(arrival) for arrival in arrivals}
        candidates = {
            (arrival.customer_id, candidate) for arrival in arrivals for candidate in self.entering[arrival.event_id]
        }
        self.people = self._read_people(cursor, candidates)
        self.resumed = self._read_resumed(cursor, arrivals)
        self.resets = self._read_resets(cursor)
        self.variables = variables_of(
            cursor, [run.id for runs in self.runs.values() for run in runs if run.version.needs_variables]
        )
        read_variables(cursor, (run for runs in self.runs.values() for run in runs if run.version.reads_variables))
        self.last = last_moves(cursor, self._looking({arrival.name for arrival in arrivals}))
        self.gate = open_gate(cursor, candidates, now, entries) if candidates else Gate()

    def deal(self, arrival: Arrival, customer: UUID, work: Work) -> None:
        """One event of one customer: end or resume the live runs, then enter."""
        runs = self.runs[customer]
        for run in runs:
            if run.status == ACTIVE and id(run) in self.began and (run.id, arrival.event_id) not in self.resumed:
                self.play(run, arrival, work)
        candidates = self.entering[arrival.event_id]
        if candidates:
            before = len(runs)
            enter(arrival, candidates, runs, self.gate, self.people, self.now, work)
            for run in runs[before:]:
                self.began[id(run)] = work.origins[id(run)].began
                self.entered_with[id(run)] = arrival.properties

    def play(self, run: RunState, arrival: Arrival, work: Work) -> Meaning | None:
        """Let the event do to the run what it means where the run stands; return that meaning."""
        person = Facts(traits=self.people.traits_of(run.customer_id))
        meaning = meaning_for(run, self.began[id(run)], arrival, person.traits)
        # An exit that names the event comes before one by condition, and that before what goes on.
        if (meaning is None or meaning.kind != "exit") and (left := self._left_by_rule(run, arrival, work)):
            return left
        if meaning is None:
            return None
        event = (arrival.event_id, arrival.received_at)
        if meaning.kind == "reset" and self.resets[id(run), run.stepped_at] >= meaning.number:
            return None
        if meaning.rule is not None:
            work.note(run, meaning.rule.traits, person)
        if meaning.kind == "exit":
            leave(run, run.version.exits[meaning.number][1], self._facts(run), self.now, work, event)
            return meaning
        if meaning.kind == "reset":
            self.resets[id(run), run.stepped_at] += 1
            begin_anew(run, arrival.place[0], work, event)
            return meaning
        give(run, meaning.number, arrival.properties, work)
        walk(run, run.version.steps[run.step].resume(meaning.number), self._facts(run), self.now, work, event)
        return meaning

    def _left_by_rule(self, run: RunState, arrival: Arrival, work: Work) -> Meaning | None:
        """The end of a run whose exit rules ask about what has changed, where one of them holds."""
        version = run.version
        if not version.looks_after(arrival.brand_id, arrival.name) or run.had_ended_by(arrival.received_at):
            return None
        exit_ = leave_by_rule(run, self._facts(run), self.now, work, of_this_run(run, work, self.last))
        return None if exit_ is None else Meaning("exit", exit_.number or 0, None, None)

    def _facts(self, run: RunState) -> Facts:
        variables = self.variables[run.id] if run.id in self.variables else self.entered_with.get(id(run), {})
        return self.people.facts(run.customer_id, run.version, variables, run.id)

    def _looking(self, names: Collection[str]) -> Iterable[RunState]:
        """The runs whose exit rules one of these events has asked."""
        return (run for runs in self.runs.values() for run in runs if not run.version.looks.isdisjoint(names))

    def _candidates(self, arrival: Arrival) -> list[Version]:
        """The versions it may bring somebody into, once its properties are read."""
        awaiting = self.entries.of(arrival.brand_id, arrival.name)
        return [one for one in awaiting if one.lets_in_by(arrival.name, arrival.properties)]

    def _versions(self, arrivals: Iterable[Arrival]) -> dict[UUID, set[Version]]:
        """By customer, the versions of live runs, and of those that one of these events may begin: later ones are for
        them as well."""
        found: dict[UUID, set[Version]] = defaultdict(set)
        for customer, runs in self.runs.items():
            found[customer] = {run.version for run in runs}
        for arrival in arrivals:
            found[arrival.customer_id].update(self.entries.of(arrival.brand_id, arrival.name))
        return found

    def _looks_inside(self, arrival: Arrival, versions: Iterable[Version]) -> bool:
        return bool(self.entries.of(arrival.brand_id, arrival.name)) or any(
            meaning.looks_inside for version in versions for meaning in _everywhere(version, arrival.name)
        )

    def _read_people(self, cursor: Cursor[Any], candidates: Collection[tuple[UUID, Version]]) -> People:
        needing = {customer for customer, candidate in candidates if _needs_person(candidate)}
        needing |= {customer for customer, runs in self.runs.items() if any(run.version.needs_person for run in runs)}
        own = (run for runs in self.runs.values() for run in runs)
        return ask(cursor, people_of(cursor, needing), chain(of_any_step(own), of_entries(candidates)), self.now)

    def _read_resumed(self, cursor: Cursor[Any], arrivals: Sequence[Arrival]) -> set[tuple[int, int]]:
        """(run, event) pairs in which the event has already moved the run, found by looking back before."""
        runs = [run.id for runs in self.runs.values() for run in runs]
        return resumed(cursor, runs, [one.event_id for one in arrivals])

    def _read_resets(self, cursor: Cursor[Any]) -> Counter[tuple[int, datetime]]:
        waiting = {run.id: run for runs in self.runs.values() for run in runs if run.version.steps[run.step].resets()}
        if not waiting:
            return Counter()
        rows = cursor.execute(_RESETS, [list(waiting), int(Cause.RESET)]).fetchall()
        return Counter({(id(waiting[id_]), stepped_at): count for id_, stepped_at, count in rows})


def _needs_person(candidate: Version) -> bool:
    rule = candidate.entry_rule
    return candidate.needs_person or (rule is not None and TRAITS in rule.inputs)


def _everywhere(version: Version, name: str) -> Iterable[Meaning]:
    return (meaning for at_step in version.meanings for meaning in at_step.get(name, ()))


QUEUE = Queue(
    name="match",
    table="customers_match_queue",
    pick=first_in_line("match", "customers_match_queue"),
    work=match,
)


def match_events(now: datetime, limit: int = 1000) -> int:
    return work_once(QUEUE, now, limit)
