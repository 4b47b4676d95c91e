"""Connectors' credentials at rest: sealed, and bound to their connector."""

from typing import TYPE_CHECKING

from customers.sealing import SecretError, is_current, open_sealed, seal

if TYPE_CHECKING:
    from channels.models import Connector

__all__ = ["SecretError", "credentials_aad", "is_current", "open_sealed", "place", "seal"]


def credentials_aad(connector_id: object) -> str:
    return f"channels_connector:{connector_id}:credentials"


def place(connector: "Connector") -> str:
    return credentials_aad(connector.pk)
