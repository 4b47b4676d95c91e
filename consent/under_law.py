"""What the law that people are under objects to of what they granted, for purposes that weigh it and no others."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from consent.decision import Head
from consent.jurisdiction import Given, Under, law_of, objection
from consent.models import Purpose, State
from consent.weighing import Ask, Facts
from customers.duplicates import model
from customers.duplicates.records import TRAITS

# By whichever name a birth date is told.
_BORN: Final = ", ".join(f"traits ->> '{name}'" for name in TRAITS[model.BIRTH_DATE])
_PEOPLE: Final = f"SELECT id, country, ARRAY[{_BORN}] FROM customers_customer WHERE id = ANY(%b)"
# All that was granted since the last no: one that can be shown is enough, though it was repeated without proof.
_GRANTED: Final = """
    SELECT head.id, e.legal_basis, e.jurisdiction, e.notice_version_id IS NOT NULL, e.effective_at, e.valid_until
    FROM consent_consententry head
    JOIN consent_consententry e
        ON e.address_id = head.address_id AND e.purpose_id = head.purpose_id
       AND e.profile_id IS NOT DISTINCT FROM head.profile_id
       AND e.position <= head.position AND e.effective_at <= head.effective_at
    WHERE head.id = ANY(%(heads)b) AND e.state = ANY(%(permitting)b)
      AND (e.method <> 'claim' OR head.method = 'claim')
      AND NOT EXISTS (
          SELECT 1 FROM consent_consententry n
          WHERE n.address_id = head.address_id AND n.purpose_id = head.purpose_id
            AND n.profile_id IS NOT DISTINCT FROM head.profile_id AND n.position <= head.position
            AND n.effective_at BETWEEN e.effective_at AND head.effective_at
            AND n.state <> ALL(%(permitting)b) AND n.state <> ALL(%(undecided)b)
      )
"""


def object_to(
    cursor: Cursor[Any], asks: Sequence[Ask], facts: Sequence[Facts | None], moments: Sequence[datetime]
) -> None:
    """Mark the grants among the facts that are none under the law of whoever is asked for. People are taken as they
    are known today: where they live, and when they were born."""
    weighed = [
        (ask, known, moment)
        for ask, known, moment in zip(asks, facts, moments, strict=True)
        if known is not None and known.law and known.kind == Purpose.Kind.MARKETING
    ]
    granted = _granted(cursor, {head.entry_id for _ask, known, _at in weighed for head in known.heads if head.grants})
    if not granted:
        return
    people = _people(cursor, {ask.customer_id for ask, _known, _at in weighed})
    for ask, known, moment in weighed:
        country, born = people.get(ask.customer_id, ("", None))
        under = Under(law_of(country, known.law), country, born)
        known.heads[:] = [_marked(head, under, granted.get(head.entry_id, ()), moment) for head in known.heads]


def _marked(head: Head, under: Under, granted: Iterable[Given], moment: datetime) -> Head:
    standing = [one for one in granted if one.valid_until is None or one.valid_until > moment]
    found = [objection(under, one) for one in sorted(standing, key=lambda one: one.effective_at, reverse=True)]
    return head._replace(objection=found[0]) if found and all(found) else head


def _granted(cursor: Cursor[Any], heads: Collection[int]) -> dict[int, list[Given]]:
    if not heads:
        return {}
    asked = {"heads": list(heads), "permitting": sorted(State.permitting()), "undecided": sorted(State.undecided())}
    found: dict[int, list[Given]] = {}
    for entry_id, *given in cursor.execute(_GRANTED, asked).fetchall():
        found.setdefault(entry_id, []).append(Given(*given))
    return found


def _people(cursor: Cursor[Any], customers: Collection[UUID]) -> dict[UUID, tuple[str, date | None]]:
    rows = cursor.execute(_PEOPLE, [list(customers)]).fetchall()
    return {id_: (country, _born(told)) for id_, country, told in rows}


def _born(told: Iterable[str | None]) -> date | None:
    for text in told:
        try:
            return date.fromisoformat((text or "")[:10])
        except ValueError:
            continue
    return None
