"""What asked for a message, as far as it matters that something followed from it: higher apps say how far their own are
from what came from outside, so that messages and journeys that feed each other come to an end."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from psycopg import Cursor

from customers.internal import Cause

# By origin id, what it followed from.
Causes = Callable[[Cursor[Any], Collection[str]], Mapping[str, Cause]]

_causes: dict[str, Causes] = {}


def register(origin_kind: str, causes: Causes) -> None:
    _causes[origin_kind] = causes


def causes_of(cursor: Cursor[Any], origins: Collection[tuple[str, str]]) -> dict[tuple[str, str], Cause]:
    """By (kind, id), what each followed from; those of whom nobody says anything followed from nothing."""
    found: dict[tuple[str, str], Cause] = {}
    for kind, asked in _causes.items():
        ids = {id_ for of, id_ in origins if of == kind}
        if ids:
            found |= {(kind, id_): cause for id_, cause in asked(cursor, ids).items()}
    return found
