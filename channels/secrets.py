"""Connectors' credentials at rest: sealed, and bound to their connector."""

from customers.sealing import SecretError, is_current, open_sealed, seal

__all__ = ["SecretError", "credentials_aad", "is_current", "open_sealed", "seal"]


def credentials_aad(connector_id: object) -> str:
    return f"channels_connector:{connector_id}:credentials"
