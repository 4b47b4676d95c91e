"""The run itself among the facts: rules may ask what it is at the moment at which they are asked."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from customers.rules import Facts
from journeys.engine.runs import RunState
from journeys.models import Cause
from journeys.this_run import HOURS, LAST_OUTCOME, LAST_STEP, MESSAGES, SENT, STATE, THIS_RUN
from journeys.variables import VARIABLES

_HOUR: Final = timedelta(hours=1)


def with_run(facts: Facts, run: RunState, now: datetime, cause: int, step_from: int | None) -> Facts:
    """The facts with what the run is after its last move, by this cause and from that step, and with its variables; of
    a version whose rules ask nothing of it, the facts as they are."""
    version = run.version
    if version.reads_variables:
        facts = replace(facts, extra={**facts.extra, VARIABLES: run.variables or {}})
    if not version.asks.run:
        return facts
    itself = {
        STATE: version.definition.states[run.state].name,
        HOURS: (now - run.entered_at) / _HOUR,
        SENT: facts.extra.get(MESSAGES, 0),
        LAST_STEP: None if step_from is None else version.steps[step_from].id,
        LAST_OUTCOME: Cause(cause).name.lower(),
    }
    return replace(facts, extra={**facts.extra, THIS_RUN: itself})
