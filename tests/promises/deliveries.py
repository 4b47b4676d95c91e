"""Bodies as foreign systems write them, signed as Standard Webhooks says, and ways in which a signature is bad."""

import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode

SECRET: Final = "whsec_" + b64encode(b"what only the shop and we know..").decode()
_OTHER_SECRET: Final = "whsec_" + b64encode(b"what somebody else makes up.....").decode()
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
_SIGNED: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One body, with what its sender puts beside it; `kind` says what must become of it."""

    id: str
    kind: str
    body: bytes
    type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def delivery(number: int, kind: str) -> Delivery:
    """The delivery of this number; one in three is a form, and no two writers of JSON space it alike."""
    fields: dict[str, Any] = {"type": f"payment.{kind}", "customer": f"payer-{number}", "amount": _amount(kind, number)}
    if kind == "unreadable":
        return signed(Delivery(f"delivery-{number}", kind, b'{"type": "payment.paid", "customer": '))
    if number % 3 == 0:
        return signed(Delivery(f"delivery-{number}", kind, urlencode(fields).encode(), FORM))
    gap = " " * (number % 4)
    lines = f",{gap}".join(f'"{name}"{gap}:{gap}"{value}"' for name, value in fields.items())
    # Text that any reader and writer of JSON would give back as other bytes.
    return signed(Delivery(f"delivery-{number}", kind, f'\n{{{gap}{lines}, "note": "\\u00e9\\/"}}{gap}'.encode()))


def _amount(kind: str, number: int) -> str:
    return "a lot" if kind == "misfit" else f"{number}.50"


def signed(what: Delivery, *, at: float | None = None, secret: str = SECRET) -> Delivery:
    told = str(int(time.time() if at is None else at))
    key = b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{what.id}.{told}.".encode() + what.body, "sha256")
    values = (what.id, told, f"v1,{b64encode(digest).decode()}")
    return replace(what, headers=dict(zip(_SIGNED, values, strict=True)))


def _without(name: str) -> Callable[[Delivery], Delivery]:
    def forge(what: Delivery) -> Delivery:
        return replace(what, headers={key: value for key, value in what.headers.items() if key != name})

    return forge


def _with_other_bytes(what: Delivery) -> Delivery:
    """The same document for whoever reads it, in other bytes."""
    return replace(what, body=what.body + (b"&" if what.type == FORM else b"\n"))


def _with_another_amount(what: Delivery) -> Delivery:
    return replace(what, body=what.body.replace(b".50", b".51"))


def _under_another_id(what: Delivery) -> Delivery:
    return replace(what, headers={**what.headers, "webhook-id": f"{what.id}-again"})


def _with_a_later_time(what: Delivery) -> Delivery:
    return replace(what, headers={**what.headers, "webhook-timestamp": str(int(time.time()) + 1)})


FORGERIES: Final[Mapping[str, Callable[[Delivery], Delivery]]] = {
    "unsigned": lambda what: replace(what, headers={}),
    "no id": _without("webhook-id"),
    "no time": _without("webhook-timestamp"),
    "no signature": _without("webhook-signature"),
    "another's secret": lambda what: signed(what, secret=_OTHER_SECRET),
    "an hour old": lambda what: signed(what, at=time.time() - 3600),
    "an hour early": lambda what: signed(what, at=time.time() + 3600),
    "other bytes": _with_other_bytes,
    "another amount": _with_another_amount,
    "another id": _under_another_id,
    "a later time": _with_a_later_time,
}
