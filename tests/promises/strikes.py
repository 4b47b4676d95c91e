"""Kills senders in the midst of their calls, and puts others to sleep for longer than a lease lasts.

Whoever wakes up believes that what it had in hand is still its own.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final

from channels.models import Message
from config.loop.killer import await_ready
from config.processes import Process
from tests.promises.stage import Stage

KILL: Final = "senders killed"
SLEEP: Final = "senders that slept longer than a lease"
# The stage's lease, and its sweep.
_SLEEP_SECONDS: Final = 8.0
_CALLS: Final = 6
_CALL_SECONDS: Final = 5.0


def _messages() -> int:
    return Message.objects.filter(state="dispatching").count()


class Strikes:
    """One blow at a time; whoever sleeps is woken when its time is over, and at the latest at the end. `in_hand` counts
    the calls that are just made."""

    def __init__(
        self,
        stage: Stage,
        senders: Sequence[Process],
        *,
        in_hand: Callable[[], int] = _messages,
        sleep_seconds: float = _SLEEP_SECONDS,
    ) -> None:
        self._stage, self._senders = stage, senders
        self._in_hand, self._sleep_seconds = in_hand, sleep_seconds
        self._asleep: dict[Process, float] = {}
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> "Strikes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._asleep:
            time.sleep(max(0.0, max(self._asleep.values()) - time.monotonic()))
        self._wake(all_of_them=True)

    def strike(self, what: str, give_work: Callable[[], None]) -> None:
        """Once somebody is up to be struck they are given work, and struck as soon as several are calling. One sender
        at least is always awake."""
        self._wake()
        while len(self._asleep) >= len(self._senders) - 1:
            time.sleep(0.1)
            self._wake()
        victim = self._stage.chance.choice([one for one in self._senders if one not in self._asleep])
        await_ready(victim)
        give_work()
        self._await_calls()
        time.sleep(self._stage.chance.uniform(0, 0.1))
        if what == SLEEP:
            os.kill(victim.pid, signal.SIGSTOP)
            self._asleep[victim] = time.monotonic() + self._sleep_seconds
        else:
            victim.kill()
            victim.start()
            self._stage.keeper.keep(victim.pid)
        self.counts[what] += 1

    def _await_calls(self) -> None:
        until = time.monotonic() + _CALL_SECONDS
        while self._in_hand() < _CALLS and time.monotonic() < until:
            time.sleep(0.01)

    def _wake(self, *, all_of_them: bool = False) -> None:
        for sender, until in list(self._asleep.items()):
            if all_of_them or time.monotonic() >= until:
                with suppress(ProcessLookupError):
                    os.kill(sender.pid, signal.SIGCONT)
                del self._asleep[sender]
