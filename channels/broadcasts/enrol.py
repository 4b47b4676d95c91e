"""Taking people in: whoever was in the segment as the broadcast began, in pieces, each with where it got to.

Members are gone through in the order of their profiles. Who has left since it began was in it then, and comes last. A
worker that dies between two pieces has lost nothing, and whoever goes on takes nobody in twice.
"""

import time
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from psycopg import Cursor

from channels.broadcasts.states import NotThere, State, keep_at, move
from channels.models import Broadcast
from customers.ids import NIL
from customers.pg import raw_cursor

PIECE: Final = 20_000

# One takes in, others pass by.
_TURN: Final = """
    SELECT after_profile, are_members_in, after_left_at, after_left_id
    FROM channels_broadcastprogress WHERE broadcast_id = %b FOR UPDATE SKIP LOCKED
"""
_MEMBERS: Final = """
    SELECT m.profile_id, m.customer_id, m.profile_id AS at_profile, NULL::timestamptz AS at, 0::bigint AS id
    FROM customers_segmentmembership m
    WHERE m.segment_id = %(segment)s AND m.left_at IS NULL AND m.profile_id > %(after_profile)s
      AND m.entered_at <= %(begun)s
    ORDER BY m.profile_id LIMIT %(piece)s
"""
_LEFT: Final = """
    SELECT m.profile_id, m.customer_id, NULL::uuid AS at_profile, m.left_at AS at, m.id
    FROM customers_segmentmembership m
    WHERE m.segment_id = %(segment)s AND m.left_at IS NOT NULL AND m.left_at > %(begun)s
      AND (m.left_at, m.id) > (%(after_left_at)s::timestamptz, %(after_left_id)s) AND m.entered_at <= %(begun)s
    ORDER BY m.left_at, m.id LIMIT %(piece)s
"""
_NO_ZONE: Final = "0"
# Whose zone nobody knows is where the brand is.
_ZONE: Final = "coalesce(z.number, %(usual_zone)s)"
_WITH_ZONE: Final = """
    LEFT JOIN customers_customer c ON c.id = people.customer_id LEFT JOIN zones z ON z.name = c.zone
"""
_NOBODY_FIRST: Final = "false"
# Who is in the pilot group follows from who they are and which broadcast it is: the same, however often it is asked.
_FIRST: Final = """
    ('x' || substr(md5(%(salt)s || people.profile_id::text), 1, 8))::bit(32)::bigint * 100
        < %(percent)s::bigint * 4294967296
"""
_PILOTS: Final = "SELECT pilots FROM channels_broadcastprogress WHERE broadcast_id = %b"
_ONE_FIRST: Final = """
    WITH chosen AS (
        UPDATE channels_broadcastrecipient SET is_pilot = true WHERE id = (
            SELECT id FROM channels_broadcastrecipient
            WHERE broadcast_id = %(broadcast)s AND NOT is_pilot AND outcome = ''
            ORDER BY md5(%(salt)s || profile_id::text) LIMIT 1
        )
        RETURNING broadcast_id
    )
    UPDATE channels_broadcastprogress p SET pilots = 1 FROM chosen WHERE p.broadcast_id = chosen.broadcast_id
"""
_TAKE_IN: Final = """
    WITH zones AS MATERIALIZED (
        SELECT name, (number - 1)::smallint AS number FROM unnest(%(zones)s::text[]) WITH ORDINALITY AS z(name, number)
    ), people AS MATERIALIZED ({people}), taken AS (
        INSERT INTO channels_broadcastrecipient (broadcast_id, profile_id, zone, is_pilot, outcome)
        SELECT %(broadcast)s, people.profile_id, {zone}, {first}, '' FROM people {joined}
        ON CONFLICT (profile_id, broadcast_id) DO NOTHING
        RETURNING is_pilot
    ), last AS (
        SELECT count(*) AS seen, (array_agg(at_profile ORDER BY at_profile DESC))[1] AS profile,
               max(at) AS at, (array_agg(id ORDER BY at DESC NULLS LAST, id DESC))[1] AS id
        FROM people
    )
    UPDATE channels_broadcastprogress p SET
        after_profile = coalesce(last.profile, p.after_profile),
        after_left_at = coalesce(last.at, p.after_left_at),
        after_left_id = CASE WHEN last.at IS NULL THEN p.after_left_id ELSE last.id END,
        are_members_in = p.are_members_in OR (%(members)s AND last.seen < %(piece)s),
        recipients = p.recipients + (SELECT count(*) FROM taken),
        pilots = p.pilots + (SELECT count(*) FROM taken WHERE is_pilot)
    FROM last WHERE p.broadcast_id = %(broadcast)s
    RETURNING last.seen
"""


def enrol(broadcast: Broadcast, now: datetime, until: float, piece: int = PIECE) -> bool:
    """Take in for as long as there is time, or until all are in; whether anything was done. Nothing is where another is
    at it."""
    done = False
    try:
        while time.monotonic() < until and (goes_on := enrol_piece(broadcast, now, piece)) is not None:
            done = True
            if not goes_on:
                break
    except NotThere:
        # It was paused or stopped just now: the last piece is undone, and taken in again if it goes on.
        return done
    return done


def enrol_piece(broadcast: Broadcast, now: datetime, piece: int = PIECE) -> bool | None:
    """One piece in a transaction of its own: whether there are more. None where it is not to be done, or not by us."""
    with transaction.atomic(), raw_cursor() as cursor:
        if keep_at(cursor, broadcast.pk, (State.ENROLLING,)) is None:
            return None
        row = cursor.execute(_TURN, [broadcast.pk]).fetchone()
        if row is None:
            return None
        after_profile, are_members_in, after_left_at, after_left_id = row
        values = _values(broadcast, piece)
        values |= {"after_profile": after_profile or NIL, "after_left_at": after_left_at or broadcast.begun_at}
        values |= {"after_left_id": after_left_id, "members": not are_members_in}
        seen = _take_in(cursor, broadcast, values)
        if not are_members_in or seen == piece:
            return True
        _all_are_in(cursor, broadcast, now)
    return False


def _values(broadcast: Broadcast, piece: int) -> dict[str, Any]:
    zones = list(broadcast.zones)
    return {
        "broadcast": broadcast.pk,
        "segment": broadcast.segment_id,
        "begun": broadcast.begun_at,
        "piece": piece,
        "zones": zones,
        "usual_zone": zones.index(broadcast.brand.zone) if broadcast.brand.zone in zones else 0,
        "salt": _salt(broadcast),
        "percent": broadcast.pilot_percent or 0,
    }


def _take_in(cursor: Cursor[Any], broadcast: Broadcast, values: dict[str, Any]) -> int:
    query = _TAKE_IN.format(
        people=_MEMBERS if values["members"] else _LEFT,
        zone=_ZONE if broadcast.zones else _NO_ZONE,
        joined=_WITH_ZONE if broadcast.zones else "",
        first=_FIRST if broadcast.pilot_percent else _NOBODY_FIRST,
    )
    [[seen]] = cursor.execute(query, values).fetchall()
    return int(seen)


def _all_are_in(cursor: Cursor[Any], broadcast: Broadcast, now: datetime) -> None:
    first = broadcast.pilot_percent and _has_pilots(cursor, broadcast)
    move(broadcast.pk, State.PILOT if first else State.SENDING, now, begins=(State.ENROLLING,))
    Broadcast.objects.filter(pk=broadcast.pk).update(is_enrolled=True)


def _has_pilots(cursor: Cursor[Any], broadcast: Broadcast) -> bool:
    """Of few people a small share may be nobody: then one of them goes first. False where nobody was taken in."""
    [[pilots]] = cursor.execute(_PILOTS, [broadcast.pk]).fetchall()
    if pilots:
        return True
    values = {"broadcast": broadcast.pk, "salt": _salt(broadcast)}
    return cursor.execute(_ONE_FIRST, values).rowcount == 1


def _salt(broadcast: Broadcast) -> str:
    return f"{broadcast.pk}:"
