"""A provider of the lab that takes an idempotency key, as the contract of providers has it: a second call with the
same key has no second effect, so that one of which nobody knows is made again."""

from typing import Annotated, ClassVar

import msgspec

from channels.providers.base import Accepted, DeliveryError, Outgoing
from channels.providers.http import HttpProvider, document, refused
from channels.web import Reply, Request
from customers.hints import form
from customers.models.address import Channel


class KeyedConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    base_url: Annotated[str, form("base address")]


class Keyed(HttpProvider):
    key = "keyed"
    label = "Keyed"
    channels: ClassVar = frozenset({Channel.PUSH})
    takes_idempotency_key = True
    Config = KeyedConfig

    def request(self, outgoing: Outgoing) -> Request:
        body = msgspec.json.encode({"to": outgoing.to, "text": outgoing.text})
        headers = (("content-type", "application/json"), ("idempotency-key", str(outgoing.key)))
        return Request("POST", f"{self.config.base_url}/messages", headers, body)

    def read(self, reply: Reply, outgoing: Outgoing) -> Accepted:
        if reply.status != 200:
            raise refused(reply)
        id_ = document(reply).get("id")
        if not isinstance(id_, str):
            raise DeliveryError("the reply names no message", accepted="maybe")
        return Accepted(id_)
