"""The sandbox: accepts everything and sends nothing; the rendered message is kept with the outbox row.

Like the simulators of mail services it can be asked for trouble, by what an address begins with: `bounce+` is
refused for good, `busy+` for now, and of `timeout+` nobody knows whether it arrived.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from channels.providers.base import Accepted, DeliveryError, Outgoing, Provider
from customers.models.address import Channel


class SandboxSession:
    def prepare(self, deadline: float) -> None:
        """There is nothing to connect to."""

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        wish, plus, _rest = outgoing.to.partition("+")
        if plus and wish == "bounce":
            raise DeliveryError("550 5.1.1 no such mailbox (asked of the sandbox)", permanent=True)
        if plus and wish == "busy":
            raise DeliveryError("451 4.3.2 try again later (asked of the sandbox)")
        if plus and wish == "timeout":
            raise DeliveryError("no answer (asked of the sandbox)", accepted="maybe")
        return Accepted(f"sandbox-{outgoing.key}")


class Sandbox(Provider):
    key = "sandbox"
    label = _("Sandbox")
    channels: ClassVar = frozenset(Channel) - {Channel.PERSON}
    # What it "sends" is the row itself, so a repeated call is the same row again.
    takes_idempotency_key = True

    @contextmanager
    def open(self) -> Iterator[SandboxSession]:
        yield SandboxSession()
