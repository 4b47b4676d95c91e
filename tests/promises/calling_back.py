"""Twilio, Meta and Mailgun calling back, each signed as it signs: what became of a message, or what somebody wrote."""

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid4

from channels.models import Connector
from config.processes import ProcessError
from tests.channels.providers import esp_server, twilio_server, whatsapp_server
from tests.promises.carriers import PUBLIC
from tests.promises.staff import ask
from tests.promises.stage import Stage

_FORM: Final = "application/x-www-form-urlencoded"
# Meta's number for what could not be brought to anybody.
_LOST: Final = {"code": 131000, "title": "Something went wrong"}


def twilio_tells(stage: Stage, connector: Connector, message_id: UUID, status: str) -> None:
    """What became of a message, which is named as in the address that Twilio was given with it."""
    form = {"MessageSid": f"SM{message_id.hex}", "MessageStatus": status}
    if status == "failed":
        form["ErrorCode"] = "30008"
    _twilio_posts(stage, f"{_path(connector)}?message={message_id}", form)


def twilio_hears(stage: Stage, connector: Connector, sender: str, text: str) -> None:
    """Somebody wrote."""
    form = {"MessageSid": f"SM{uuid4().hex}", "From": sender, "To": "+15005550006", "Body": text, "NumMedia": "0"}
    _twilio_posts(stage, _path(connector), form)


def _twilio_posts(stage: Stage, path: str, form: dict[str, str]) -> None:
    body, signature = twilio_server.signed(f"{PUBLIC}{path}", form)
    _post(stage, path, body, {"Content-Type": _FORM, "X-Twilio-Signature": signature})


def meta_tells(stage: Stage, connector: Connector, message_id: UUID, status: str) -> None:
    told: dict[str, Any] = {
        "id": f"wamid.{message_id.hex}", "status": status, "timestamp": str(int(time.time())),
        "recipient_id": "5511980000000", "biz_opaque_callback_data": str(message_id),
    }  # fmt: skip
    if status == "failed":
        told["errors"] = [_LOST]
    _meta_posts(stage, connector, statuses=[told])


def meta_hears(stage: Stage, connector: Connector, sender: str, text: str) -> None:
    said = {
        "from": sender.removeprefix("+"), "id": f"wamid.{uuid4().hex}", "timestamp": str(int(time.time())),
        "type": "text", "text": {"body": text},
    }  # fmt: skip
    _meta_posts(stage, connector, messages=[said])


def mailgun_tells(stage: Stage, connector: Connector, message_id: UUID, event: str) -> None:
    body = esp_server.mailgun_told(event, str(message_id))
    _post(stage, _path(connector), body, {"Content-Type": "application/json"})


def _meta_posts(stage: Stage, connector: Connector, **value: Any) -> None:
    body = whatsapp_server.told(**value)
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": whatsapp_server.signature(body)}
    _post(stage, _path(connector), body, headers)


def _path(connector: Connector) -> str:
    return f"/hooks/channels/{connector.pk}"


def _post(stage: Stage, path: str, body: bytes, headers: Mapping[str, str]) -> None:
    reply = ask(stage, "POST", path, body, headers)
    if reply.status != 200:
        raise ProcessError(f"a provider that called back was answered {reply.status}")
