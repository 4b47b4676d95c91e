"""How metrics ask the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection


def rows(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of one statement: what one statement counts, it counts at one moment."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
