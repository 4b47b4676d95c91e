"""Subscriptions of browsers: kept as they are told, moved on where a browser changes its own, forgotten at an end."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from channels.models import Connector, PushSubscription
from channels.push.points import AUTH_BYTES, POINT_BYTES, Keys, read, written
from consent import suppression
from consent.addresses import Place, ids_of
from consent.models import LATEST, Suppression
from consent.permission import lock_address
from customers import clock
from customers.models.address import Channel
from customers.pg import raw_cursor
from customers.sealing import SecretError, open_sealed, seal
from customers.work import describe

logger = logging.getLogger(__name__)

_KEEP: Final = """
    INSERT INTO channels_pushsubscription AS s
        (address_id, connector_id, public_key, keys, created_at, told_at, expires_at)
    VALUES (%(address)s, %(connector)s, %(public)s, %(keys)s, %(now)s, %(now)s, %(expires)s)
    ON CONFLICT (address_id) DO UPDATE SET
        connector_id = excluded.connector_id, public_key = excluded.public_key, keys = excluded.keys,
        told_at = greatest(s.told_at, excluded.told_at), expires_at = excluded.expires_at
"""
# One that is known already stays what it is: both are the browser's.
_MOVE: Final = """
    UPDATE customers_address a SET value = %(new)s, original = %(new)s WHERE a.id = %(old)s
      AND NOT EXISTS (SELECT 1 FROM customers_address o WHERE o.value = %(new)s AND o.channel = a.channel)
"""
_TOLD_SINCE: Final = """
    SELECT s.address_id FROM unnest(%s::uuid[], %s::timestamptz[]) AS u(address_id, at)
    JOIN channels_pushsubscription s ON s.address_id = u.address_id AND s.told_at > u.at
"""
_OPEN: Final = """
    SELECT s.address_id, s.keys FROM channels_pushsubscription s
    WHERE s.address_id = ANY(%s) AND s.connector_id = %s AND s.public_key = %s
"""


@dataclass(frozen=True, slots=True)
class Told:
    """A subscription as its browser tells it, in its normal form."""

    endpoint: str
    keys: Keys
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A subscription that was told before, with the secret that only its browser can know of it."""

    endpoint: str
    auth: bytes


def place_of_keys(address_id: object) -> str:
    return f"channels_pushsubscription:{address_id}:keys"


def place(subscription: PushSubscription) -> str:
    return place_of_keys(subscription.pk)


def connector_of(brand_id: UUID, public_key: str) -> Connector | None:
    """Whose key a page subscribed with; one of its brand's, and in use."""
    return Connector.objects.filter(
        brand=brand_id, channel=Channel.PUSH, is_active=True, config__public_key=public_key
    ).first()


def keep(told: Told, connector: Connector, now: datetime) -> UUID:
    """Keep it by its address, which is made where there was none; told again, it is the same one. The address."""
    with transaction.atomic(), raw_cursor() as cursor:
        known = Place(Channel.PUSH.value, told.endpoint)
        address_id = ids_of(cursor, {known: told.endpoint}, now)[known]
        _write(cursor, address_id, told, connector, now)
    return address_id


def move(old: Named, told: Told, connector: Connector, now: datetime) -> bool:
    """The browser has another endpoint from now on: the address stays, with all that was said of it, a no not less than
    a yes. False where the old one is none of the connector's, or its secret another."""
    with transaction.atomic(), raw_cursor() as cursor:
        # Nothing is sent there meanwhile, and two browsers that claim the same wait for each other.
        address_id = _held(cursor, old, connector.pk)
        if address_id is None:
            return False
        cursor.execute(_MOVE, {"old": address_id, "new": told.endpoint})
        if not cursor.rowcount:
            return False
        # What its service said of the old endpoint says nothing of the new one.
        suppression.lift(cursor, address_id, Suppression.Reason.BOUNCE, LATEST, now)
        # While the lock was waited for, something may have been said of the old endpoint (`told_since`).
        _write(cursor, address_id, told, connector, max(now, clock.utcnow()))
    return True


def forget(ended: Named, connector: Connector) -> bool:
    """The browser takes no more pushes: without its keys nobody can write to it."""
    with transaction.atomic(), raw_cursor() as cursor:
        address_id = _held(cursor, ended, connector.pk)
        if address_id is None:
            return False
        cursor.execute("DELETE FROM channels_pushsubscription WHERE address_id = %s", [address_id])
        return bool(cursor.rowcount)


def told_since(cursor: Cursor[Any], spoken_of: Mapping[UUID, datetime]) -> set[UUID]:
    """Those of the addresses whose browser has told of itself since: by now they may be another endpoint."""
    if not spoken_of:
        return set()
    rows = cursor.execute(_TOLD_SINCE, [list(spoken_of), list(spoken_of.values())]).fetchall()
    return {address_id for (address_id,) in rows}


def opened(addresses: Collection[UUID], connector_id: UUID, public_key: str) -> Mapping[UUID, Keys]:
    """The keys of those of the addresses that subscribed with this key of the connector, as far as they open here."""
    with raw_cursor() as cursor:
        rows = cursor.execute(_OPEN, [list(addresses), connector_id, public_key]).fetchall()
    found = ((address_id, _opened(address_id, bytes(sealed))) for address_id, sealed in rows)
    return {address_id: keys for address_id, keys in found if keys is not None}


def _opened(address_id: UUID, sealed: bytes) -> Keys | None:
    """None where they do not open: that is one browser's misfortune, and no other's."""
    try:
        kept = open_sealed(sealed, place_of_keys(address_id))
        return Keys(read(kept["p256dh"], POINT_BYTES), read(kept["auth"], AUTH_BYTES))
    except (SecretError, KeyError, ValueError) as error:
        logger.error("keys do not open: %s", describe(error), extra={"address_id": str(address_id)})
        return None


def _held(cursor: Cursor[Any], named: Named, connector_id: UUID) -> UUID | None:
    """The address of the connector's that is named, locked; None for who does not know its secret."""
    found = _find(cursor, named.endpoint, connector_id)
    if found is None:
        return None
    lock_address(found[0])
    # By now it may have moved, or have other keys.
    found = _find(cursor, named.endpoint, connector_id)
    keys = None if found is None else _opened(*found)
    return found[0] if found and keys and compare_digest(keys.auth, named.auth) else None


def _find(cursor: Cursor[Any], endpoint: str, connector_id: UUID) -> tuple[UUID, bytes] | None:
    row = cursor.execute(
        "SELECT a.id, s.keys FROM customers_address a JOIN channels_pushsubscription s ON s.address_id = a.id"
        " WHERE a.value = %s AND a.channel = 'push' AND s.connector_id = %s",
        [endpoint, connector_id],
    ).fetchone()
    return None if row is None else (UUID(str(row[0])), bytes(row[1]))


def _write(cursor: Cursor[Any], address_id: UUID, told: Told, connector: Connector, now: datetime) -> None:
    held = {"p256dh": written(told.keys.p256dh), "auth": written(told.keys.auth)}
    values = {
        "address": address_id,
        "connector": connector.pk,
        "public": connector.config["public_key"],
        "keys": seal(held, place_of_keys(address_id)),
        "now": now,
        "expires": told.expires_at,
    }
    cursor.execute(_KEEP, values)
