"""Minding one worker's batch: what its calls came to is counted, and the breaker learns of it as soon as it matters."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from channels.care import tally
from channels.care.breaker import after_error, after_success
from channels.care.state import Leave, give_back, learn
from channels.models import Connector
from channels.providers.base import DeliveryError


@dataclass(slots=True)
class Mind:
    connector: Connector
    clock: Callable[[], datetime]
    is_shaken: bool = False
    is_resting: bool = False
    begun: int = 0
    counts: tally.Tally = field(default_factory=tally.Tally)

    def took(self, seconds: float) -> None:
        """A call went well; where none is worth telling of, nothing is asked of the database."""
        self.begun += 1
        self.counts.add("taken", seconds)
        if self.is_shaken:
            learn(self.connector.pk, after_success, self.clock())
            self.is_shaken = False

    def failed(self, error: DeliveryError, seconds: float) -> None:
        self.begun += 1
        self.counts.add(_fate(error), seconds)
        now = self.clock()
        breaker = learn(self.connector.pk, lambda known: after_error(known, error, now), now)
        self.is_shaken = breaker.failures > 0 or breaker.rests > 0
        self.is_resting = breaker.is_open(now)


def _fate(error: DeliveryError) -> str:
    if error.accepted == "maybe":
        return "unknown"
    return "refused" if error.permanent else "troubled"


@contextmanager
def minding(connector: Connector, leave: Leave, clock: Callable[[], datetime]) -> Iterator[Mind]:
    mind = Mind(connector, clock, is_shaken=leave.is_shaken)
    try:
        yield mind
    finally:
        tally.keep(connector.pk, mind.counts, clock())
        give_back(connector, leave, mind.begun, clock())
