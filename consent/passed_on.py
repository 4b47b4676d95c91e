"""A phone number that went to somebody else: the former owner's grants end at it, what they refused stays.

Carriers give a number to the next customer some months after it was given up (in Brazil after 90 days at the earliest).
So where another person is told of with a number that its former owner was not seen with for that long, the former's
grants at it are invalidated, each by an entry that names the event. People who share a phone are both seen with it.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from consent import queue
from consent.models import Method, State
from consent.queue import Item
from customers.consumers import Resolved, ResolvedEvent
from customers.kinds import PHONE
from customers.models.address import Channel
from customers.models.identity import Assurance
from customers.pg import raw_cursor

SILENCE: Final = timedelta(days=90)
# The number has a profile of its own, which whoever is told of with it is seen by.
_OWN: Final = "NOT EXISTS (SELECT 1 FROM customers_identifier i WHERE i.profile_id = o.id AND i.kind_id = 'phone')"
_CHANNELS: Final = [Channel.SMS.value, Channel.WHATSAPP.value, Channel.CALL.value]
_FORMER: Final = f"""
    WITH passed AS (
        SELECT u.n, u.at, a.id AS address_id, o.customer_id
        FROM unnest(%(values)b::text[], %(customers)b::uuid[], %(times)b::timestamptz[])
             WITH ORDINALITY AS u(value, customer_id, at, n)
        JOIN customers_address a ON a.channel = ANY(%(channels)b) AND a.value = u.value
        JOIN customers_addressprofile seen ON seen.address_id = a.id
        JOIN customers_profile o ON o.id = seen.profile_id AND o.customer_id <> u.customer_id
        WHERE {_OWN}
        GROUP BY 1, 2, 3, 4 HAVING max(seen.last_seen_at) < u.at - %(silence)b
    ), ended AS (
        -- What was granted for the number, or for the person whatever the address.
        SELECT x.n, x.address_id, o.id AS profile_id, h.purpose_id
        FROM passed x JOIN customers_profile o ON o.customer_id = x.customer_id
        JOIN consent_consenthead h ON h.profile_id = o.id AND h.address_id IN (x.address_id, o.id)
        WHERE h.state = ANY(%(permitting)b) AND h.effective_at < x.at AND {_OWN}
        UNION ALL
        -- What needs no grant.
        SELECT x.n, x.address_id, o.id, s.id
        FROM passed x JOIN customers_profile o ON o.customer_id = x.customer_id
        JOIN customers_addressprofile seen ON seen.address_id = x.address_id AND seen.profile_id = o.id
        JOIN customers_profilebrand b ON b.profile_id = o.id
        JOIN consent_purpose s ON s.brand_id = b.brand_id AND s.kind = 'service'
        WHERE {_OWN}
    )
    SELECT DISTINCT ON (e.address_id, e.profile_id, e.purpose_id) e.n, e.address_id, e.profile_id, s.brand_id, s.key
    FROM ended e JOIN consent_purpose s ON s.id = e.purpose_id
    WHERE NOT EXISTS (
        SELECT 1 FROM consent_consenthead h
        WHERE h.address_id = e.address_id AND h.purpose_id = e.purpose_id AND h.profile_id = e.profile_id
          AND h.state = ANY(%(opposing)b)
    )
    ORDER BY e.address_id, e.profile_id, e.purpose_id, e.n
"""


def consume(resolved: Resolved) -> None:
    """Queue the end of the grants of those whose number these events tell somebody else has."""
    told = [
        (event, value)
        for event in resolved.events
        # A page that anybody may fill in takes nobody's number away.
        if event.assurance != Assurance.CLAIMED
        for kind, value in event.identifiers
        if kind == PHONE
    ]
    if told:
        with raw_cursor() as cursor:
            _end(cursor, told)


def _end(cursor: Cursor[Any], told: Sequence[tuple[ResolvedEvent, str]]) -> None:
    values, customers, times = zip(*((value, one.customer_id, one.occurred_at) for one, value in told), strict=True)
    asked = {
        "values": list(values),
        "customers": list(customers),
        "times": list(times),
        "channels": _CHANNELS,
        "silence": SILENCE,
        "permitting": _texts(State.permitting()),
        "opposing": _texts(State.opposing()),
    }
    cursor.execute(_FORMER, asked)
    found = cursor.fetchall()
    queue.put(cursor, [_item(told[row[0] - 1][0], *row[1:]) for row in found])


def _texts(states: Iterable[str]) -> list[str]:
    return [str(state) for state in states]


def _item(event: ResolvedEvent, address_id: UUID, profile_id: UUID, brand_id: UUID, purpose: str) -> Item:
    return Item(
        address_id=address_id,
        profile_id=profile_id,
        brand_id=brand_id,
        source_id=event.source_id,
        event_id=event.id,
        message_id=event.message_id,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        request={
            "purpose": purpose,
            "state": State.INVALIDATED.value,
            "method": Method.EVENT.value,
            "notice": "",
            "notice_version": None,
            "valid_until": None,
            "texts": {},
            "evidence": {"why": "the number went to somebody else"},
        },
    )
