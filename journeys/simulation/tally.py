"""What a simulation counts: entries, ways, messages, times, and some paths to look at."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from consent.permission import Choice
from journeys.engine.runs import RunState
from journeys.engine.walk import Moved, Send
from journeys.models import EXITS, Cause, Run
from journeys.outcomes import of_exit, of_step
from journeys.simulation.life import Life
from journeys.simulation.pacing import Fate
from journeys.version import Version

_PATHS: Final = 10
_NUMBERS: Final = ("customers", "events", "entered")
_COUNTERS: Final = ("refused", "ended", "came", "ways", "sent", "variants", "blocked", "held")
# Enough for a median that is told in whole units.
_STAYS: Final = 10_000


@dataclass(slots=True)
class Tally:
    """Counts of runs and messages by what the version calls them; `stays` are seconds in each state."""

    version: Version
    customers: int = 0
    events: int = 0
    entered: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    # By (goal or exit, state, outcome).
    exits: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)
    ways: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Of the sent ones, by (step, variant).
    variants: Counter[tuple[str, str]] = field(default_factory=Counter)
    blocked: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Sent later than asked for, by (step, reason), and by how many seconds at each of these.
    held: Counter[tuple[str, str]] = field(default_factory=Counter)
    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    stays: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    paths: list[list[dict[str, Any]]] = field(default_factory=list)

    def add(self, life: Life) -> None:
        self.entered += len(life.runs)
        self.refused.update(refused.reason.value for _at, refused in life.refused)
        for run in life.runs:
            self.ended[Run.Status(run.status).name.lower(), self._state(run.state)] += 1
        moves: dict[int, list[tuple[datetime, Moved]]] = defaultdict(list)
        for at, moved in life.moves:
            moves[id(moved.run)].append((at, moved))
            self._move(moved)
        for run in life.runs:
            own = moves[id(run)]
            self._stay(run, own)
            if len(self.paths) < _PATHS:
                self.paths.append([self._told(at, moved) for at, moved in own])

    def message(self, at: datetime, send: Send, choices: Sequence[Choice], fates: Sequence[Fate]) -> None:
        """What would have become of a message that was asked for then: its fate at each address that was permitted, or
        the reason why to none."""
        made = self.version.steps[send.step]
        step, channel = made.id, self.version.sendings[send.step].channel
        for choice in choices:
            if not choice.verdict.allowed:
                self.blocked[step, choice.verdict.reason] += 1
        for fate in fates:
            if fate.goes is None:
                self.blocked[step, fate.reason] += 1
                continue
            self.sent[channel, step] += 1
            if send.variant is not None:
                self.variants[step, made.variant(send.variant)] += 1
            if fate.reason:
                self.held[step, fate.reason] += 1
                waits = self.waits[f"{step} {fate.reason}"]
                if len(waits) < _STAYS:
                    waits.append((fate.goes - at).total_seconds())

    def as_json(self) -> dict[str, Any]:
        return {
            "customers": self.customers,
            "events": self.events,
            "entered": self.entered,
            "refused": dict(sorted(self.refused.items())),
            "runs": [
                {"status": status, "state": state, "runs": runs} for (status, state), runs in sorted(self.ended.items())
            ],
            "exits": [
                {"kind": kind, "state": state, "outcome": outcome, "runs": runs}
                for (kind, state, outcome), runs in sorted(self.exits.items())
            ],
            "steps": [{"step": step.id, "came": self.came[step.id]} for step in self.version.steps],
            "ways": [
                {"step": step, "way": way, "to": to, "runs": runs}
                for (step, way, to), runs in sorted(self.ways.items())
            ],
            "sent": [
                {"channel": channel, "step": step, "messages": count}
                for (channel, step), count in sorted(self.sent.items())
            ],
            "variants": [
                {"step": step, "variant": variant, "messages": count}
                for (step, variant), count in sorted(self.variants.items())
            ],
            "blocked": [
                {"step": step, "reason": reason, "messages": count}
                for (step, reason), count in sorted(self.blocked.items())
            ],
            "held": [
                {
                    "step": step,
                    "reason": reason,
                    "messages": count,
                    "median_seconds": median(self.waits[f"{step} {reason}"]),
                    "longest_seconds": max(self.waits[f"{step} {reason}"]),
                }
                for (step, reason), count in sorted(self.held.items())
            ],
            "time_in_state": [
                {"state": state, "median_seconds": median(stays), "longest_seconds": max(stays)}
                for state, stays in sorted(self.stays.items())
            ],
            "paths": self.paths,
        }

    def dump(self) -> dict[str, Any]:
        """As JSON can keep it between two slices of a job."""
        counted = {name: [[key, count] for key, count in getattr(self, name).items()] for name in _COUNTERS}
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return {**numbers, **counted, "stays": self.stays, "waits": self.waits, "paths": self.paths}

    @classmethod
    def load(cls, version: Version, dumped: Mapping[str, Any]) -> "Tally":
        tally = cls(version, **{name: dumped[name] for name in _NUMBERS}, paths=dumped["paths"])
        tally.stays.update(dumped["stays"])
        tally.waits.update(dumped.get("waits", {}))
        for name in _COUNTERS:
            counter = getattr(tally, name)
            for key, count in dumped.get(name, ()):
                counter[tuple(key) if isinstance(key, list) else key] = count
        return tally

    def _move(self, moved: Moved) -> None:
        to = "" if moved.step_to is None else self.version.steps[moved.step_to].id
        if to:
            self.came[to] += 1
        if moved.step_from is not None:
            way = Cause(moved.cause).name.lower()
            way = way if moved.branch is None else f"{way} {moved.branch + 1}"
            self.ways[self.version.steps[moved.step_from].id, way, to] += 1
        if moved.cause in EXITS:
            kind = Cause(moved.cause).name.lower()
            by_event = moved.event is not None
            outcome = of_exit(self.version.definition, moved.cause, moved.branch, is_by_event=by_event)
            outcome = outcome or of_step(self.version.steps[moved.run.step])
            self.exits[kind, self._state(moved.run.state), outcome] += 1

    def _stay(self, run: RunState, own: Sequence[tuple[datetime, Moved]]) -> None:
        ends = [*(at for at, _moved in own[1:]), run.ended_at]
        spent: dict[int, timedelta] = defaultdict(timedelta)
        for (at, moved), end in zip(own, ends, strict=True):
            if end is not None:
                spent[moved.state_to] += end - at
        if own and run.ended_at is None:
            # They are there still: how long they will have been is not known.
            spent.pop(own[-1][1].state_to, None)
        for state, span in spent.items():
            defined = self.version.definition.states[state]
            if defined.kind not in ("success", "failure") and len(self.stays[defined.name]) < _STAYS:
                self.stays[defined.name].append(span.total_seconds())

    def _told(self, at: datetime, moved: Moved) -> dict[str, Any]:
        to = "" if moved.step_to is None else self.version.steps[moved.step_to].id
        return {"at": at.isoformat(), "cause": Cause(moved.cause).name.lower(), "step": to}

    def _state(self, number: int) -> str:
        return self.version.definition.states[number].name
