"""Of the addresses that were chosen for messages, those that each connector speaks to; live and simulated."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from channels.push.serving import served
from consent.permission import Choice
from customers.models.address import Channel


class Way(Protocol):
    """What a message goes by."""

    @property
    def channel(self) -> str: ...

    @property
    def connector_id(self) -> UUID: ...


def reached(ways: Sequence[Way], chosen: Sequence[list[Choice]]) -> list[list[Choice]]:
    """An app's device is no browser; all other channels have one kind of address."""
    found = list(chosen)
    pushes = [n for n, way in enumerate(ways) if way.channel == Channel.PUSH]
    if pushes:
        kept = served([(ways[n].connector_id, found[n]) for n in pushes])
        for n, choices in zip(pushes, kept, strict=True):
            found[n] = choices
    return found
