"""Two or more ways to do the same, run in turns, so that a busy minute of the machine hits all of them."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.database import Durability
from config import memory


@dataclass(frozen=True, slots=True)
class Size:
    """How often, and how large against the sizes that are quoted."""

    rounds: int
    scale: float

    def of(self, rows: int, at_least: int = 1) -> int:
        return max(int(rows * self.scale), at_least)


@dataclass(slots=True)
class Side:
    """One way. `run` does it once and returns its rate; the rest says under which conditions it did."""

    label: str
    run: Callable[[], float]
    rows: int
    batch: int
    processes: int
    connections: int
    durability: Durability
    rates: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.rates)


@dataclass(frozen=True, slots=True)
class Result:
    """Ours ÷ the baseline; `wanted` is the ratio to reach, or with `at_most` the one not to pass."""

    name: str
    unit: str
    ours: Side
    baseline: Side
    wanted: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.ratio <= self.wanted if self.at_most else self.ratio >= self.wanted

    @property
    def ratio(self) -> float:
        return self.ours.median / self.baseline.median

    @property
    def ratios(self) -> list[float]:
        """Round by round."""
        return [ours / other for ours, other in zip(self.ours.rates, self.baseline.rates, strict=True)]


@dataclass(frozen=True, slots=True)
class Peak:
    """What must not pass `most`, by itself and beside nothing else."""

    name: str
    unit: str
    side: Side
    most: float

    @property
    def met(self) -> bool:
        return max(self.side.rates) <= self.most


def take_turns(sides: Sequence[Side], rounds: int) -> None:
    """Run every side `rounds` times; each round begins with another one.

    The process is set as those of workers are, for all sides alike.
    """
    memory.settle()
    for turn in range(rounds):
        first = turn % len(sides)
        for side in [*sides[first:], *sides[:first]]:
            side.rates.append(side.run())
            print(f"round {turn + 1} of {rounds}, {side.label}: {side.rates[-1]:,.0f}/s", file=sys.stderr, flush=True)
