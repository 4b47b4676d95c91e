"""The ledgers' tables taken at a time and put back later, as a restored database has them; anchors are not in it."""

from collections.abc import Mapping
from typing import Final

from django.db import connection

from tests.consent.ledgers import unguarded

_TABLES: Final = (
    "consent_consententry",
    "consent_consentevidence",
    "consent_consentchain",
    "consent_consenthead",
    "consent_erasedevidence",
    "consent_noticeversion",
    "consent_noticetext",
    "consent_ledgeranchor",
    "customers_auditentry",
)
# Numbers are given again after a restore.
_NUMBERED: Final = ("consent_consententry", "consent_ledgeranchor", "consent_noticeversion", "customers_auditentry")

Backup = Mapping[str, bytes]


def take() -> Backup:
    with connection.cursor() as cursor:
        rows: dict[str, bytes] = {}
        for table in _TABLES:
            with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
                rows[table] = b"".join(bytes(part) for part in copy)
        return rows


def restore(backup: Backup) -> None:
    unguarded(*((f"DELETE FROM {table}", []) for table in _TABLES))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in _TABLES:
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                copy.write(backup[table])
        cursor.execute("RESET session_replication_role")
        for table in _NUMBERED:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce(max(id), 0) + 1, false) FROM {table}"
            )
