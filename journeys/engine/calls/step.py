"""What a step has that asks another system, as far as a call goes by it; those steps say so by `calls`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol, cast

from journeys.reply import Taken
from journeys.retry import Retrier
from journeys.steps.base import Go, Outcome, Step


class Calling(Protocol):
    method: str
    # At each attempt, and for all of them.
    time_out: timedelta
    within: timedelta
    reply: Sequence[Taken]
    retry: Sequence[Retrier]

    def replied(self) -> Go: ...

    def failed(self, error: str) -> Outcome: ...


def calling(step: Step) -> Calling:
    if not step.calls:
        raise TypeError(f"{type(step).__name__} asks no other system")
    return cast("Calling", step)
