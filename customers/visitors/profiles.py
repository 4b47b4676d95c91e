"""Whose things a visitor may see: profiles, by what was proven and not by what was claimed.

An anonymous id is known to its browser alone, so it proves that browser's own profile and nothing that was joined to
it: any page may claim to be anybody's, and would else read what is theirs. Who is signed in by a token has their own
profile and all that were joined to it by more than claims of pages.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from customers import kinds
from customers.accept.refusal import Refused
from customers.identifiers import IdentifierError
from customers.keys import Writer
from customers.kinds import ANONYMOUS_ID, USER_ID
from customers.models import Assurance, EdgeKind
from customers.pg import raw_cursor

_MOST: Final = 200
_FIND: Final = """
    SELECT i.kind_id, p.id, p.customer_id FROM unnest(%s::text[], %s::text[]) AS u(kind, value)
    JOIN customers_identifier i ON i.kind_id = u.kind AND i.value = u.value AND i.namespace = %s
      AND i.closed_at IS NULL AND i.shared_at IS NULL
    JOIN customers_profile p ON p.id = i.profile_id
"""
# Only as far as the customer goes: who was taken apart from them is somebody else, whatever once joined them. Of more
# than are looked at, the latest: the same at every look.
_JOINED: Final = """
    WITH RECURSIVE known(id) AS (
        SELECT %(profile)s::uuid
        UNION
        SELECT p.id FROM known
        CROSS JOIN LATERAL (
            SELECT e.high_id AS id FROM customers_edge e
            WHERE e.low_id = known.id AND e.kind = ANY(%(kinds)s) AND NOT e.skipped AND e.assurance > %(claimed)s
            UNION ALL
            SELECT e.low_id FROM customers_edge e
            WHERE e.high_id = known.id AND e.kind = ANY(%(kinds)s) AND NOT e.skipped AND e.assurance > %(claimed)s
        ) next
        JOIN customers_profile p ON p.id = next.id AND p.customer_id = %(customer)s
    )
    SELECT id FROM known ORDER BY id DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Profiles with their customers: the proven one's, and that of the browser; none of who is not known yet."""

    customers: dict[UUID, UUID]

    @property
    def profiles(self) -> list[UUID]:
        return sorted(self.customers)


def find(writer: Writer, user: str, anonymous: str, now: datetime) -> Visitor:
    """`user` was proven, `anonymous` is the browser's own; either may be empty."""
    given = {
        USER_ID: _read(USER_ID, user, now, "/token"),
        ANONYMOUS_ID: _read(ANONYMOUS_ID, anonymous, now, "/anonymousId"),
    }
    named = {kind: value for kind, value in given.items() if value}
    customers: dict[UUID, UUID] = {}
    if not named:
        return Visitor(customers)
    with raw_cursor() as cursor:
        rows = cursor.execute(_FIND, [list(named), list(named.values()), writer.namespace]).fetchall()
        for kind, profile, customer in rows:
            customers[profile] = customer
            if kind == USER_ID:
                customers |= dict.fromkeys(_joined(cursor, profile, customer), customer)
    return Visitor(customers)


def _joined(cursor: object, profile: UUID, customer: UUID) -> list[UUID]:
    values = {
        "profile": profile,
        "customer": customer,
        "kinds": [EdgeKind.JOIN.value, EdgeKind.ALIAS.value],
        "claimed": Assurance.CLAIMED.value,
        "most": _MOST,
    }
    return [row[0] for row in cursor.execute(_JOINED, values).fetchall()]  # type: ignore[attr-defined]  # psycopg's


def _read(kind: str, value: str, now: datetime, where: str) -> str:
    """As it is compared; raises Refused of what is no identifier."""
    if not value:
        return ""
    try:
        return kinds.current(now)[kind].read(value)[0]
    except IdentifierError as error:
        raise Refused("invalid_identifier", "This is no identifier.", str(error), where) from None
