"""An e-mail as bytes: one recipient, known headers, nothing a value could break out of.

Written out by hand because `email.message` folds a long List-Unsubscribe link into encoded words, which
mailbox providers do not read, and takes milliseconds for what takes a tenth of one.
"""

import re
from binascii import b2a_qp
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime, quote

from channels.providers.base import DeliveryError, Outgoing

_HEADER_NAME = re.compile(r"X-[A-Za-z0-9-]{1,58}|Reply-To|Feedback-ID|List-Help|Auto-Submitted")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
# One address and no list, no display name, no quoted or literal part: what our addresses are stored as.
_ATOM = r"[^\s@<>(),:;\\\"\[\].\x00-\x1f\x7f]+"
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@({_ATOM}(?:\.{_ATOM})+)")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_MAX_VALUE = 900


@dataclass(frozen=True, slots=True)
class Mailbox:
    address: str
    domain: str
    name: str = ""

    def header(self) -> str:
        if not self.name:
            return self.address
        name = f'"{quote(self.name)}"' if self.name.isascii() else _encoded(self.name, "From")
        return f"{name} <{self.address}>"


def is_header(name: str, value: str) -> bool:
    """Whether a connector may set this header to this."""
    return _HEADER_NAME.fullmatch(name) is not None and not _CONTROL.search(value) and len(value) <= _MAX_VALUE


def is_one_line(value: str) -> bool:
    """Whether a header may say it, as nothing in it ends one."""
    return not _CONTROL.search(value)


def one_mailbox(address: str, name: str = "") -> Mailbox:
    """`address` as exactly one address; anything else is refused for good."""
    match = _ADDRESS.fullmatch(address)
    if match is None or len(match[1]) > 64 or len(address) > 254:
        raise DeliveryError("not_one_address", permanent=True)
    return Mailbox(address, match[2], " ".join(_CONTROL.sub(" ", name).split())[:200])


def build_mail(outgoing: Outgoing, sender: Mailbox, headers: dict[str, str]) -> bytes:
    """The message with RFC 5322 basics and, where it may be refused in future, one-click (RFC 8058)."""
    lines = [
        ("From", sender.header()),
        ("To", one_mailbox(outgoing.to).header()),
        ("Subject", _encoded(outgoing.subject, "Subject")),
        ("Date", format_datetime(outgoing.at)),
        ("Message-ID", message_id(outgoing, sender)),
    ]
    if outgoing.list_key:
        lines.append(("List-Id", f"<{outgoing.list_key}.{sender.domain}>"))
    if outgoing.unsubscribe_url:
        lines.append(("List-Unsubscribe", f"<{outgoing.unsubscribe_url}>"))
        lines.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    lines += [(name, _encoded(value, name)) for name, value in headers.items()]
    lines.append(("MIME-Version", "1.0"))
    head = "".join(f"{name}: {_checked(value)}\r\n" for name, value in lines)
    return head.encode() + _body(outgoing)


def message_id(outgoing: Outgoing, sender: Mailbox) -> str:
    """Derived from the message's key: a repeated call is recognised as the same mail."""
    return f"<{outgoing.key}@{sender.domain}>"


def _encoded(value: str, name: str) -> str:
    """RFC 2047 where it is not ASCII; the folds it brings are our own."""
    if _CONTROL.search(value):
        raise DeliveryError("control_character in a header", permanent=True)
    return value if value.isascii() else Header(value, "utf-8", header_name=name).encode(linesep="\r\n")


def _checked(value: str) -> str:
    if _CONTROL.search(value.replace("\r\n ", "")):
        raise DeliveryError("control_character in a header", permanent=True)
    return value


def _body(outgoing: Outgoing) -> bytes:
    if not outgoing.html:
        return _part("plain", outgoing.text)
    # Quoted-printable never holds "=_", so the boundary is in no part.
    boundary = b"=_" + outgoing.key.hex.encode()
    return b"".join(
        (
            b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n',
            b"--" + boundary + b"\r\n" + _part("plain", outgoing.text),
            b"--" + boundary + b"\r\n" + _part("html", outgoing.html),
            b"--" + boundary + b"--\r\n",
        )
    )


def _part(subtype: str, text: str) -> bytes:
    content = _LINE_BREAK.sub("\r\n", text.rstrip("\r\n") + "\n").encode("utf-8", "replace")
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode() + b2a_qp(content, istext=True)
