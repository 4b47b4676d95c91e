"""Calls of other systems: where they go is fixed here, and who we are there; journeys say what is asked."""

import base64
import hmac
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.providers.calls import CallService, as_written
from channels.web import Request
from channels.web.address import RefusedAddress, place_of
from customers.hints import form
from customers.hooks.signatures import ID, SIGNATURE, TIMESTAMP, key_bytes

# What the connection says itself, once.
_OF_THE_CONNECTION: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})
# What is shorter is no secret, and may well be a word of the reply; of headers that may say anything, even more so.
_SHORTEST_SECRET: Final = 4
_SHORTEST_OF_HEADERS: Final = 8
# What these say is no secret, and is in many a reply.
_PLAIN: Final = frozenset({"accept", "accept-charset", "accept-language", "content-type", "user-agent"})


class WebhookConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    base_url: Annotated[
        str, form(_("base address"), _("Begins with https://; what journeys ask is below it, and nowhere else."))
    ]
    headers: Annotated[
        dict[str, str], form(_("further headers"), _("As JSON: names and values that every call gets."))
    ] = {}
    authorization_header: Annotated[str, form(_("header that says who we are"), _("It holds the secret below."))] = (
        "Authorization"
    )

    def __post_init__(self) -> None:
        try:
            place_of(self.base_url)
        except RefusedAddress as error:
            raise ValueError(gettext("The base address may not be called: %(reason)s.") % {"reason": error}) from None
        if any(sign in self.base_url for sign in "?#\\ ") or not self.base_url.isascii():
            raise ValueError(gettext("The base address has neither a query nor a fragment."))
        for name, value in [*self.headers.items(), (self.authorization_header, "")]:
            if not _is_header(name, value) or name.lower() in _OF_THE_CONNECTION:
                raise ValueError(gettext("The header “%(name)s” cannot be set.") % {"name": name[:60]})


class WebhookCredentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    authorization: Annotated[str, form(_("what the header says"), _("As in Bearer, a blank, and the token."))] = ""
    signing_secret: Annotated[str, form(_("signing secret"))] = ""

    def __post_init__(self) -> None:
        if not _is_header("authorization", self.authorization):
            raise ValueError(gettext("What the header says cannot be in a header."))
        try:
            key_bytes(self.signing_secret)
        except ValueError:
            raise ValueError(gettext("The signing secret is not what its beginning says.")) from None


class Webhook(CallService):
    """With a signing secret, calls are signed as Standard Webhooks has it: the other side knows them for ours."""

    key = "webhook"
    label = _("Another system’s API")
    Config = WebhookConfig
    Credentials = WebhookCredentials

    @property
    def secrets(self) -> tuple[str, ...]:
        """What a reply may repeat and nobody is to read there: what the header says and what further ones say, and the
        token in each."""
        others = [value for name, value in self.config.headers.items() if name.lower() not in _PLAIN]
        said = _parts(self.credentials.authorization, _SHORTEST_SECRET)
        for value in others:
            said += _parts(value, _SHORTEST_OF_HEADERS)
        return as_written(said)

    def request(
        self, method: str, target: str, headers: dict[str, str], body: bytes, key: UUID, now: datetime
    ) -> Request:
        who = self.config.authorization_header
        said = [("content-type", "application/json")] if body else []
        said += [(name, value) for name, value in headers.items() if name.lower() != who.lower()]
        said += [*self.config.headers.items(), ("idempotency-key", str(key))]
        if self.credentials.authorization:
            said.append((who, self.credentials.authorization))
        if self.credentials.signing_secret:
            said += sign(self.credentials.signing_secret, key, body, now).items()
        # Each once, however it is written; what is said later counts.
        once = {name.lower(): (name, value) for name, value in said}
        return Request(method, self.config.base_url.rstrip("/") + target, tuple(once.values()), body)


def sign(secret: str, key: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """The headers by which Standard Webhooks knows who sent a body, and when."""
    sent_at = str(int(now.timestamp()))
    signed = f"{key}.{sent_at}.".encode() + body
    digest = hmac.digest(key_bytes(secret), signed, "sha256")
    return {ID: str(key), TIMESTAMP: sent_at, SIGNATURE: "v1," + base64.b64encode(digest).decode()}


def _parts(value: str, shortest: int) -> list[str]:
    """All that a header says, and the token behind its last blank."""
    return [one for one in (value, value.rpartition(" ")[2]) if len(one) >= shortest]


def _is_header(name: str, value: str) -> bool:
    token = name.replace("-", "").replace("_", "")
    return token.isalnum() and token.isascii() and value.isascii() and (value.isprintable() or not value)
