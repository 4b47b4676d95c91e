"""What the services call us back with, by anymail's own views: who calls, and what it says in the words of ours."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from anymail.exceptions import AnymailConfigurationError, AnymailError
from anymail.signals import AnymailInboundEvent, AnymailTrackingEvent, EventType, RejectReason
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest

from channels.providers.esp.services import Esp
from channels.receipts.told import (
    BadSignature,
    Callback,
    Happened,
    Reading,
    Told,
    ToldReceipt,
    ToldReply,
    Unreadable,
    key_of,
)
from channels.tracking.visitors import machine
from customers.models.address import Channel

# What the views make of bytes that are not what they expect.
_BAD: Final = (
    AnymailError, AnymailConfigurationError, SuspiciousOperation, BadRequest, ArithmeticError, AssertionError,
    AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError,
)  # fmt: skip
_HAPPENED: Final[Mapping[str, Happened]] = {
    EventType.SENT: Happened.SENT,
    EventType.DELIVERED: Happened.DELIVERED,
    EventType.DEFERRED: Happened.DELAYED,
    EventType.OPENED: Happened.OPENED,
    EventType.CLICKED: Happened.CLICKED,
    EventType.COMPLAINED: Happened.COMPLAINED,
    EventType.UNSUBSCRIBED: Happened.UNSUBSCRIBED,
    EventType.FAILED: Happened.FAILED,
}
_LOST: Final = frozenset({EventType.BOUNCED, EventType.REJECTED})
_LOOKED_AT: Final = frozenset({EventType.OPENED, EventType.CLICKED})
# Known, and nothing that moves a message.
_QUIET: Final = frozenset({EventType.QUEUED, EventType.AUTORESPONDED, EventType.SUBSCRIBED})
# Of these there is no such mailbox; all else a receiver says no by is about this letter.
_WISHES: Final = {
    RejectReason.SPAM: Happened.COMPLAINED,
    RejectReason.UNSUBSCRIBED: Happened.UNSUBSCRIBED,
}
_NO_SUCH: Final = frozenset({RejectReason.BOUNCED, RejectReason.INVALID})
# Without a log-in the views warn; reading is after verifying, and asks for none.
_UNUSED_LOG_IN: Final = "-:-"


def verify(esp: Esp, callback: Callback, *, login: str, keys: Mapping[str, str]) -> None:
    """Raises BadSignature unless the log-in or a key proves the call; with neither there is nothing to prove it."""
    views = [
        (esp.tracking, esp.signed_by),
        (esp.inbound, esp.inbound_signed_by),
    ]
    for view, signed_by in views:
        if view is None or not (keys.get(signed_by) if signed_by else login):
            continue
        try:
            made = _made(view, login, _key(keys, signed_by), callback.url)
            made.run_validators(request_of(callback))
        except _BAD:
            continue
        return
    raise BadSignature


def told(esp: Esp, callback: Callback, keys: Mapping[str, str]) -> Reading:
    """The same address is called with both kinds: what does not look like a receipt may be a letter."""
    if esp.tracking is None:
        raise Unreadable("the service calls nobody back")
    try:
        events = _events(esp.tracking, callback, _key(keys, esp.signed_by))
    except _BAD as error:
        if esp.inbound is None:
            raise Unreadable(type(error).__name__) from None
        events = None
    try:
        if events is None:
            events = _events(esp.inbound, callback, _key(keys, esp.inbound_signed_by))
        return Reading(
            [one for event in events for one in _told(esp, event)], is_known=all(_is_known(one) for one in events)
        )
    except _BAD as error:
        raise Unreadable(type(error).__name__) from None


def _key(keys: Mapping[str, str], signed_by: str) -> dict[str, str]:
    """A view's own key by the view's name for it; what else a view is given would take the place of its fields."""
    return {signed_by: keys.get(signed_by, "")} if signed_by else {}


def _events(view: Any, callback: Callback, key: Mapping[str, str]) -> Sequence[Any]:
    events: Sequence[Any] = _made(view, _UNUSED_LOG_IN, key, callback.url).parse_events(request_of(callback))
    return events


def _made(view: Any, login: str, key: Mapping[str, str], url: str) -> Any:
    # Views that could fetch something ask for the key of the API, which they have no use for here.
    return view(webhook_secret=[login] if login else [], webhook_url=url, **{"api_key": "", **key})


def request_of(callback: Callback) -> WSGIRequest:
    """The call once more as a request of Django's, which is what the views read."""
    parts = urlsplit(callback.url)
    said = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in callback.headers.items()}
    said.pop("HTTP_CONTENT_TYPE", None)
    said.pop("HTTP_CONTENT_LENGTH", None)
    return WSGIRequest(
        {
            **said,
            "REQUEST_METHOD": "POST",
            "PATH_INFO": parts.path or "/",
            "QUERY_STRING": callback.query,
            "CONTENT_TYPE": callback.content_type,
            "CONTENT_LENGTH": str(len(callback.body)),
            "SERVER_NAME": parts.hostname or "localhost",
            "SERVER_PORT": str(parts.port or 443),
            "wsgi.url_scheme": parts.scheme or "https",
            "wsgi.input": io.BytesIO(callback.body),
        }
    )


def _is_known(event: Any) -> bool:
    kind = event.event_type
    return kind in _HAPPENED or kind in _LOST or kind in _QUIET or kind == EventType.INBOUND


def _told(esp: Esp, event: Any) -> Iterator[Told]:
    if isinstance(event, AnymailInboundEvent):
        yield from _reply(esp, event)
    elif (happened := _happened(esp, event)) is not None:
        yield _receipt(esp, event, happened)


def _happened(esp: Esp, event: AnymailTrackingEvent) -> Happened | None:
    if event.event_type not in _LOST:
        return _HAPPENED.get(event.event_type)
    if event.event_type == EventType.BOUNCED and esp.is_soft(event.esp_event):
        return Happened.SOFT_BOUNCED
    if event.event_type == EventType.REJECTED and event.reject_reason in _WISHES:
        # Not sent for what the person had said to the service before.
        return _WISHES[event.reject_reason]
    is_none = event.reject_reason in _NO_SUCH or (event.reject_reason is None and event.event_type == EventType.BOUNCED)
    return Happened.BOUNCED if is_none else Happened.FAILED


def _receipt(esp: Esp, event: AnymailTrackingEvent, happened: Happened) -> ToldReceipt:
    seen = _machine(event)
    ours = event.metadata.get("message", "") if isinstance(event.metadata, Mapping) else ""
    detail = str(event.mta_response or event.description or "")
    if event.recipient:
        # Servers like to quote whom they refuse; a receipt keeps no personal data.
        detail = detail.replace(event.recipient, "…").replace(event.recipient.lower(), "…")
    return ToldReceipt(
        happened=happened,
        provider_id=str(event.message_id or ""),
        message_key=key_of(str(ours)),
        at=_time(event),
        told_as=str(event.event_id or ""),
        code=str(event.reject_reason or "") or seen,
        detail=detail,
        is_machine=bool(seen) or (event.event_type in _LOOKED_AT and esp.is_machine(event.esp_event)),
    )


def _machine(event: AnymailTrackingEvent) -> str:
    """By what a machine is known that opened or followed, where the service tells what it called itself. Empty where
    nothing is told, or what may be a person's."""
    if event.event_type not in _LOOKED_AT or not event.user_agent:
        return ""
    return machine({"User-Agent": str(event.user_agent)})


def _reply(esp: Esp, event: AnymailInboundEvent) -> Iterator[ToldReply]:
    """A letter; one that a machine wrote (an absence, a bounce) answers nothing."""
    letter = event.message
    if str(letter.get("Auto-Submitted", "no")).strip().lower() != "no":
        return
    senders = letter.from_email
    sender = senders[0] if isinstance(senders, list) else senders
    if sender is None:
        raise Unreadable("a letter without a sender")
    yield ToldReply(
        channel=Channel.EMAIL.value,
        sender=sender.addr_spec,
        provider_id=str(letter.get("Message-ID") or event.event_id or "").strip(),
        # What they wrote, without what they quote, where the service tells them apart.
        text=(letter.stripped_text or letter.text or "").strip(),
        at=_time(event),
        about=esp.answered(str(letter.get("In-Reply-To") or "").strip()),
        attachments=len(letter.attachments),
    )


def _time(event: Any) -> Any:
    at = event.timestamp
    return at if at is not None and at.tzinfo is not None else None
