"""Consent told to us directly, by a partner for a person it knows: applied at once, with the same proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from consent import requests
from consent.addresses import ids_of, person
from consent.models import Method
from consent.permission import Ask, Verdict, permissions
from consent.queue import Item
from consent.requests import Problem
from consent.stage import apply_at_once
from consent.withdrawing import lock_people
from customers.models.address import Channel
from customers.pg import raw_cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Who says what of whom. `said` are properties as a consent event has them."""

    # One of consent.granted, consent.withdrawn and consent.requested.
    name: str
    said: Mapping[str, Any]
    customer_id: UUID
    profile_id: UUID
    # The address that was named to find the person; it is the one meant unless `said` names another.
    email: str
    brand_id: UUID
    source_id: UUID
    message_id: str
    # The first characters of the token it came by, kept with the evidence.
    token: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """The entry made, what the purpose's address may get from now on, and which details were left out."""

    entry_id: int
    channel: str
    verdict: Verdict
    left_out: tuple[Problem, ...]


class Unreadable(Exception):
    """Nothing was recorded; `problems` say why."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(problems[0].code)


def record(telling: Telling, now: datetime) -> Recorded:
    """Append it to the ledger, or raise Unreadable. Waits for a send that holds the address, as every change does.

    A grant that cannot be read to its end is refused; of a withdrawal only the unreadable details are left out.
    """
    identifiers = (("email", telling.email),) if telling.email else ()
    asked, problems = requests.read(telling.name, {"properties": dict(telling.said)}, identifiers)
    if not asked:
        raise Unreadable(problems)
    request = asked[0]
    left_out = tuple(requests.unread(telling.said, identifiers))
    if request.body["method"] == Method.EVENT:
        request.body["method"] = Method.API.value
    request.body["evidence"]["token"] = telling.token
    place = request.place or person(telling.profile_id)
    with transaction.atomic(), raw_cursor() as cursor:
        address_id = ids_of(cursor, {place: request.original or place.value}, now)[place]
        if place.channel == Channel.PERSON:
            # It holds for all their addresses: no letter to any of them begins after the answer.
            lock_people([telling.profile_id])
        item = Item(
            address_id=address_id,
            profile_id=telling.profile_id,
            brand_id=telling.brand_id,
            source_id=telling.source_id,
            event_id=None,
            message_id=telling.message_id,
            occurred_at=telling.occurred_at,
            received_at=now,
            request=request.body,
        )
        applied = apply_at_once(cursor, item, now)
        troubles = [Problem(one.code, one.pointer, one.detail) for one in (applied.trouble,) if one]
        if applied.entry_id is None or applied.purpose_id is None:
            raise Unreadable(troubles)
        verdict = permissions([Ask(telling.customer_id, address_id, applied.purpose_id)], now)[0]
    return Recorded(applied.entry_id, place.channel, verdict, (*left_out, *troubles))
