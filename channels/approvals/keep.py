"""What a provider says of its templates, kept: the later word counts, whether it was asked for or told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.types.json import Jsonb

from channels.receipts.told import ToldTemplate
from customers.pg import raw_cursor

# Empty, and NULL, is what was not said.
_KEEP: Final = """
    INSERT INTO channels_approval AS a
        (connector_id, name, language, state, category, quality, reason, places, shows_image, heading_places,
         button_places, needs_more, as_of)
    SELECT t.connector_id, t.name, t.language, coalesce(nullif(t.state, ''), 'other'), t.category, t.quality, t.reason,
           t.places, coalesce(t.shows_image, false), t.heading_places, t.button_places, coalesce(t.needs_more, false),
           t.as_of
    FROM unnest(
        %(connectors)s::uuid[], %(names)s::text[], %(languages)s::text[], %(states)s::text[], %(categories)s::text[],
        %(qualities)s::text[], %(reasons)s::text[], %(places)s::int[], %(images)s::bool[], %(headings)s::int[],
        %(buttons)s::jsonb[], %(more)s::bool[], %(as_of)s::timestamptz[]
    ) AS t (connector_id, name, language, state, category, quality, reason, places, shows_image, heading_places,
            button_places, needs_more, as_of)
    ORDER BY 1, 2, 3
    ON CONFLICT (connector_id, name, language) DO UPDATE SET
        state = CASE WHEN %(is_whole)s OR excluded.state <> 'other' THEN excluded.state ELSE a.state END,
        reason = CASE WHEN %(is_whole)s OR excluded.state <> 'other' THEN excluded.reason ELSE a.reason END,
        category = coalesce(nullif(excluded.category, ''), a.category),
        quality = coalesce(nullif(excluded.quality, ''), a.quality),
        places = coalesce(excluded.places, a.places),
        shows_image = CASE WHEN %(is_whole)s THEN excluded.shows_image ELSE a.shows_image END,
        heading_places = CASE WHEN %(is_whole)s THEN excluded.heading_places ELSE a.heading_places END,
        button_places = CASE WHEN %(is_whole)s THEN excluded.button_places ELSE a.button_places END,
        needs_more = CASE WHEN %(is_whole)s THEN excluded.needs_more ELSE a.needs_more END,
        as_of = excluded.as_of
    WHERE a.as_of <= excluded.as_of
"""
_LONGEST: Final = {"name": 512, "language": 20, "category": 30, "quality": 20, "reason": 200}


def keep(told: Sequence[tuple[UUID, ToldTemplate, datetime]], *, is_whole: bool = False) -> None:
    """Of each connector, as of when it was said; `is_whole`: it was said with all that belongs to it."""
    latest: dict[tuple[UUID, str, str], tuple[UUID, ToldTemplate, datetime]] = {}
    for connector_id, one, as_of in sorted(told, key=lambda row: row[2]):
        latest[connector_id, one.name, one.language] = (connector_id, one, as_of)
    if not latest:
        return
    rows = list(latest.values())

    def cut(name: str) -> list[str]:
        return [getattr(one, name)[: _LONGEST[name]] for _id, one, _at in rows]

    values = {
        "connectors": [row[0] for row in rows],
        "names": cut("name"),
        "languages": cut("language"),
        "states": [one.state for _id, one, _at in rows],
        "categories": cut("category"),
        "qualities": cut("quality"),
        "reasons": cut("reason"),
        "places": [one.places for _id, one, _at in rows],
        "images": [one.shows_image for _id, one, _at in rows],
        "headings": [one.heading_places for _id, one, _at in rows],
        "buttons": [Jsonb(list(one.button_places)) for _id, one, _at in rows],
        "more": [one.needs_more for _id, one, _at in rows],
        "as_of": [row[2] for row in rows],
        "is_whole": is_whole,
    }
    with raw_cursor() as cursor:
        cursor.execute(_KEEP, values)


def forget_others(connector_id: UUID, since: datetime) -> None:
    """What was in no list that was read whole, and of which nothing was told since, is there no more."""
    with raw_cursor() as cursor:
        cursor.execute("DELETE FROM channels_approval WHERE connector_id = %s AND as_of < %s", [connector_id, since])
