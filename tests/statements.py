"""Statements counted where all of them pass: raw cursors go past Django's own counter."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement made meanwhile, as it was written."""
    made: list[str] = []
    execute: Callable[..., object] = psycopg.Cursor.execute

    def noting(cursor: object, query: object, *given: object, **more: object) -> object:
        made.append(str(query))
        return execute(cursor, query, *given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("psycopg.Cursor.execute", noting)
        yield made
