"""A webhook and a client that signs for it, in each of the ways there are."""

import base64
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from django.test import Client

from customers.hooks import secrets
from customers.hooks.interpret import QUEUE
from customers.hooks.signatures import key_bytes
from customers.models import Hook, Source
from customers.work import work_once
from tests.customers.segment_door import NOW

# The example key of the specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MAPPING = {
    "events": [
        {
            "key": "paid",
            "when": [{"path": "/type", "is": ["payment.paid"]}],
            "name": {"constant": "Payment Received"},
            "identifiers": {"user_id": "/customer"},
            "properties": {"amount": {"path": "/amount", "steps": ["number"], "required": True}, "v": "/properties/v"},
        }
    ]
}
PAID = {"type": "payment.paid", "customer": "user-1", "amount": "49.90"}


def make_hook(source: Source, **fields: Any) -> Hook:
    hook = Hook(source=source, name="Payments", **{"mapping": MAPPING, **fields})
    secrets.add(hook, SECRET)
    hook.save()
    return hook


def standard(secret: str, id_: str, at: datetime, body: bytes) -> dict[str, str]:
    told = str(int(at.timestamp()))
    signed = hmac.digest(key_bytes(secret), f"{id_}.{told}.".encode() + body, "sha256")
    signature = f"v1,{base64.b64encode(signed).decode()}"
    return {"webhook-id": id_, "webhook-timestamp": told, "webhook-signature": signature}


@dataclass
class Sender:
    """Posts to a hook as whoever knows its secret."""

    hook: Hook
    secret: str = SECRET
    client: Client = field(default_factory=Client)

    def post(self, body: Any, id_: str = "", *, at: datetime = NOW, **given: Any) -> Any:
        sent = body if isinstance(body, bytes) else orjson.dumps(body)
        signed = standard(self.secret, id_ or uuid4().hex, at, sent)
        return self.send(sent, {**signed, **given.pop("headers", {})}, **given)

    def send(self, body: bytes, headers: dict[str, str], content_type: str = "application/json") -> Any:
        return self.client.generic("POST", f"/hooks/{self.hook.pk}", body, content_type=content_type, headers=headers)


def interpret() -> int:
    return work_once(QUEUE, NOW)
