"""The addresses that consent hangs on: found or made for many people at once."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from customers import erased
from customers.ids import new_id
from customers.models.address import Channel


class Place(NamedTuple):
    """Where a consent hangs: a normalised address of a channel, or a person."""

    channel: str
    value: str


def person(profile_id: UUID) -> Place:
    """The pseudo-address of a profile, for consent that names no address.

    Its row shares the profile's id, so that permission finds its heads without a join over text.
    """
    return Place(Channel.PERSON, str(profile_id))


_FIND = """
    SELECT a.channel, a.value, a.id
    FROM unnest(%b::text[], %b::text[]) AS t(channel, value)
    JOIN customers_address a ON a.value = t.value AND a.channel = t.channel
"""

_MAKE = """
    INSERT INTO customers_address (id, channel, value, original, created_at)
    SELECT t.id, t.channel, t.value, t.original, %b
    FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::text[]) AS t(id, channel, value, original)
    ON CONFLICT (value, channel) DO NOTHING RETURNING id, channel, value
"""


def ids_of(cursor: Cursor[Any], originals: Mapping[Place, str], now: datetime) -> dict[Place, UUID]:
    """The address of each place, made where there was none; `originals` holds the spelling first given."""
    found = _find(cursor, originals)
    # In one order for all writers, so that two of them never wait for each other.
    missing = sorted(
        (place for place in originals if place not in found), key=lambda place: (place.value, place.channel)
    )
    if missing:
        made = cursor.execute(
            _MAKE,
            [
                now,
                [_new_key(place) for place in missing],
                [place.channel for place in missing],
                [place.value for place in missing],
                [originals[place] for place in missing],
            ],
        ).fetchall()
        erased.note_new(cursor, made)
        found |= _find(cursor, missing)
    return found


def _find(cursor: Cursor[Any], places: Iterable[Place]) -> dict[Place, UUID]:
    wanted = list(places)
    cursor.execute(_FIND, [[place.channel for place in wanted], [place.value for place in wanted]])
    return {Place(channel, value): id_ for channel, value, id_ in cursor}


def _new_key(place: Place) -> UUID:
    return UUID(place.value) if place.channel == Channel.PERSON else new_id()
