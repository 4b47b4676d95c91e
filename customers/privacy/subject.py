"""Whom a privacy request is about: the customers, profiles and addresses that are theirs, and the words for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from django.db import connection

from customers import erased
from customers.accept.naming import digest as naming_digest
from customers.ids import NIL, hash64
from customers.kinds import EMAIL, PHONE
from customers.privacy import patterns


class Mentions(NamedTuple):
    """Where else a profile tells of an address that it was never seen with. `theirs` is SQL for the addresses that the
    profiles tell of, `others` SQL true of an address `a` that others tell of, as surely as they."""

    theirs: str
    others: str


_mentions: list[Mentions] = []


def register(*mentions: Mentions) -> None:
    _mentions.extend(one for one in mentions if one not in _mentions)


class Naming(NamedTuple):
    """One name of somebody: as it is compared, and as it was given."""

    namespace: UUID
    kind: str
    value: str
    original: str


# Everybody who goes by one of the names, and everybody known as the same person.
_PROFILES: Final = """
    SELECT p.id, p.customer_id FROM customers_profile p WHERE p.customer_id IN (
        SELECT o.customer_id
        FROM unnest(%(spaces)s::uuid[], %(kinds)s::text[], %(names)s::text[]) AS u(space, kind, name)
        JOIN customers_identifier i ON i.value = u.name AND i.kind_id = u.kind AND i.namespace = u.space
        JOIN customers_profile o ON o.id = i.profile_id WHERE i.closed_at IS NULL
    ) OR p.customer_id = ANY(%(customers)s)
    ORDER BY p.id
"""
# Whether the value means somebody else as well: a device handed on, or a telephone of many.
_NAMES: Final = """
    SELECT i.namespace, i.kind_id, i.value, i.original,
           i.shared_at IS NOT NULL OR EXISTS (
               SELECT 1 FROM customers_identifier o WHERE o.value = i.value AND o.kind_id = i.kind_id
                 AND o.namespace = i.namespace AND o.closed_at IS NULL AND NOT o.profile_id = ANY(%(profiles)s)
           )
    FROM customers_identifier i WHERE i.profile_id = ANY(%(profiles)s) ORDER BY i.id
"""
# An address is others' as well, unless all that they have is a claim and the subject has more. The profile of the
# address itself is grouped with whoever claimed it first, and makes nobody its owner beside others.
_ADDRESSES: Final = """
    SELECT a.id, a.channel, a.value, a.original, EXISTS (
        SELECT 1 FROM customers_addressprofile o
        WHERE o.address_id = a.id AND NOT o.profile_id = ANY(%(profiles)s)
          AND NOT EXISTS (
              SELECT 1 FROM customers_identifier i JOIN customers_profile p ON p.id = i.profile_id
              JOIN customers_profile s ON s.customer_id = p.customer_id AND s.id <> p.id
              WHERE i.profile_id = o.profile_id AND i.value = a.value AND i.kind_id IN ('email', 'phone')
          ) AND (o.assurance > 1 OR NOT EXISTS (
              SELECT 1 FROM customers_addressprofile own
              WHERE own.address_id = a.id AND own.profile_id = ANY(%(profiles)s) AND own.assurance > 1
          ))
    ){others}
    FROM customers_address a
    WHERE a.id IN (SELECT address_id FROM customers_addressprofile WHERE profile_id = ANY(%(profiles)s){theirs})
       OR (a.channel <> 'person' AND a.value = ANY(%(reached)s)) OR a.id = ANY(%(profiles)s)
    ORDER BY a.id
"""
# The profiles of what is theirs, whoever claimed it; and whether there is more to the customer.
_CLAIMED: Final = """
    SELECT i.profile_id, p.customer_id,
           EXISTS (SELECT 1 FROM customers_profile s WHERE s.customer_id = p.customer_id AND s.id <> p.id)
    FROM customers_identifier i JOIN customers_profile p ON p.id = i.profile_id
    WHERE i.kind_id IN ('email', 'phone') AND i.value = ANY(%(values)s) AND i.closed_at IS NULL
      AND NOT i.profile_id = ANY(%(profiles)s)
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """`names` are theirs alone, and so are `addresses`; `shared_names` and `shared_addresses` others use as well: of
    those their own part goes and the rest stays."""

    customers: tuple[UUID, ...] = ()
    profiles: tuple[UUID, ...] = ()
    names: tuple[Naming, ...] = ()
    shared_names: tuple[Naming, ...] = ()
    addresses: tuple[UUID, ...] = ()
    shared_addresses: tuple[UUID, ...] = ()
    # By channel and value: what is suppressed for ever, as a keyed hash.
    reached: tuple[tuple[UUID, str, str], ...] = ()
    at: datetime | None = None

    @classmethod
    def from_json(cls, held: dict[str, Any]) -> Self:
        def ids(name: str) -> tuple[UUID, ...]:
            return tuple(UUID(one) for one in held[name])

        def names(name: str) -> tuple[Naming, ...]:
            return tuple(Naming(UUID(one[0]), *one[1:]) for one in held[name])

        return cls(
            ids("customers"), ids("profiles"), names("names"), names("shared_names"), ids("addresses"),
            ids("shared_addresses"), tuple((UUID(one[0]), one[1], one[2]) for one in held["reached"]),
            datetime.fromisoformat(held["at"]) if held["at"] else None,
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        return {
            "customers": [str(one) for one in self.customers],
            "profiles": [str(one) for one in self.profiles],
            "names": [[str(one.namespace), *one[1:]] for one in self.names],
            "shared_names": [[str(one.namespace), *one[1:]] for one in self.shared_names],
            "addresses": [str(one) for one in self.addresses],
            "shared_addresses": [str(one) for one in self.shared_addresses],
            "reached": [[str(id_), channel, value] for id_, channel, value in self.reached],
            "at": self.at.isoformat() if self.at else None,
        }

    @property
    def words(self) -> frozenset[str]:
        """Every spelling by which they are known and nobody else is."""
        own = {word for one in self.names for word in (one.value, one.original)}
        return frozenset(own | {value for _id, _channel, value in self.reached})

    def values(self) -> dict[str, Any]:
        """What the SQL of stores may name."""
        # An address is a name as well; it means the same wherever it stands.
        mentioned = {(one.namespace, word) for one in self.names for word in (one.value, one.original)}
        mentioned |= {(NIL, value) for _id, _channel, value in self.reached}
        ordered = sorted(mentioned, key=lambda pair: (pair[0].int, pair[1]))
        return {
            "customers": list(self.customers),
            "profiles": list(self.profiles),
            "addresses": list(self.addresses),
            "all_addresses": [*self.addresses, *self.shared_addresses],
            "keys": [hash64(str(one.namespace), one.kind, one.value) for one in self.names],
            "naming": [naming_digest(word) for _space, word in ordered],
            "naming_spaces": [space for space, _word in ordered],
            **patterns.values(ordered),
            "ids": [f'%"{one}"%' for one in (*self.customers, *self.profiles)],
            "at": self.at,
            # What is filed under a name of several may be meant by another of them.
            "digests": [erased.digest(*one[:3]).hex() for one in self.names],
        }


def find(names: Iterable[Naming], customers: Sequence[UUID] = ()) -> Subject:
    """The person of these names, whole: with whatever else is known to be the same one."""
    asked = list(names)
    with connection.cursor() as cursor:
        given: dict[str, Any] = {
            "spaces": [one.namespace for one in asked],
            "kinds": [one.kind for one in asked],
            "names": [one.value for one in asked],
            "customers": list(customers),
        }
        cursor.execute(_PROFILES, given)
        rows = cursor.fetchall()
        profiles = [row[0] for row in rows]
        cursor.execute(_NAMES, {"profiles": profiles})
        known = [(Naming(*row[:4]), row[4]) for row in cursor.fetchall()]
        held = {one[:3] for one, _shared in known}
        # Named by the request and by nobody yet: something refused may name them all the same.
        known += [(one, False) for one in asked if one[:3] not in held]
        values = [one.value for one, shared in known if one.kind in (EMAIL, PHONE) and not shared]
        cursor.execute(_addresses(), {"profiles": profiles, "reached": values})
        addresses = cursor.fetchall()
        claimed = _claimed(cursor, addresses, profiles)
        if claimed:
            cursor.execute(_NAMES, {"profiles": [one for one, _customer, _more in claimed]})
            known += [(Naming(*row[:4]), row[4]) for row in cursor.fetchall()]
    shared_values = {row[2] for row in addresses if row[4]}
    own = tuple(one for one, shared in known if not shared and one.value not in shared_values)
    return Subject(
        customers=tuple(sorted({row[1] for row in rows} | set(customers) | {row[1] for row in claimed if not row[2]})),
        profiles=tuple(sorted({*profiles, *(row[0] for row in claimed)})),
        names=own,
        shared_names=tuple(one for one, _shared in known if one not in own),
        addresses=tuple(row[0] for row in addresses if not row[4]),
        shared_addresses=tuple(row[0] for row in addresses if row[4]),
        reached=tuple((row[0], row[1], row[2]) for row in addresses if not row[4] and row[1] != "person"),
    )


def _addresses() -> str:
    """Who was seen with an address comes before who merely tells of it."""
    seen = "EXISTS (SELECT 1 FROM customers_addressprofile WHERE address_id = a.id AND profile_id = ANY(%(profiles)s))"
    return _ADDRESSES.format(
        theirs="".join(f" UNION ALL {one.theirs}" for one in _mentions),
        others="".join(f" OR NOT {seen} AND {one.others}" for one in _mentions),
    )


def _claimed(cursor: Any, addresses: Iterable[Any], profiles: Sequence[UUID]) -> list[Any]:
    values = [row[2] for row in addresses if not row[4] and row[1] != "person"]
    cursor.execute(_CLAIMED, {"values": values, "profiles": list(profiles)})
    return list(cursor.fetchall())
