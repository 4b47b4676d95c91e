"""What a service worker tells of a push: that it was shown, or tapped. Each push has a token of its own, which is in
its encrypted words alone; so it is told by who could read them."""

import hmac
from typing import Final
from uuid import UUID

import msgspec

from channels.push.points import written
from channels.receipts.told import BadSignature, Callback, Happened, Reading, ToldReceipt, Unreadable

_PURPOSE: Final = b"trilha: what became of a push"
_BYTES: Final = 16
# As of an item of the inbox: a notification that stands on a screen may lie in a pocket.
_HAPPENED: Final = {"shown": Happened.DELIVERED, "clicked": Happened.CLICKED}


class Said(msgspec.Struct, frozen=True):
    token: str
    happened: str


def token_of(private_key: str, message_id: UUID) -> str:
    key = hmac.digest(private_key.encode(), _PURPOSE, "sha256")
    return written(hmac.digest(key, message_id.bytes, "sha256")[:_BYTES])


def verify(private_key: str, callback: Callback) -> None:
    """Raises BadSignature, of a call that says nothing as well."""
    try:
        wanted = token_of(private_key, _message(callback))
        given = _said(callback).token
    except Unreadable:
        raise BadSignature from None
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise BadSignature


def told(callback: Callback) -> Reading:
    happened = _HAPPENED.get(_said(callback).happened)
    if happened is None:
        return Reading(is_known=False)
    return Reading((ToldReceipt(happened=happened, message_key=_message(callback)),))


def _said(callback: Callback) -> Said:
    try:
        return msgspec.json.decode(callback.body, type=Said)
    except (msgspec.DecodeError, RecursionError):
        raise Unreadable("not what a worker tells") from None


def _message(callback: Callback) -> UUID:
    try:
        return UUID(callback.asked().get("message", ""))
    except ValueError:
        raise Unreadable("no message") from None
