"""Doorbells: tell the workers that there is work, best effort; the work itself is rows in the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import transaction

_ringers: list[Callable[[str], None]] = []


def register(ringer: Callable[[str], None]) -> None:
    """Let `ringer(queue)` carry the bell; it must neither wait nor raise."""
    if ringer not in _ringers:
        _ringers.append(ringer)


@contextmanager
def silence() -> Iterator[None]:
    """Ring nobody meanwhile: for whoever does all the work alone."""
    ringers = _ringers[:]
    _ringers.clear()
    try:
        yield
    finally:
        _ringers.extend(ringers)


def ring(queue: str) -> None:
    """Ring once the present transaction has committed (at once when there is none)."""

    def carry() -> None:
        for ringer in _ringers:
            ringer(queue)

    transaction.on_commit(carry)
