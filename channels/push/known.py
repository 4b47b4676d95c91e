"""Push services that have taken a push signed by a connector's key: what they refuse later is the subscription's fault,
and not that of our key."""

from typing import Final

from django.db import transaction
from psycopg.types.json import Jsonb

from channels.models import Connector
from channels.models.care import ConnectorState
from customers.pg import raw_cursor

_READ: Final = """
    SELECT DISTINCT known.key
    FROM channels_connector c JOIN channels_connectorstate s ON s.connector_id = c.id,
         jsonb_each_text(coalesce(s.known, '{}')) known
    WHERE c.config ->> 'public_key' = %(key)s AND known.value = %(key)s
"""
_KEEP: Final = """
    UPDATE channels_connectorstate SET known = coalesce(known, '{}') || %s WHERE connector_id = ANY(%s)
"""


class Known:
    """Those of a batch, and those of the batches before it, which are read when they are first asked for."""

    def __init__(self, public_key: str, *, is_kept: bool) -> None:
        self._key = public_key
        # Hosts that only a page named could be any number.
        self._is_kept = is_kept
        self._now: set[str] = set()
        self._before: frozenset[str] | None = None

    def __contains__(self, origin: str) -> bool:
        return origin in self._now or origin in self._earlier()

    def __bool__(self) -> bool:
        return bool(self._now or self._earlier())

    def took(self, origin: str) -> None:
        self._now.add(origin)

    def keep(self) -> None:
        """For later batches; when no lock is held any more."""
        fresh = self._now - self._earlier() if self._is_kept and self._now else set()
        if not fresh:
            return
        with transaction.atomic(), raw_cursor() as cursor:
            ids = list(Connector.objects.filter(config__public_key=self._key).values_list("pk", flat=True))
            rows = [ConnectorState(connector_id=id_) for id_ in sorted(ids)]
            ConnectorState.objects.bulk_create(rows, ignore_conflicts=True)
            cursor.execute(_KEEP, [Jsonb(dict.fromkeys(sorted(fresh), self._key)), ids])

    def _earlier(self) -> frozenset[str]:
        if self._before is None:
            self._before = self._read() if self._is_kept else frozenset()
        return self._before

    def _read(self) -> frozenset[str]:
        with raw_cursor() as cursor:
            return frozenset(origin for (origin,) in cursor.execute(_READ, {"key": self._key}).fetchall())
