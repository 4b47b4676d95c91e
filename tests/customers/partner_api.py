"""A partner at the API: a client that sends its token, and a token as wide as a test wants it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.test import Client

from customers import tokens
from customers.models import PartnerToken, Scope, Source

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EVERY_SCOPE = tuple(scope.value for scope in Scope)


def issue(*sources: Source, scopes: Sequence[str] = EVERY_SCOPE, **more: Any) -> tuple[PartnerToken, str]:
    named: dict[str, Any] = {
        "name": "Shop",
        "now": NOW,
        "expires_at": NOW + timedelta(days=90),
        "per_minute": 10_000,
    } | more
    return tokens.issue(brand_id=sources[0].brand_id, sources=sources, scopes=scopes, **named)


@dataclass
class Api:
    """Calls the API with a token in the header."""

    token: str
    client: Client = field(default_factory=Client)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query, headers=self._headers({}))

    def post(self, path: str, body: Any, **headers: str) -> Any:
        sent = body if isinstance(body, bytes) else orjson.dumps(body)
        return self.client.generic(
            "POST",
            f"/api/v1/{path}",
            sent,
            content_type=headers.pop("content_type", "application/json"),
            headers=self._headers(headers),
        )

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **headers}


def api(*sources: Source, **more: Any) -> Api:
    return Api(issue(*sources, **more)[1])


def code_of(answer: Any, status: int) -> str:
    """The code of a refusal, whose form is looked at by the way."""
    assert answer.status_code == status, (answer.status_code, answer.content)
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == {"type", "title", "status", "code", "detail", "errors", "request_id"}
    assert (problem["status"], problem["errors"][0]["code"]) == (status, problem["code"])
    assert all(error["hint"] for error in problem["errors"])
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return str(problem["code"])


def pointer_of(answer: Any) -> str:
    return str(answer.json()["errors"][0]["pointer"])


def event(**changes: Any) -> dict[str, Any]:
    """An event that is accepted as it stands."""
    return {
        "name": "Order Completed",
        "id": "m-1",
        "occurred_at": "2026-11-23T11:59:00Z",
        "identifiers": {"user_id": "user-1"},
        **changes,
    }
