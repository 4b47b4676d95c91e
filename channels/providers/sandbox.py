"""The sandbox: accepts everything and sends nothing; the rendered message is kept with the outbox row."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from channels.providers.base import Accepted, Outgoing, Provider
from customers.models.address import Channel


class SandboxSession:
    def prepare(self, deadline: float) -> None:
        """There is nothing to connect to."""

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
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
