"""The walk: from an outcome through the steps to the next wait or the end, in memory, without a clock or a query.

The same function serves live runs and tests in virtual time; what it decides is collected in a `Walked`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from customers.rules import Facts, Leaf
from journeys.engine.itself import with_run
from journeys.engine.runs import RunState
from journeys.engine.variables import Kept, give
from journeys.models import Cause, Run
from journeys.steps.base import Go, Here, Lot, Outcome, Wait
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
    kept: list[Kept] = field(default_factory=list)

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
) -> None:
    """Follow `outcome` until the run waits or ends. `event` is (id, received at) of what caused the first move;
    `since` is when its time had come, if that was not just now."""
    version = run.version
    since = since or now
    for _move in range(MAX_MOVES):
        if isinstance(outcome, Go):
            _go(run, outcome, walked, event, since)
            event = None
            if version.exit_rules and version.steps[run.step].sends_message:
                asked = _with_run(facts, run, now, walked)
                exit_ = exit_by_rule(run, asked)
                if exit_ is not None:
                    walked.note(run, version.exit_traits, asked, version.told_at_exit)
                    leave(run, exit_, now, walked, None)
                    return
            outcome = _enter(run, facts, now, walked)
        elif isinstance(outcome, Wait):
            _park(run, outcome.until, now, walked)
            return
        else:
            _finish(run, Run.Status.COMPLETED, now, walked)
            return
    raise RuntimeError(f"version {version.id}: no wait in {MAX_MOVES} moves")


def arrive(run: RunState, facts: Facts, now: datetime, walked: Walked, event: tuple[int, datetime] | None) -> None:
    """Enter the journey at its first step and walk on."""
    walked.entered.append(run)
    run.seq = 1
    walked.moves.append(Moved(run, 1, None, 0, run.state, Cause.ENTERED, None, event))
    walk(run, _enter(run, facts, now, walked), facts, now, walked)


def _enter(run: RunState, facts: Facts, now: datetime, walked: Walked) -> Outcome:
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
    last = walked.moves[-1]
    return with_run(facts, run, now, last.cause, last.step_from)


def leave(run: RunState, exit_: EndState, now: datetime, walked: Walked, event: tuple[int, datetime] | None) -> None:
    """End the run by one of the journey's exits, wherever it stands."""
    _may_move(run, exit_.state)
    run.seq += 1
    walked.moves.append(Moved(run, run.seq, run.step, None, exit_.state, Cause.EXIT, None, event))
    run.state = exit_.state
    _finish(run, Run.Status.EXITED, now, walked)


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
    run.due_at = max(run.due_at or outcome.until, outcome.until)
    walked.touch(run)
    walked.parked.append(run)


def exit_by_rule(run: RunState, facts: Facts) -> EndState | None:
    return next((end for rule, end in run.version.exit_rules if rule.holds(facts)), None)


def _go(run: RunState, go: Go, walked: Walked, event: tuple[int, datetime] | None, since: datetime) -> None:
    version = run.version
    if go.lot:
        walked.drawn.append(Drawn(run, run.step, go.lot))
    if go.sends:
        said = run.variables or {} if run.step in version.says else None
        walked.sends.append(Send(run, run.step, run.seq, run.timed_out_step, since, said))
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
    run.due_at, run.stepped_at = until, now
    walked.touch(run)
    if run.version.meanings[run.step]:
        walked.parked.append(run)


def _finish(run: RunState, status: Run.Status, now: datetime, walked: Walked) -> None:
    run.status, run.due_at, run.ended_at = int(status), None, now
    walked.touch(run)
    walked.ended.append(run)
