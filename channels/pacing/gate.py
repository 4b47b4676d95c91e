"""Whether each of many messages might go now: permission, caps and hours, by a few statements for all together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from channels.pacing.reading import Zones, history, longest, standing, zones
from channels.pacing.rules import About, Block, Counted, judge
from consent.permission import Ask, Verdict, permissions
from customers.pg import raw_cursor

_PURPOSES: Final = "SELECT id, brand_id, kind FROM consent_purpose WHERE id = ANY(%b)"


class Sending(NamedTuple):
    """A message to an address of a customer, for a purpose, by a channel."""

    customer_id: UUID
    address_id: UUID
    channel: str
    purpose_id: UUID


@dataclass(frozen=True, slots=True)
class Answer:
    verdict: Verdict
    block: Block | None = None

    @property
    def may_go(self) -> bool:
        return self.verdict.allowed and self.block is None


def gate(sendings: Sequence[Sending], now: datetime) -> list[Answer]:
    """An answer for each, in order: of two for one customer, the second counts the first.

    Nothing is locked, so it is a forecast: what goes is asked once more, alone and under the locks.
    """
    verdicts = permissions([Ask(one.customer_id, one.address_id, one.purpose_id) for one in sendings], now)
    people = sorted({one.customer_id for one in sendings})
    with raw_cursor() as cursor:
        purposes = {
            id_: (brand_id, kind)
            for id_, brand_id, kind in cursor.execute(_PURPOSES, [sorted({one.purpose_id for one in sendings})])
        }
        brands = sorted({brand_id for brand_id, _kind in purposes.values()})
        policies = standing(cursor, brands, now)
        had: dict[UUID, list[Counted]] = defaultdict(list)
        if longest(policies):
            for customer_id, found in history(cursor, people, now - longest(policies), now).items():
                had[customer_id] = [counted for _id, counted in found]
        known = zones(cursor, people, brands) if policies else Zones({}, {})
    answers = []
    for one, verdict in zip(sendings, verdicts, strict=True):
        brand_id, kind = purposes[one.purpose_id]
        about = About(brand_id, one.channel, one.purpose_id, kind)
        block = None
        if verdict.allowed and policies:
            block = judge(policies, about, had[one.customer_id], known.of(one.customer_id, brand_id)[0], now)
            if block is None:
                had[one.customer_id].append(Counted(now, about))
        answers.append(Answer(verdict, block))
    return answers
