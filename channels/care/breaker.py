"""The breaker: a connector whose provider is in trouble rests, and is then tried by one message.

Pure; the rows are `channels.care.state`'s. Trouble that says something of one message alone is none of its business.
"""

import random
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from channels.models.care import ConnectorState
from channels.providers.base import Blame, DeliveryError

Rest = ConnectorState.Rest

# So many failures in a row are the provider's, not the messages'.
FAILURES: Final = 5
FIRST_REST: Final = timedelta(seconds=15)
# Not longer: a provider that is well again is to be found out within a minute, whatever its trouble was.
LAST_REST: Final = timedelta(seconds=45)
# Who we are does not change by waiting; it is looked at again all the same, as somebody may have mended it there.
SETTINGS_REST: Final = timedelta(minutes=5)

# Servers like to quote whom they were asked to write to.
_ADDRESSES: Final = re.compile(r"\S*@\S+|\+\d[\d\s().-]{6,}\d|\b\d{8,}\b")

# Jitter is no secret, but a process that forks must not share its sequence.
_jitter = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Breaker:
    failures: int = 0
    rests: int = 0
    rests_until: datetime | None = None
    rest: str = ""
    detail: str = ""

    def is_open(self, now: datetime) -> bool:
        return self.rests_until is not None and self.rests_until > now

    def is_probing(self, now: datetime) -> bool:
        """It has rested, and nothing has been taken since."""
        return self.rests > 0 and not self.is_open(now)


def after_success(breaker: Breaker) -> Breaker:
    return breaker if breaker == Breaker() else Breaker()


def after_error(breaker: Breaker, error: DeliveryError, now: datetime) -> Breaker:
    """Where the provider wished for a pause it has it, for the whole connector; log-in trouble rests it at once."""
    if error.blame is Blame.MESSAGE:
        # The provider works: it said something about a message.
        return breaker if error.accepted == "maybe" else after_success(breaker)
    detail = _ADDRESSES.sub("…", error.detail)[:300]
    if error.blame is Blame.SETTINGS:
        return Breaker(breaker.failures, breaker.rests + 1, now + SETTINGS_REST, Rest.SETTINGS, detail)
    if error.retry_after is not None:
        until = now + timedelta(seconds=error.retry_after)
        if breaker.rests_until is not None and breaker.rests_until >= until:
            return breaker
        return replace(breaker, rests_until=until, rest=Rest.ASKED, detail=detail)
    failures = breaker.failures + 1
    if failures < FAILURES and not breaker.is_probing(now):
        return replace(breaker, failures=failures)
    rests = breaker.rests + 1
    return Breaker(failures, rests, now + _rest(rests), Rest.TROUBLE, detail)


def _rest(rests: int) -> timedelta:
    """Doubles with every rest in a row; between half of it and all of it, so that hosts do not come back together."""
    longest: timedelta = min(LAST_REST, FIRST_REST * int(2 ** min(rests - 1, 10)))
    return longest * _jitter.uniform(0.5, 1.0)
