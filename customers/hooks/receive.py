"""A verified body made durable before anything in it is believed, and repetitions known by what was signed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import F

from customers import bells, calls
from customers.accept.refusal import Refusal, Refused
from customers.accept.remains import Sender, Told, as_text, naming_the_erased
from customers.calls import Count
from customers.hooks import secrets, signatures
from customers.hooks.documents import read_document
from customers.ids import hash_uuid
from customers.models import Hook, ReceivedBody
from customers.pg import raw_cursor

MAX_BYTES: Final = 1_000_000
_MAX_HEADERS: Final = 64
_MAX_HEADER: Final = 1000
# What proves who sends is nothing to keep.
_NOT_KEPT: Final = frozenset(("authorization", "cookie", "proxy-authorization", signatures.SIGNATURE))
_STORE: Final = """
    INSERT INTO customers_receivedbody
        (hook_id, received_at, key, digest, delivery_id, content_type, headers, body, status, reason,
         problems, accepted, duplicates, refused, repeats)
    VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, '[]'::jsonb, 0, 0, 0, 0)
    ON CONFLICT (key) DO UPDATE SET repeats = customers_receivedbody.repeats + 1
    RETURNING xmax = 0, digest
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A body as it came, with its headers by their names in small letters."""

    headers: Mapping[str, str]
    content_type: str
    body: bytes


def find(hook_id: UUID) -> Hook | None:
    """The hook of this address, unless it or its source is switched off."""
    return Hook.objects.filter(pk=hook_id, is_active=True, source__is_active=True).first()


def verify(hook: Hook, delivery: Delivery, now: datetime) -> str:
    """The delivery's signed id, if any; a bad signature is counted, and nothing of the body is kept."""
    try:
        return signatures.verify(secrets.signing_of(hook), delivery.headers, delivery.body, now)
    except signatures.BadSignature:
        Hook.objects.filter(pk=hook.pk).update(bad_signatures=F("bad_signatures") + 1, bad_signature_at=now)
        hint = "Sign the bytes as they are sent, by the hook's secret, and not more than five minutes ago."
        raise Refused("invalid_signature", "No valid signature.", hint) from None


def count(hook: Hook, now: datetime) -> Count:
    """Count one verified body; of any number at once exactly as many pass as the hook has left."""
    return calls.count("customers_hook", hook.pk, now)


def keep(hook: Hook, delivery: Delivery, delivery_id: str, now: datetime) -> bool:
    """Store the body; whether it is new. What cannot be read is stored as well, and refused."""
    fault = _fault(delivery)
    is_gone = fault is not None and _names_the_erased(hook, delivery, delivery_id, now)
    kept = _emptied(delivery) if is_gone else delivery
    digest = UUID(bytes=blake2b(delivery.body, digest_size=16).digest())
    # An id that nobody signed could be changed by whoever replays: then the body itself is its name.
    key = hash_uuid(str(hook.pk), "id" if delivery_id else "body", delivery_id or str(digest))
    status = ReceivedBody.Status.FAILED if fault else ReceivedBody.Status.WAITING
    values: list[Any] = [
        hook.pk, now, key, digest, "" if is_gone else delivery_id, delivery.content_type[:100],
        _kept_headers(hook, kept.headers), kept.body, status.value, fault.code if fault else "",
    ]  # fmt: skip
    with connection.wrap_database_errors, raw_cursor() as cursor:
        row = cursor.execute(_STORE, values).fetchone()
    fresh, stored = row if row is not None else (True, digest)
    if stored != digest:
        hint = "Give every delivery an id of its own."
        raise Refused("message_id_conflict", "Another body came under this id; the first one stands.", hint)
    if fault:
        raise Refused.of(fault)
    if fresh:
        bells.ring("engine")
    return bool(fresh)


def _fault(delivery: Delivery) -> Refusal | None:
    try:
        read_document(delivery.body, delivery.content_type)
    except Refused as error:
        return error.refusal
    return None


def _names_the_erased(hook: Hook, delivery: Delivery, delivery_id: str, now: datetime) -> bool:
    """A body that nobody can read names people all the same."""
    texts = (as_text(delivery.body), _kept_headers(hook, delivery.headers), delivery_id)
    sender = Sender(hook.source.namespace, hook.source.region)
    return any(naming_the_erased([Told(texts)], sender, now))


def _emptied(delivery: Delivery) -> Delivery:
    """What is left of a body that names somebody who was erased: how long it was."""
    return replace(delivery, headers={"content-length": str(len(delivery.body))}, body=b"")


def _kept_headers(hook: Hook, headers: Mapping[str, str]) -> str:
    without = _NOT_KEPT | {hook.header.lower()}
    kept = {name: value[:_MAX_HEADER] for name, value in headers.items() if name not in without}
    return json.dumps(dict(list(kept.items())[:_MAX_HEADERS])).replace("\\u0000", "")
