"""A provider that does as it is told and remembers when each call began."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from channels.providers.base import Accepted, DeliveryError, Outgoing, Provider
from customers.models.address import Channel


@dataclass(frozen=True, slots=True)
class Call:
    began: float
    outgoing: Outgoing


class RecorderSession:
    def prepare(self, deadline: float) -> None:
        """Always connected."""

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        Recorder.calls.append(Call(time.monotonic(), outgoing))
        time.sleep(Recorder.seconds)
        if Recorder.errors:
            raise Recorder.errors.pop(0)
        return Accepted(f"r-{outgoing.key}")


class Recorder(Provider):
    key = "recorder"
    label = "Recorder"
    channels: ClassVar = frozenset(Channel)
    calls: ClassVar[list[Call]] = []
    errors: ClassVar[list[DeliveryError | Exception]] = []
    seconds: ClassVar[float] = 0.0

    @classmethod
    def forget(cls) -> None:
        cls.calls.clear()
        cls.errors.clear()
        cls.seconds = 0.0

    @contextmanager
    def open(self) -> Iterator[RecorderSession]:
        yield RecorderSession()


class RepeatableRecorder(Recorder):
    key = "repeatable-recorder"
    label = "Repeatable recorder"
    takes_idempotency_key = True
