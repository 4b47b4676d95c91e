"""Call tasks: what a person of ours is to say by phone; nothing leaves this house but by them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
from django.utils.translation import gettext_lazy as _

from channels.models import Task
from channels.providers.base import Accepted, Outgoing, Provider
from channels.worklist.make import make
from customers.hints import form
from customers.models.address import Channel


class VoiceTaskConfig(msgspec.Struct, forbid_unknown_fields=True):
    queue: Annotated[str, form(_("queue"), _("Which team’s, where the template names none."))] = ""


@dataclass(slots=True)
class VoiceTaskSession:
    config: VoiceTaskConfig

    def prepare(self, deadline: float) -> None:
        """There is nothing to connect to."""

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        return make(outgoing, Task.Kind.CALL, self.config.queue)


class VoiceTask(Provider):
    key = "voice_task"
    label = _("Call tasks")
    channels: ClassVar = frozenset({Channel.CALL})
    Config = VoiceTaskConfig
    # The task is a row of its key, written with the message's own.
    takes_idempotency_key = True

    @contextmanager
    def open(self) -> Iterator[VoiceTaskSession]:
        yield VoiceTaskSession(self.config)
