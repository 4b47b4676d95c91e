"""What another system is that journeys ask: it makes the call of what a step says, and knows its own way to say no."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from channels.models.connector import CALLS
from channels.providers.base import Service
from channels.web import Reply, Request


class CallService(Service, ABC):
    channels: ClassVar = frozenset({CALLS})

    @property
    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """What a reply may repeat and nobody is to read there."""

    @abstractmethod
    def request(
        self, method: str, target: str, headers: dict[str, str], body: bytes, key: UUID, now: datetime
    ) -> Request:
        """The call as it goes out; `key` is the same at every attempt of one visit, so that the other side may know a
        call that comes again."""

    def read(self, reply: Reply) -> Reply:
        """The reply with the status it amounts to, for systems that say no by other means."""
        return reply


def as_written(secrets: Iterable[str]) -> tuple[str, ...]:
    """Secrets also as JSON writes them. The longest come first, as one may be part of another."""
    written = [shape for one in secrets for shape in (one, json.dumps(one)[1:-1], one.replace("/", "\\/"))]
    return tuple(sorted(set(written), key=lambda one: (-len(one), one)))
