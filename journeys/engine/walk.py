"""The walk: from an outcome through the steps to the next wait or the end, in memory, without a clock or a query.

The same function serves live runs and tests in virtual time; what it decides is collected in a `Walked`.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from customers.rules import Facts, Leaf
from journeys.engine.itself import with_run
from journeys.engine.runs import RunState
from journeys.engine.variables import Kept, give
from journeys.models import Cause, Run
from journeys.request import Question
from journeys.steps.base import Fail, Go, Here, Lot, Outcome, Telling, Wait
from journeys.version import EndState, Meaning

if TYPE_CHECKING:
    from journeys.engine.arrivals import Arrival

# Publication refuses loops without a wait, so only an error of the program reaches this.
MAX_MOVES = 1000


@dataclass(slots=True)
class Moved:
    """One transition to be written."""

    run: RunState
    seq: int
    step_from: int | None
    step_to: int | None
    state_to: int
    cause: int
    branch: int | None
    event: tuple[int, datetime] | None
    # Of a move to another version, the one it left.
    version_from: int | None = None


@dataclass(slots=True)
class Send:
    """A message step left behind: who is to get what is settled when the walk is written."""

    run: RunState
    step: int
    visit: int
    timed_out_step: int | None
    # When its time had come: a run that comes late does not make its messages any younger.
    since: datetime
    # The run's variables as they are then, of a message that says them.
    variables: dict[str, Any] | None = None
    # Of the step's variants the one that was drawn, from 0.
    variant: int | None = None


@dataclass(slots=True)
class Told:
    """What a visit to a step says of the run's customer."""

    run: RunState
    step: int
    visit: int
    telling: Telling


@dataclass(slots=True)
class Seen:
    """The traits a rule looked at when it decided the run's move number `seq`, and what else; None of nothing else."""

    run: RunState
    seq: int
    traits: dict[str, Any]
    facts: dict[str, Any] | None


@dataclass(slots=True)
class Drawn:
    """A run for which an arm was drawn at a step."""

    run: RunState
    step: int
    lot: Lot


@dataclass(slots=True)
class Asked:
    """What a visit to a step asks another system."""

    run: RunState
    step: int
    visit: int
    question: Question


@dataclass(slots=True)
class Walked:
    """All that a stage decided, to be written by a few statements."""

    entered: list[RunState] = field(default_factory=list)
    changed: dict[int, RunState] = field(default_factory=dict)
    moves: list[Moved] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    parked: list[RunState] = field(default_factory=list)
    ended: list[RunState] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    # Whether the runs that were there before are locked, and whoever matches waits for them: then what came before they
    # come to a wait is committed, and can be looked for at once.
    holds_runs: bool = False

    def note(self, run: RunState, names: tuple[str, ...], facts: Facts, told: tuple[Leaf, ...] = ()) -> None:
        """Keep what the rule saw that decides the run's next move."""
        if names or told:
            traits = {name: facts.traits[name] for name in names if name in facts.traits}
            more = {name: value for leaf in told for name, value in leaf.seen(facts).items()} if told else None
            self.seen.append(Seen(run, run.seq + 1, traits, more))

    def touch(self, run: RunState) -> None:
        if run.id:
            self.changed[run.id] = run


def walk(
    run: RunState,
    outcome: Outcome,
    facts: Facts,
    now: datetime,
    walked: Walked,
    event: tuple[int, datetime] | None = None,
    since: datetime | None = None,
    ends: Run.Status = Run.Status.COMPLETED,
) -> None:
    """Follow `outcome` until the run waits or ends. `event` is (id, received at) of what caused the first move;
    `since` is when its time had come, if that was not just now; `ends` is how it ends, when it was ended before."""
    version = run.version
    since = since or now
    for _move in range(MAX_MOVES):
        if isinstance(outcome, Go):
            _go(run, outcome, walked, event, since)
            event = None
            if outcome.tells:
                # Found by whoever looks later, and by rules on this way now.
                facts = replace(facts, traits=outcome.tells.upon(facts.traits))
            if version.exit_rules and version.steps[run.step].sends_message and ends is Run.Status.COMPLETED:
                asked = _with_run(facts, run, now, walked)
                exit_ = exit_by_rule(run, asked)
                if exit_ is not None:
                    walked.note(run, version.exit_traits, asked, version.told_at_exit)
                    leave(run, exit_, facts, now, walked)
                    return
            outcome = enter_step(run, facts, now, walked)
        elif isinstance(outcome, Wait):
            if ends is not Run.Status.COMPLETED:
                raise RuntimeError(f"version {version.id}: a wait after the end at step {run.step}")
            if outcome.goes_on:
                wait_until(run, outcome.until)
                walked.touch(run)
                return
            _park(run, outcome.until, now, walked)
            ask_outside(run, outcome, walked)
            return
        elif isinstance(outcome, Fail):
            _fail(run, outcome.cause, now, walked)
            return
        else:
            _finish(run, ends, now, walked)
            return
    raise RuntimeError(f"version {version.id}: no wait in {MAX_MOVES} moves")


def arrive(run: RunState, facts: Facts, now: datetime, walked: Walked, event: tuple[int, datetime] | None) -> None:
    """Enter the journey at its first step and walk on."""
    walked.entered.append(run)
    run.seq = 1
    walked.moves.append(Moved(run, 1, None, 0, run.state, Cause.ENTERED, None, event))
    walk(run, enter_step(run, facts, now, walked), facts, now, walked)


def enter_step(run: RunState, facts: Facts, now: datetime, walked: Walked) -> Outcome:
    """Ask the step where the run has just come to, and keep what it saw if it decides the next move."""
    version, step = run.version, run.version.steps[run.step]
    facts = _with_run(facts, run, now, walked)
    outcome = step.enter(Here(facts, now, version.enter_rules[run.step], run))
    if isinstance(outcome, Go):
        if step.waits and outcome.to not in step.at_once():
            # What rules look at is read as far as the next wait and no further.
            raise RuntimeError(f"version {version.id}: no wait at step {run.step}")
        walked.note(run, version.traits_asked[run.step], facts, version.told_at[run.step])
    return outcome


def _with_run(facts: Facts, run: RunState, now: datetime, walked: Walked) -> Facts:
    if not (run.version.reads_variables or run.version.asks.run):
        return facts
    last = walked.moves[-1]
    return with_run(facts, run, now, last.cause, last.step_from)


def leave(
    run: RunState,
    exit_: EndState,
    facts: Facts,
    now: datetime,
    walked: Walked,
    event: tuple[int, datetime] | None = None,
    since: datetime | None = None,
) -> None:
    """End the run by one of the journey's exits or by its age, wherever it stands; a last step is walked at once."""
    last, version = exit_.last_step, run.version
    state = exit_.state if last is None else version.state_of[last]
    _may_move(run, state)
    run.seq += 1
    walked.moves.append(Moved(run, run.seq, run.step, last, state, exit_.cause, exit_.number, event))
    run.state = state
    status = Run.Status.EXPIRED if exit_.cause is Cause.EXPIRED else Run.Status.EXITED
    if last is None:
        _finish(run, status, now, walked)
        return
    # What a hold awaited in vain is not what makes the last message needless: it may be what ended the run.
    run.step, run.timed_out_step = last, None
    walk(run, enter_step(run, facts, now, walked), facts, now, walked, since=since, ends=status)


def run_out(run: RunState, facts: Facts, now: datetime, walked: Walked) -> None:
    """The run has been in the journey for as long as anybody may."""
    expiry = run.version.expiry
    if expiry is None:
        raise RuntimeError(f"version {run.version.id}: a run that ends at an age, in a journey without one")
    leave(run, expiry, facts, now, walked, since=run.ends_at)


def take(run: RunState, meaning: Meaning, arrival: "Arrival", facts: Facts, now: datetime, walked: Walked) -> None:
    """Time is up, and this is the best of what came."""
    if meaning.rule is not None:
        walked.note(run, meaning.rule.traits, facts)
    event = (arrival.event_id, arrival.received_at)
    give(run, meaning.number, arrival.properties, walked)
    walk(run, run.version.steps[run.step].resume(meaning.number), facts, now, walked, event, since=run.due_at)


def begin_anew(run: RunState, at: datetime, walked: Walked, event: tuple[int, datetime]) -> None:
    """Let the time of a waiting run begin anew at this moment; it never becomes shorter."""
    outcome = run.version.steps[run.step].enter(Here(Facts(), at, {}, run))
    if not isinstance(outcome, Wait):
        raise RuntimeError(f"version {run.version.id}: no wait at step {run.step}")
    run.seq += 1
    walked.moves.append(Moved(run, run.seq, run.step, run.step, run.state, Cause.RESET, None, event))
    wait_until(run, max(run.waits_until or run.due_at or outcome.until, outcome.until))
    walked.touch(run)
    walked.parked.append(run)


def exit_by_rule(run: RunState, facts: Facts) -> EndState | None:
    return next((end for rule, end in run.version.exit_rules if rule.holds(facts)), None)


def _go(run: RunState, go: Go, walked: Walked, event: tuple[int, datetime] | None, since: datetime) -> None:
    version = run.version
    if go.lot:
        walked.drawn.append(Drawn(run, run.step, go.lot))
    if go.tells:
        walked.told.append(Told(run, run.step, run.seq, go.tells))
    if go.sends:
        said = run.variables or {} if run.step in version.says else None
        walked.sends.append(Send(run, run.step, run.seq, run.timed_out_step, since, said, go.branch))
    if go.cause is Cause.TIMED_OUT:
        run.timed_out_step = run.step
    elif go.cause in (Cause.EVENT, Cause.BEST):
        run.timed_out_step = None
    to = version.index[go.to]
    state = version.state_of[to]
    _may_move(run, state)
    run.seq += 1
    walked.moves.append(Moved(run, run.seq, run.step, to, state, go.cause, go.branch, event))
    run.step, run.state = to, state


def _may_move(run: RunState, state: int) -> None:
    """Publication refuses ways that would break the machine's rules; a program that takes one must not go on."""
    if state != run.state and (run.state, state) not in run.version.legal:
        raise RuntimeError(f"version {run.version.id}: illegal transition at step {run.step}")


def _park(run: RunState, until: datetime, now: datetime, walked: Walked) -> None:
    run.stepped_at = now
    wait_until(run, until)
    walked.touch(run)
    if run.version.awaits_at(run.step):
        walked.parked.append(run)


def ask_outside(run: RunState, wait: Wait, walked: Walked) -> None:
    """Have another system asked what the run waits to know."""
    if wait.asks is not None:
        walked.asked.append(Asked(run, run.step, run.seq, wait.asks))


def wait_until(run: RunState, until: datetime) -> None:
    run.due_at = until
    if run.ends_at is not None:
        run.due_at, run.waits_until = min(until, run.ends_at), until


def _fail(run: RunState, cause: Cause, now: datetime, walked: Walked) -> None:
    run.seq += 1
    walked.moves.append(Moved(run, run.seq, run.step, None, run.state, cause, None, None))
    _finish(run, Run.Status.FAILED, now, walked)


def _finish(run: RunState, status: Run.Status, now: datetime, walked: Walked) -> None:
    run.status, run.due_at, run.ended_at = int(status), None, now
    walked.touch(run)
    walked.ended.append(run)
