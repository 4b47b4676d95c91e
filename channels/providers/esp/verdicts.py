"""What became of a call by what anymail makes of its answer: taken, or an error that says who has what."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from anymail.message import AnymailStatus

from channels.providers.base import Accepted, Blame, DeliveryError
from channels.providers.esp.carrier import reply_of
from channels.providers.esp.services import Esp
from channels.providers.http import refused
from channels.receipts.told import Happened
from channels.web import Reply

# Where the services put their words and their own name of an error.
_WORDS: Final = ("message", "Message", "ErrorMessage", "error_message", "detail", "error", "description")
_CODES: Final = ("code", "ErrorCode", "error_code", "name", "type")
_WITHIN: Final = ("errors", "Errors", "Messages", "data", "error")
_TAKEN: Final = frozenset({"sent", "queued"})
_SHOWN: Final = 300
# Of an address that a service no longer writes to, in Mandrill's words.
_WHY_REJECTED: Final[Mapping[str, Happened]] = {
    "hard-bounce": Happened.BOUNCED,
    "invalid": Happened.BOUNCED,
    "spam": Happened.COMPLAINED,
    "unsub": Happened.UNSUBSCRIBED,
}
# Postmark's "inactive recipient" is one that has bounced for good or has complained.
_INACTIVE: Final = "406"


def accepted(status: AnymailStatus) -> Accepted:
    """Raises DeliveryError where the only recipient was not taken."""
    stands, id_ = status.status or set(), status.message_id
    named = str(id_) if isinstance(id_, str | int) and id_ else ""
    if stands and stands <= _TAKEN:
        return Accepted(named)
    reply = reply_of(status.esp_response)
    code, words = said(reply)
    if "failed" in stands or not _is_good(reply):
        raise DeliveryError(f"{reply.status} {code} {words}"[:_SHOWN], code=code, permanent=True)
    if named:
        return Accepted(named)
    raise DeliveryError("the reply names no message", accepted="maybe", blame=Blame.PROVIDER)


def error_of(error: AnymailError, esp: Esp) -> DeliveryError:
    if error.response is None:
        # Nothing was asked yet: the service cannot say what was to be said, or the backend cannot write it.
        return DeliveryError(f"{type(error).__name__}: {' '.join(map(str, error.args))}"[:_SHOWN], permanent=True)
    reply = reply_of(error.response)
    code, words = said(reply)
    if isinstance(error, AnymailRecipientsRefused):
        answer = DeliveryError(f"{reply.status} {code} {words}"[:_SHOWN], code=code, permanent=True)
        answer.says = _says(error, reply, code)
        return answer
    return _by_code(reply, code, words, esp)


def _by_code(reply: Reply, code: str, words: str, esp: Esp) -> DeliveryError:
    shown = f"{reply.status} {code} {words}"[:_SHOWN]
    if code in esp.of_settings or reply.status in (402, 404):
        # 404: a domain, a project or a path that is not the account's.
        return DeliveryError(shown, code=code, blame=Blame.SETTINGS)
    if code in esp.of_message:
        return DeliveryError(shown, code=code, permanent=True)
    if reply.status in esp.too_fast:
        return refused(Reply(429, reply.headers, b""), words, code)
    if not _is_good(reply):
        return refused(reply, words, code)
    if b"Mailgun Magnificent API" in reply.body:
        return DeliveryError("200 no such path at Mailgun", blame=Blame.SETTINGS)
    if _is_a_no(reply):
        return DeliveryError(shown, code=code, permanent=True)
    return DeliveryError("the reply is not the provider's", accepted="maybe", blame=Blame.PROVIDER)


def _is_good(reply: Reply) -> bool:
    return 200 <= reply.status < 300


def _is_a_no(reply: Reply) -> bool:
    """Some say no within a 200."""
    found = _document(reply)
    return isinstance(found, dict) and (
        found.get("status") in ("error", "parameter-error") or found.get("success") is False
    )


def _says(error: AnymailRecipientsRefused, reply: Reply, code: str) -> Happened | None:
    if code == _INACTIVE or "invalid" in (error.email_message.anymail_status.status or ()):
        return Happened.BOUNCED
    found = _document(reply)
    first = found[0] if isinstance(found, list) and found else None
    return _WHY_REJECTED.get(str(first.get("reject_reason"))) if isinstance(first, dict) else None


def said(reply: Reply) -> tuple[str, str]:
    """The service's own code and words, wherever it puts them."""
    code = words = ""
    for one in _places(_document(reply), 3):
        code = code or next((str(one[n]) for n in _CODES if isinstance(one.get(n), str | int)), "")
        words = words or next((one[n] for n in _WORDS if isinstance(one.get(n), str)), "")
    return code[:60], " ".join(words.split())


def _places(found: Any, deep: int) -> Iterator[dict[str, Any]]:
    """The objects of a document in which an error may be told, the outer before the inner."""
    if isinstance(found, list):
        found = found[0] if found else None
    if isinstance(found, dict) and deep:
        yield found
        for name in _WITHIN:
            yield from _places(found.get(name), deep - 1)


def _document(reply: Reply) -> Any:
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, RecursionError):
        return None
