"""Find what the database cannot hold: halve a batch until the item at fault stands alone."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from django.db import DataError, connection, transaction

Item = TypeVar("Item")


def undoable() -> AbstractContextManager[object]:
    """A savepoint where a failed statement would spoil somebody's transaction; alone, a statement undoes itself."""
    return transaction.atomic() if connection.in_atomic_block else nullcontext()


def state_of(error: DataError) -> str:
    """Which SQLSTATE it is; the class itself where the driver refused before the database could."""
    return getattr(error.__cause__, "sqlstate", None) or "22000"


def apart(items: Sequence[Item], write: Callable[[Sequence[Item]], object]) -> list[tuple[Item, str]]:
    """Have everything written but what the database cannot hold; return that, each with its SQLSTATE.

    `write` is one statement. Only data errors are caught: any other failure says nothing about the items.
    """
    if not items:
        return []
    try:
        with undoable():
            write(items)
    except DataError as error:
        if len(items) == 1:
            return [(items[0], state_of(error))]
    else:
        return []
    middle = len(items) // 2
    return apart(items[:middle], write) + apart(items[middle:], write)
