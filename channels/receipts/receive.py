"""A provider's call made durable before anything in it is believed; the same bytes again are the same call."""

import json
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from django.db import connection

from channels.accounts import service_of
from channels.care.tally import count_unsigned
from channels.models import Connector, ProviderCallback
from channels.providers.base import CallsBack, ConfigurationError
from channels.receipts.told import BadSignature, Callback, Unreadable
from customers.accept.refusal import Refused
from customers.ids import hash_uuid
from customers.pg import raw_cursor

MAX_BYTES: Final = 2_000_000
_MAX_HEADERS: Final = 40
_MAX_HEADER: Final = 500
# What proves who calls is nothing to keep.
_NOT_KEPT: Final = ("authorization", "cookie", "proxy-authorization", "signature", "token", "secret")
_STORE: Final = """
    INSERT INTO channels_providercallback
        (connector_id, received_at, key, content_type, query, headers, body, status, reason, told, repeats)
    VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s, 'waiting', '', 0, 0)
    ON CONFLICT (key) DO UPDATE SET repeats = channels_providercallback.repeats + 1
    RETURNING id
"""


def find(connector_id: UUID) -> tuple[Connector, CallsBack] | None:
    """The connector of this address with its provider; None where nothing is called back there. One that is switched
    off is called all the same: what it sent before may still be told of."""
    connector = Connector.objects.filter(pk=connector_id).first()
    if connector is None:
        return None
    try:
        service = service_of(connector)
    except ConfigurationError:
        return None
    return (connector, service) if isinstance(service, CallsBack) else None


def verify(connector: Connector, service: CallsBack, callback: Callback, now: datetime) -> None:
    """Raises Refused, with nothing kept but that there was such a call."""
    try:
        service.verify(callback, now)
    except (BadSignature, Unreadable):
        count_unsigned(connector.pk, now)
        raise Refused("invalid_signature", "No valid signature.", "Only the connector’s provider calls here.") from None


def keep(connector: Connector, callback: Callback, now: datetime) -> int:
    """Store the call, or find it as it was stored before; its id."""
    digest = blake2b(callback.query.encode() + b"\0" + callback.body, digest_size=16).hexdigest()
    values: list[Any] = [
        connector.pk, now, hash_uuid(str(connector.pk), digest), callback.content_type[:200],
        callback.query.replace("\0", "")[:2000], _kept_headers(callback), callback.body,
    ]  # fmt: skip
    with connection.wrap_database_errors, raw_cursor() as cursor:
        [(id_,)] = cursor.execute(_STORE, values).fetchall()
    return int(id_)


def as_kept(row: ProviderCallback) -> Callback:
    """The call once more, to be read again."""
    return Callback("POST", "", row.query, row.headers, row.content_type, bytes(row.body))


def _kept_headers(callback: Callback) -> str:
    kept = {
        name: value[:_MAX_HEADER]
        for name, value in callback.headers.items()
        if not any(word in name for word in _NOT_KEPT)
    }
    return json.dumps(dict(list(kept.items())[:_MAX_HEADERS])).replace("\\u0000", "")
