"""Making one call: composed, sent and read, with neither a database nor a clock of its own but the deadline's."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from channels.providers.calls import CallService
from channels.web import CallError, Reply
from channels.web import call as ask
from journeys.engine.calls.claim import Claimed
from journeys.engine.calls.step import Calling

_KEYS: Final = uuid5(NAMESPACE_URL, "urn:trilha:call")


def idempotency_key(profile_id: UUID, run_id: int, visit: int, noted_at: datetime) -> UUID:
    """The same at every attempt of one visit, and for nothing else: runs have the same numbers in every database, in
    one that was restored too, but not the same people at the same moment."""
    return uuid5(_KEYS, f"{profile_id}:{run_id}:{visit}:{noted_at.astimezone(UTC).isoformat()}")


def make(call: Claimed, step: Calling, service: CallService, now: datetime) -> Reply:
    """Raises CallError where no whole reply came."""
    deadline = time.monotonic() + step.time_out.total_seconds()
    if call.target is None:
        raise CallError("bad_request")
    key = idempotency_key(call.profile_id, call.run_id, call.visit, call.noted_at)
    request = service.request(step.method, call.target, call.headers, call.body.encode(), key, now)
    return replace(service.read(ask(request, deadline)), secrets=service.secrets)
