"""What other systems reply in virtual time: nobody is asked, so somebody says, by case or by assumption.

The schedule of attempts is that of live runs. Where nothing is said, the other system is taken to have replied at once,
and to have told nothing: variables stay as they were.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from msgspec import UNSET, Struct, UnsetType

from channels.web import CallError, Reply
from journeys.engine.calls.settle import judge
from journeys.engine.calls.step import calling
from journeys.engine.runs import RunState
from journeys.engine.walk import Asked
from journeys.models import Call
from journeys.retry import Tried, and_then
from journeys.steps.base import drawn

_WHOLE: Final = 100


class Told(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What comes of one attempt, so long after it began: a reply with its status and JSON, or an error by name."""

    status: int = 200
    json: Any | UnsetType = UNSET
    error: str | None = None
    after: timedelta = timedelta(0)
    # For how many seconds the other system asks to be left alone.
    retry_after: int | None = None

    def answer(self) -> Reply | CallError:
        if self.error is not None:
            return CallError(self.error)  # type: ignore[arg-type]  # as the file names it
        body = b"" if self.json is UNSET else orjson.dumps(self.json)
        asked = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        return Reply(self.status, asked, body)


# Of a run at a step, what comes of its attempts in order; the last comes of all that follow. None: nothing is said.
Replies = Callable[[RunState, str], Sequence[Told]]


def by_step(told: Mapping[str, Sequence[Told]]) -> Replies:
    """The same for every run."""
    return lambda _run, step: told.get(step, ())


NOTHING_SAID: Final = by_step({})


def by_share(shares: Mapping[str, tuple[str, float]]) -> Replies:
    """Of so many percent of runs, drawn the same each time, all attempts at the step end in this error."""

    def replies(run: RunState, step: str) -> Sequence[Told]:
        if step not in shares:
            return ()
        error, percent = shares[step]
        lot = drawn(f"{run.journey_id}:{step}:{run.profile_id}:{run.entry_key}:{run.entered_at.timestamp()}", 10_000)
        return (Told(error=error),) if lot < percent * _WHOLE else ()

    return replies


@dataclass(frozen=True, slots=True)
class Came:
    """What has come of all attempts, and when; the error is empty where there was a reply."""

    at: datetime
    error: str = ""
    gave: Mapping[str, Any] = field(default_factory=dict)


def foresee(
    asked: Asked, told: Sequence[Told], now: datetime, until: datetime, permits: Callable[[datetime], bool]
) -> Came:
    """When and how it ends, by the schedule of the step's retries; `permits` is asked before every attempt."""
    if not permits(now):
        return Came(now, "not_permitted")
    if asked.question.target is None:
        told = (Told(error="bad_request"),)
    if not told:
        return Came(now)
    step = calling(asked.run.version.steps[asked.step])
    declared, tried, attempts = asked.run.version.definition.variables, list[Tried](), 0
    while now < until:
        if not permits(now):
            return Came(now, "not_permitted")
        began, one = now, told[min(attempts, len(told) - 1)]
        answer = one.answer() if one.after <= step.time_out else CallError("timeout")
        now += min(one.after, step.time_out)
        fraction = drawn(f"{asked.run.entered_at.timestamp()}:{asked.visit}:{attempts}", 2**32) / 2**32
        outcome = judge(step, declared, tried, answer, until, now, fraction)
        if outcome.state is Call.State.ANSWERED:
            return Came(now, gave=outcome.gave or {})
        if outcome.due_at is None:
            return Came(now, outcome.error)
        tried, attempts = and_then(tried, Tried(outcome.error, outcome.asked)), attempts + 1
        now = outcome.due_at
        if attempts >= len(told) and tried[-1].is_no_try and now > began:
            # Busy from now on: the same comes of all that follow, a million times perhaps. The last of them count.
            now += max((until - now) // (now - began) - 1, 0) * (now - began)
    return Came(until, "expired")
