"""Which push addresses a connector speaks to: devices by their tokens, or browsers that subscribed with its key."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from channels.models import Connector
from channels.providers import base
from channels.push.kinds import Kind, kind_of
from channels.push.points import Keys
from channels.push.subscriptions import opened
from consent.permission import Choice, Verdict
from customers.models.address import Channel
from customers.pg import raw_cursor

_CONNECTORS: Final = (
    "SELECT id, provider, coalesce(config ->> 'public_key', '') FROM channels_connector WHERE id = ANY(%s)"
)
_ADDRESSES: Final = """
    SELECT a.id, a.value, s.connector_id, s.public_key
    FROM customers_address a LEFT JOIN channels_pushsubscription s ON s.address_id = a.id WHERE a.id = ANY(%s)
"""
_NOBODY: Final = Choice(None, None, Verdict(False, "no_address", None))


@dataclass(frozen=True, slots=True)
class Devices:
    """Of a batch, the browsers that its connector can speak to."""

    kinds: Collection[Kind]
    keys: Mapping[UUID, Keys] = field(default_factory=dict)

    @property
    def needs_keys(self) -> bool:
        return set(self.kinds) == {Kind.BROWSER}

    def serve(self, channel: str, address_id: UUID, value: str) -> bool:
        if channel != Channel.PUSH:
            return True
        return address_id in self.keys if self.needs_keys else kind_of(value) in self.kinds


EVERYBODY: Final = Devices(frozenset(Kind))


def devices_of(connector: Connector, kinds: Collection[Kind], addresses: Iterable[UUID | None]) -> Devices:
    """What a batch of the connector needs to know, read once."""
    devices = Devices(kinds)
    if not devices.needs_keys:
        return devices
    wanted = [one for one in addresses if one is not None]
    return Devices(kinds, opened(wanted, connector.pk, connector.config.get("public_key", "")))


@dataclass(frozen=True, slots=True)
class _Known:
    kinds: Collection[Kind]
    public_key: str

    def serves(self, connector_id: UUID, value: str, subscribed: UUID | None, public_key: str | None) -> bool:
        if kind_of(value) not in self.kinds:
            return False
        return set(self.kinds) != {Kind.BROWSER} or (subscribed, public_key) == (connector_id, self.public_key)


def served(asked: Sequence[tuple[UUID, list[Choice]]]) -> list[list[Choice]]:
    """Of the addresses that were chosen for each connector, those it speaks to; nobody, where it speaks to none. Two
    statements for all."""
    connectors = _connectors({connector_id for connector_id, _choices in asked})
    addresses = _addresses({one.address_id for _connector, choices in asked for one in choices if one.address_id})

    def serves(connector_id: UUID, choice: Choice) -> bool:
        known, address = connectors.get(connector_id), addresses.get(choice.address_id)
        # Of what is not known dispatch says what becomes.
        return known is None or address is None or known.serves(connector_id, *address)

    def of(connector_id: UUID, choices: list[Choice]) -> list[Choice]:
        if not any(one.verdict.allowed for one in choices):
            # Nobody said yes: that is the reason, whichever connector would have spoken to them.
            return choices
        return [one for one in choices if serves(connector_id, one)] or [_NOBODY]

    return [of(connector_id, choices) for connector_id, choices in asked]


def _connectors(ids: Collection[UUID]) -> dict[UUID, _Known]:
    with raw_cursor() as cursor:
        rows = cursor.execute(_CONNECTORS, [list(ids)]).fetchall()
    return {
        id_: _Known(kinds, public_key) for id_, provider, public_key in rows if (kinds := _kinds(provider)) is not None
    }


def _kinds(provider: str) -> Collection[Kind] | None:
    if provider not in base.provider_keys():
        return None
    found = base.provider_class(provider)
    return found.reaches if issubclass(found, base.Provider) else None


def _addresses(ids: Collection[UUID]) -> "dict[UUID | None, tuple[Any, ...]]":
    with raw_cursor() as cursor:
        rows = cursor.execute(_ADDRESSES, [list(ids)]).fetchall()
    return {row[0]: tuple(row[1:]) for row in rows}
