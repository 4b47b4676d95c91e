"""What a journey would have granted in a simulation: nothing is written, and nothing from elsewhere is known."""

from dataclasses import dataclass, field
from datetime import datetime

from channels.entitlements.leaf import Held
from journeys.engine.entitling import Entitles
from journeys.models import Cause
from journeys.steps.base import Go


@dataclass(slots=True)
class _Granted:
    key: str
    quantity: int | None
    until: datetime | None
    is_revoked: bool = False

    def is_open(self, now: datetime) -> bool:
        return not self.is_revoked and (self.until is None or self.until > now)


@dataclass(slots=True)
class Granted:
    """Of one customer, by the steps of the journey that is played."""

    grants: list[_Granted] = field(default_factory=list)

    def held(self, now: datetime) -> list[Held]:
        """What is good now; nothing of it was used."""
        return [Held(one.key, one.quantity, one.until) for one in self.grants if one.is_open(now)]

    def answer(self, step: Entitles, now: datetime) -> Go:
        own = [one for one in self.grants if one.key == step.key]
        is_open = [one for one in own if one.is_open(now)]
        go = step.decided(len(is_open), sum(not one.is_revoked for one in own))
        if go.cause is Cause.GRANTED:
            until = None if step.good_for is None else now + step.good_for
            self.grants.append(_Granted(step.key, step.quantity, until))
        elif go.cause is Cause.REVOKED:
            for one in is_open:
                one.is_revoked = True
        return go
