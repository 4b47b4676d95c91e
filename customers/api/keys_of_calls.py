"""The Idempotency-Key header, and what makes two calls under one key the same."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest

from customers.accept.refusal import Refused
from customers.kept_answers import MAX_KEY, Call, fingerprint


@dataclass(frozen=True, slots=True)
class KeyedCall:
    """A call as its head tells it; the body makes it whole."""

    token_id: UUID
    route: str
    key: str
    head: bytes

    def of(self, body: bytes) -> Call:
        return Call(self.token_id, self.route, self.key, fingerprint(self.head, body))


def call_of(request: HttpRequest, token_id: UUID) -> KeyedCall | None:
    """The call as named by its Idempotency-Key, if it has one. Keys mean something by token and route only."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if len(key) > MAX_KEY:
        raise Refused("idempotency_key_too_long", f"Longer than {MAX_KEY} characters.", "Send a UUID.")
    if not key or not key.isascii() or not key.isprintable():
        raise Refused("invalid_idempotency_key", "Not 1 or more printable ASCII characters.", "Send a UUID.")
    route = f"{request.method} {request.resolver_match.route if request.resolver_match else ''}"
    head = f"{request.method} {request.get_full_path()} {request.headers.get('Content-Encoding', '')}"
    return KeyedCall(token_id, route[:120], key, head.encode())
