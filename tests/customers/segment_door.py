"""A client that speaks Segment's protocol to the door, and messages that are accepted as they stand."""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from django.test import Client

from customers.models import Source

# A day after the recorded requests.
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Door:
    """Posts to the door as the source whose key it holds."""

    source: Source
    key: str
    client: Client = field(default_factory=Client)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """The answer; `body` is written as JSON unless it is bytes already."""
        sent = body if isinstance(body, bytes) else orjson.dumps(body)
        basic = "Basic " + b64encode(f"{self.key}:".encode()).decode()
        return self.client.generic(
            "POST",
            path,
            sent,
            content_type=headers.pop("content_type", "application/json"),
            headers={"Authorization": basic, **headers},
        )

    def batch(self, *items: Any) -> Any:
        return self.post("/v1/batch", {"batch": items}).json()


def track(**changes: Any) -> dict[str, Any]:
    """A message that is accepted as it stands."""
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": "user-1",
        "messageId": "m-1",
        "timestamp": "2026-11-23T11:59:00Z",
        **changes,
    }


def identify(**changes: Any) -> dict[str, Any]:
    message = track(**{"type": "identify", "traits": {"email": "ana@example.com"}, **changes})
    del message["event"]
    return message
