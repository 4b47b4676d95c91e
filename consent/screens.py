"""People's own screens as addresses: in-app and web reach whoever signs in or visits, so their addresses are made of
the identifiers by which pages know people, and need not be told by anybody.

Of a person it is the profile under which they sign in to the brand, where its pages can prove who has signed in, else
that of their latest visit, if it is theirs by more than what a page claimed: any page may claim to be anybody's, and
would else be written what is theirs. The address has an id that follows from the profile, so that it can be chosen
before there is a row of it; the row comes with the first message.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from customers.ids import hash_uuid
from customers.kinds import ANONYMOUS_ID, USER_ID
from customers.models import Assurance, EdgeKind
from customers.models.address import Channel

CHANNELS: Final = frozenset((Channel.IN_APP.value, Channel.WEB.value))

# An identifier of too many people is nobody's; a name by which nobody can prove to be there is reached by nobody.
_THEIRS: Final = """
    SELECT i.profile_id, i.opened_at
    FROM customers_profile p
    JOIN customers_identifier i ON i.profile_id = p.id AND i.closed_at IS NULL AND i.shared_at IS NULL
    WHERE p.customer_id = want.customer_id AND i.kind_id = %(kind)s
      AND EXISTS (SELECT 1 FROM customers_source s WHERE s.brand_id = u.brand_id AND s.namespace = i.namespace)
"""
_PROVABLE: Final = """
    AND EXISTS (
        SELECT 1 FROM customers_visitorsecret v JOIN customers_source s ON s.id = v.source_id
        WHERE s.brand_id = u.brand_id AND s.namespace = i.namespace AND v.ended_at IS NULL
    )
"""
# By what else the customer is known: by names to sign in with, else by anything.
_ANCHORS: Final = """
    SELECT coalesce(array_agg(p.id) FILTER (WHERE i.kind_id = %(user)s), array_agg(p.id)) AS ids
    FROM customers_profile p JOIN customers_identifier i ON i.profile_id = p.id
    WHERE signed.profile_id IS NULL AND p.customer_id = want.customer_id AND i.kind_id <> %(visit)s
"""
# Whatever more than claims of pages joins to the first of them, as customers/visitors/profiles.py walks.
_JOINED: Final = """
    WITH RECURSIVE joined(id) AS (
        SELECT anchors.ids[1] WHERE anchors.ids IS NOT NULL
        UNION
        SELECT p.id FROM joined
        CROSS JOIN LATERAL (
            SELECT e.high_id AS id FROM customers_edge e
            WHERE e.low_id = joined.id AND e.kind = ANY(%(edges)s) AND NOT e.skipped AND e.assurance > %(claimed)s
            UNION ALL
            SELECT e.low_id FROM customers_edge e
            WHERE e.high_id = joined.id AND e.kind = ANY(%(edges)s) AND NOT e.skipped AND e.assurance > %(claimed)s
        ) next
        JOIN customers_profile p ON p.id = next.id AND p.customer_id = want.customer_id
    )
    SELECT array_agg(id) AS ids FROM (SELECT id FROM joined LIMIT %(most)s) near
"""
# A visit counts if all of these are joined to it: where one is not, who may have joined two strangers is a page.
_SURE: Final = """
    AND signed.profile_id IS NULL
    AND (anchors.ids IS NULL OR (i.profile_id = ANY(surely.ids) AND anchors.ids <@ surely.ids))
"""
_FIND: Final = f"""
    SELECT want.n, coalesce(signed.profile_id, visited.profile_id), coalesce(signed.opened_at, visited.opened_at)
    FROM unnest(%(customers)s::uuid[], %(purposes)s::uuid[]) WITH ORDINALITY AS want(customer_id, purpose_id, n)
    JOIN consent_purpose u ON u.id = want.purpose_id
    LEFT JOIN LATERAL (
        {_THEIRS % {"kind": "%(user)s"}} {_PROVABLE} ORDER BY i.opened_at DESC, i.profile_id LIMIT 1
    ) signed ON true
    CROSS JOIN LATERAL ({_ANCHORS}) anchors
    CROSS JOIN LATERAL ({_JOINED}) surely
    LEFT JOIN LATERAL (
        {_THEIRS % {"kind": "%(visit)s"}} {_SURE} ORDER BY i.opened_at DESC, i.profile_id LIMIT 1
    ) visited ON true
    WHERE coalesce(signed.profile_id, visited.profile_id) IS NOT NULL
"""
# So many profiles of one customer are walked; whoever has more is reached where they sign in alone.
_MOST: Final = 200
_MAKE: Final = """
    INSERT INTO customers_address (id, channel, value, original, created_at)
    SELECT u.id, u.channel, u.profile_id::text, u.profile_id::text, %b
    FROM unnest(%b::uuid[], %b::text[], %b::uuid[]) AS u(id, channel, profile_id)
    WHERE NOT EXISTS (SELECT 1 FROM customers_address a WHERE a.id = u.id)
    ORDER BY u.id ON CONFLICT DO NOTHING
"""
_SEEN: Final = """
    INSERT INTO customers_addressprofile (profile_id, address_id, first_seen_at, last_seen_at)
    SELECT u.profile_id, u.id, %b, %b FROM unnest(%b::uuid[], %b::uuid[]) AS u(id, profile_id)
    WHERE NOT EXISTS (
        SELECT 1 FROM customers_addressprofile p WHERE p.profile_id = u.profile_id AND p.address_id = u.id
    )
    ORDER BY u.profile_id, u.id ON CONFLICT DO NOTHING
"""


class Screen(NamedTuple):
    """The place of somebody's own for one want, by its number from 0."""

    n: int
    profile_id: UUID
    seen_at: datetime


def find(cursor: Cursor[Any], customers: Sequence[UUID], purposes: Sequence[UUID]) -> list[Screen]:
    """Where each of these is reached, by one statement; whoever neither signs in nor visits for sure is nowhere."""
    values = {
        "customers": list(customers),
        "purposes": list(purposes),
        "user": USER_ID,
        "visit": ANONYMOUS_ID,
        "edges": [EdgeKind.JOIN.value, EdgeKind.ALIAS.value],
        "claimed": Assurance.CLAIMED.value,
        "most": _MOST,
    }
    rows = cursor.execute(_FIND, values, prepare=True).fetchall()
    return [Screen(n - 1, profile_id, seen_at) for n, profile_id, seen_at in rows]


def address_id(channel: str, profile_id: UUID) -> UUID:
    return hash_uuid("screen", channel, str(profile_id))


def make(cursor: Cursor[Any], chosen: Iterable[tuple[str, UUID]], now: datetime) -> None:
    """Write the addresses of these (channel, profile) that have no row yet."""
    wanted = sorted({(address_id(*one), *one) for one in chosen})
    if not wanted:
        return
    ids, channels, profiles = map(list, zip(*wanted, strict=True))
    cursor.execute(_MAKE, [now, ids, channels, profiles], prepare=True)
    cursor.execute(_SEEN, [now, now, ids, profiles], prepare=True)
