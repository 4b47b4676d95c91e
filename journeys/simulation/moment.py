"""What a step has that acts in virtual time: where its run stands, and what would be there to act upon."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from customers.rules import Facts
from journeys.engine.calls.answers import take_reply
from journeys.engine.runs import RunState
from journeys.engine.walk import Walked
from journeys.simulation.entitled import Granted
from journeys.simulation.replies import Came


@dataclass(frozen=True, slots=True)
class Moment:
    run: RunState
    facts: Facts
    now: datetime
    walked: Walked
    # Journeys that take nobody who is sent to them.
    closed: Collection[str]
    # What the journey would have granted the customer until now.
    granted: Granted
    # What will have come of the call that the run waits for, if it waits for one.
    came: Came | None
    # What steps keep of this customer for themselves, by whatever names they like.
    kept: dict[str, Any]

    def take_reply(self, gave: Mapping[str, Any]) -> None:
        take_reply(self.run, gave, self.walked)
