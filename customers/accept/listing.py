"""Which event types a source lists, and the version each is held to where an event names none."""

from collections.abc import Mapping
from uuid import UUID

from django.db import connection

from customers.belief import Belief

Listed = Mapping[tuple[UUID, str], int | None]


def _load() -> Listed:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.source_id, t.name, s.default_version FROM customers_sourceeventtype s"
            " JOIN customers_eventtype t ON t.id = s.event_type_id"
        )
        return {(source, name): number for source, name, number in cursor.fetchall()}


# A type's name never changes, so the rows alone say whether anything has.
_listed: Belief[Listed] = Belief(("customers_sourceeventtype",), _load)

current = _listed.current
