"""The secrets by which a shop's server signs the tokens of its visitors: made, read and ended."""

import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from customers.models import Source
from customers.models.visitor import VisitorSecret
from customers.sealing import SecretError, open_sealed, seal

# So many are good at once: the one in use and its successor, with one to spare.
MOST: Final = 3
_GOOD: Final = (
    "SELECT id, secret FROM customers_visitorsecret WHERE source_id = %s AND (ended_at IS NULL OR ended_at > %s)"
    " ORDER BY created_at DESC, id DESC LIMIT %s"
)


class TooManySecrets(ValueError):
    """So many are in force already."""


def place(row: VisitorSecret) -> str:
    return _place(row.pk)


def _place(id_: UUID) -> str:
    return f"customers_visitorsecret:{id_}:secret"


@transaction.atomic
def issue(source: Source, now: datetime) -> tuple[VisitorSecret, str]:
    """A new secret of 256 random bits; the text cannot be shown again."""
    Source.objects.select_for_update().get(pk=source.pk)
    there = VisitorSecret.objects.filter(source=source)
    if sum(one.is_good(now) for one in there) >= MOST:
        raise TooManySecrets(str(source))
    text = secrets.token_urlsafe(32)
    made = VisitorSecret(source=source)
    made.secret = seal({"secret": text}, place(made))
    made.save()
    return made, text


def end(row: VisitorSecret, now: datetime) -> None:
    """From now on its tokens prove nothing."""
    if row.is_good(now):
        row.ended_at = now
        row.save(update_fields=["ended_at"])


def good_of(source_id: UUID, now: datetime) -> list[tuple[str, str]]:
    """(id, secret) of those in force, the newest first; one that does not open proves nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_GOOD, [source_id, now, MOST])
        rows = cursor.fetchall()
    return [(str(id_), text) for id_, sealed in rows if (text := _opened(id_, bytes(sealed)))]


def _opened(id_: UUID, sealed: bytes) -> str:
    try:
        return str(open_sealed(sealed, _place(id_)).get("secret") or "")
    except SecretError:
        return ""
