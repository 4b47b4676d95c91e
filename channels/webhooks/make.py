"""Making one attempt: signed as of now, within the deadline; no database is touched."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings

from channels.web import CallError, Reply, Request, call
from channels.webhooks.secrets import signed

_HEADERS: Final = (("content-type", "application/json"), ("user-agent", "Trilha-Webhooks"))
# Nothing of a reply counts but its status; of the rest so much is read for the record.
MOST_BYTES: Final = 8_192


@dataclass(frozen=True, slots=True)
class Attempt:
    answer: Reply | CallError
    at: datetime
    milliseconds: int


def make(url: str, delivery: UUID, body: bytes, secrets: tuple[str, ...], clock: Callable[[], datetime]) -> Attempt:
    at, began = clock(), time.monotonic()
    headers = (*_HEADERS, *signed(secrets, delivery, body, at).items())
    answer: Reply | CallError
    try:
        deadline = began + settings.WEBHOOK_DEADLINE_SECONDS
        answer = call(Request("POST", url, headers, body), deadline, MOST_BYTES, only_head=True)
    except CallError as error:
        answer = error
    return Attempt(answer, at, int((time.monotonic() - began) * 1000))
