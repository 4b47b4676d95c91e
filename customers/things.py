"""What comes by the doors and tells of a thing instead of a person, such as a product: by the type of message, whoever
keeps it. Such a message names nobody, is no event, and is taken in at once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from customers.accept.refusal import Refusal

# For each message of a brand, in order: why it is refused, or whether it changed anything. Without `writes` nothing is
# written, and the answer is what it would be.
Take = Callable[..., Sequence[Refusal | bool]]

_takers: Final[dict[str, Take]] = {}


def register(type_: str, take: Take) -> None:
    _takers[type_] = take


def is_thing(message: Mapping[str, Any]) -> bool:
    return message.get("type") in _takers


def take(
    brand_id: UUID, messages: Sequence[Mapping[str, Any]], now: datetime, *, writes: bool
) -> Sequence[Refusal | bool]:
    """All of one type, in the caller's transaction."""
    return _takers[messages[0]["type"]](brand_id, messages, now, writes=writes) if messages else []
