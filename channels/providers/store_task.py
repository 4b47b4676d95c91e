"""Store tasks: what a person in a store is to do; nothing leaves this house but by them."""

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


class StoreTaskConfig(msgspec.Struct, forbid_unknown_fields=True):
    queue: Annotated[str, form(_("queue"), _("Which store’s, where the template names none."))] = ""


@dataclass(slots=True)
class StoreTaskSession:
    config: StoreTaskConfig

    def prepare(self, deadline: float) -> None:
        """There is nothing to connect to."""

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        return make(outgoing, Task.Kind.STORE, self.config.queue)


class StoreTask(Provider):
    key = "store_task"
    label = _("Store tasks")
    channels: ClassVar = frozenset({Channel.CALL})
    Config = StoreTaskConfig
    # The task is a row of its key, written with the message's own.
    takes_idempotency_key = True

    @contextmanager
    def open(self) -> Iterator[StoreTaskSession]:
        yield StoreTaskSession(self.config)
