"""A refusal: the one way in which acceptance says no, with a stable code and what to do."""

from dataclasses import dataclass, replace
from typing import Any

# The HTTP status of each code; whatever is not named here is a 422.
STATUS = {
    "bad_request": 400,
    "batch_too_large": 413,
    "browser_key_needed": 403,
    "customer_busy": 409,
    "duplicate_key": 400,
    "erased_subject": 410,
    "idempotency_in_flight": 409,
    "idempotency_key_too_long": 400,
    "incomplete_body": 400,
    "insufficient_scope": 403,
    "internal_error": 500,
    "invalid_cursor": 400,
    "invalid_encoding": 400,
    "invalid_filter": 400,
    "invalid_gzip": 400,
    "invalid_idempotency_key": 400,
    "invalid_json": 400,
    "invalid_signature": 401,
    "invalid_token": 401,
    "invalid_unicode": 400,
    "invalid_visitor_token": 401,
    "journey_not_live": 409,
    "json_too_deep": 400,
    "message_id_conflict": 409,
    "method_not_allowed": 405,
    "missing_filter": 400,
    "key_taken": 409,
    "not_a_list": 409,
    "not_enough": 409,
    "entitlement_ended": 409,
    "task_not_now": 409,
    "task_not_yours": 409,
    "broadcast_not_possible": 409,
    "not_found": 404,
    "not_ready": 503,
    "nul_character": 400,
    "number_not_finite": 400,
    "number_out_of_range": 400,
    "origin_not_allowed": 403,
    "overloaded": 503,
    "payload_too_large": 413,
    "rate_limited": 429,
    "run_ended": 409,
    "segment_archived": 409,
    "stale_version": 409,
    "too_many_elements": 400,
    "token_expired": 401,
    "too_many_secrets": 409,
    "unknown_customer": 404,
    "unknown_filter": 400,
    "unknown_source": 404,
    "unsupported_media_type": 415,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """`pointer` is a JSON pointer (RFC 6901) into what was sent, `parameter` names what stood in the query string
    instead; no text here quotes a value."""

    code: str
    message: str
    hint: str = ""
    pointer: str = ""
    parameter: str = ""

    @property
    def status(self) -> int:
        return STATUS.get(self.code, 422)

    def under(self, prefix: str) -> "Refusal":
        """The same refusal seen from the document that holds the refused item at `prefix`."""
        return replace(self, pointer=prefix + self.pointer)

    def as_error(self) -> dict[str, Any]:
        error = {"pointer": self.pointer, "code": self.code, "message": self.message, "hint": self.hint}
        return error | {"parameter": self.parameter} if self.parameter else error


def unstorable(sqlstate: str) -> Refusal:
    """What the database will not hold, however often it is sent."""
    return Refusal(
        "unstorable",
        f"The database cannot hold a value of this message (SQLSTATE {sqlstate}).",
        "Sending the same again will not help: change the value, or tell whoever runs this installation.",
    )


class Refused(Exception):
    """Carries a refusal up to whoever answers."""

    def __init__(self, code: str, message: str, hint: str = "", pointer: str = "") -> None:
        self.refusal = Refusal(code, message, hint, pointer)
        super().__init__(code)

    @classmethod
    def of(cls, refusal: Refusal) -> "Refused":
        return cls(refusal.code, refusal.message, refusal.hint, refusal.pointer)


class TooMuch(Refused):
    """Refused for now: the same may be sent again after `seconds`."""

    def __init__(self, seconds: int, code: str, message: str, hint: str) -> None:
        self.seconds = seconds
        super().__init__(code, message, hint)


def pointer(*path: str | int) -> str:
    """The path as a JSON pointer, short enough for the column that keeps it."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in parts)[:500]
