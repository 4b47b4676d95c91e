"""Pacing in virtual time: which of a version's messages would have gone, when, by the policies of then."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from channels.pacing.order import RANK
from channels.pacing.reading import during, longest, taken
from channels.pacing.rules import About, Counted, Policy, Visit, judge
from consent.models import Purpose
from consent.permission import Choice
from customers.pg import raw_cursor
from customers.rules import Facts
from journeys.engine.walk import Send
from journeys.steps.base import ZONE
from journeys.version import Version


class Fate(NamedTuple):
    """What becomes of a message to one address: when it goes, after being held for a reason; or why it does not."""

    goes: datetime | None
    reason: str = ""


class Known(Protocol):
    def facts(self, customer: UUID, at: datetime, properties: Mapping[str, Any]) -> Facts: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message to one address that was permitted."""

    at: datetime
    expires_at: datetime
    about: About
    # Its copies to several addresses are one message.
    visit: Visit | None = None


@dataclass(frozen=True, slots=True)
class Pacing:
    """The policies that a version's messages would have been under, each with when it held."""

    spells: Sequence[tuple[datetime, datetime | None, Policy]]
    kinds: Mapping[UUID, str]

    @classmethod
    def of(cls, version: Version, since: datetime, until: datetime) -> "Pacing":
        spells = during(version.brand_id, since, until) if version.sendings else []
        ids = {sending.purpose_id for sending in version.sendings.values()} if spells else set()
        return cls(spells, dict(Purpose.objects.filter(pk__in=ids).values_list("pk", "kind")))

    def at(self, moment: datetime) -> list[Policy]:
        return [one for since, until, one in self.spells if since <= moment and (until is None or until > moment)]

    def fates(
        self, version: Version, sends: Sequence[tuple[datetime, Send]], found: Sequence[Sequence[Choice]], known: Known
    ) -> list[list[Fate]]:
        """For each message, a fate for each address that it was permitted to go to."""
        pairs = list(zip(sends, found, strict=True))
        if not self.spells:
            return [[Fate(at) for choice in choices if choice.verdict.allowed] for (at, _send), choices in pairs]
        fates: list[list[Fate]] = [[] for _pair in pairs]
        of_customer: dict[UUID, list[tuple[int, Wanted]]] = defaultdict(list)
        for place, ((at, send), choices) in enumerate(pairs):
            sending = version.sendings[send.step]
            about = About(version.brand_id, sending.channel, sending.purpose_id, self.kinds[sending.purpose_id])
            visit = Visit("run", "", place, sending.channel)
            wanted = Wanted(at, send.since + sending.not_later_than, about, visit)
            of_customer[send.run.customer_id] += [(place, wanted) for one in choices if one.verdict.allowed]
        had = self._had(version, of_customer)
        for customer, theirs in of_customer.items():
            zone = _zones(known, customer)
            told = paced([one for _place, one in theirs], self.at, had.get(customer, ()), zone)
            for (place, _wanted), fate in zip(theirs, told, strict=True):
                fates[place].append(fate)
        return fates

    def _had(
        self, version: Version, wanted: Mapping[UUID, Sequence[tuple[int, Wanted]]]
    ) -> Mapping[UUID, Sequence[Counted]]:
        """What these people were sent in truth, but by this journey, which is played anew."""
        span = longest(one for _since, _until, one in self.spells)
        moments = [one for theirs in wanted.values() for _place, one in theirs]
        if not span or not moments:
            return {}
        first, last = min(one.at for one in moments), max(one.expires_at for one in moments)
        with raw_cursor() as cursor:
            return taken(cursor, list(wanted), first - span, last, but_of=version.journey_id)


def paced(
    wanted: Sequence[Wanted],
    policies: Callable[[datetime], Iterable[Policy]],
    had: Sequence[Counted],
    zone: Callable[[datetime], ZoneInfo],
) -> list[Fate]:
    """One customer's messages, each judged at its moment, and again when what held it is over."""
    went: list[Counted] = []
    held: dict[int, str] = {}
    fates: list[Fate] = [Fate(None)] * len(wanted)
    turns = [(one.at, RANK[one.about.purpose_kind], n) for n, one in enumerate(wanted)]
    heapq.heapify(turns)
    while turns:
        now, rank, n = heapq.heappop(turns)
        one = wanted[n]
        history = [*(past for past in had if past.at is not None and past.at <= now), *went]
        block = judge(policies(now), one.about, history, zone(now), now, one.visit)
        if block is None:
            went.append(Counted(now, one.about, visit=one.visit))
            fates[n] = Fate(now, held.get(n, ""))
        elif block.until is None or block.until >= one.expires_at:
            fates[n] = Fate(None, block.reason.value)
        else:
            held.setdefault(n, block.reason.value)
            heapq.heappush(turns, (block.until, rank, n))
    return fates


def _zones(known: Known, customer: UUID) -> Callable[[datetime], ZoneInfo]:
    return lambda at: ZoneInfo(known.facts(customer, at, {}).extra[ZONE])
