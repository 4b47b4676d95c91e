"""Slack's Web API for webhook steps: a journey tells a channel of the company's own people, most often by
/chat.postMessage with `text`.

Slack answers 200 whatever it thinks of a call and says no in the body (`{"ok": false, "error": …}`): here that becomes
the status which other systems would have answered, so that steps retry and catch it by the names they know. It knows no
idempotency key: what is tried again after an error of which nobody knows may be said twice.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.providers.calls import CallService, as_written
from channels.providers.http import checked_base
from channels.web import Reply, Request
from customers.hints import form

_POST: Final = "/chat.postMessage"
# Slack's own names of errors; any other is a no to this call (400).
_STATUS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired"), 401),
    **dict.fromkeys(
        ("missing_scope", "no_permission", "not_in_channel", "restricted_action", "ekm_access_denied", "access_denied"),
        403,
    ),
    **dict.fromkeys(("channel_not_found", "user_not_found", "unknown_method", "message_not_found"), 404),
    "is_archived": 410,
    "msg_too_long": 413,
    **dict.fromkeys(("ratelimited", "rate_limited", "message_limit_exceeded"), 429),
    **dict.fromkeys(("internal_error", "fatal_error"), 500),
    **dict.fromkeys(("service_unavailable", "team_added_to_org"), 503),
}
_NO: Final = 400
_BAD_REPLY: Final = 502


class SlackConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    channel: Annotated[
        str, form(_("usual channel"), _("Its ID (C…), for steps that name none; the app must have been invited there."))
    ] = ""
    base_url: Annotated[str, form(_("base address"))] = "https://slack.com/api"

    def __post_init__(self) -> None:
        checked_base(self.base_url)


class SlackCredentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    bot_token: Annotated[str, form(_("bot token"))]

    def __post_init__(self) -> None:
        token = self.bot_token
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError(gettext("This is no token."))


class Slack(CallService):
    key = "slack"
    label = _("Slack")
    Config = SlackConfig
    Credentials = SlackCredentials

    @property
    def secrets(self) -> tuple[str, ...]:
        return as_written([self.credentials.bot_token])

    def request(
        self, method: str, target: str, headers: dict[str, str], body: bytes, key: UUID, now: datetime
    ) -> Request:
        said = [("authorization", f"Bearer {self.credentials.bot_token}")]
        if body:
            # Without the charset Slack adds a warning to every answer.
            said.append(("content-type", "application/json; charset=utf-8"))
        given = {name for name, _value in said}
        said += [(name, value) for name, value in headers.items() if name.lower() not in given]
        url = checked_base(self.config.base_url) + target
        return Request(method, url, tuple(said), self._addressed(target, body))

    def _addressed(self, target: str, body: bytes) -> bytes:
        """With the usual channel, where a message names none."""
        if target != _POST or not self.config.channel:
            return body
        told = _object(body or b"{}")
        if told is None or told.get("channel"):
            return body
        return msgspec.json.encode(told | {"channel": self.config.channel})

    def read(self, reply: Reply) -> Reply:
        if reply.status != 200:
            return reply
        said = _object(reply.body)
        if said is None or not isinstance(said.get("ok"), bool):
            # Not Slack's; of such an answer nobody knows what it stands for.
            return replace(reply, status=_BAD_REPLY)
        if said["ok"]:
            return reply
        return replace(reply, status=_STATUS.get(str(said.get("error")), _NO))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
