"""From what is known of each ask to its verdict; the same for now and for any moment before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from consent.decision import Head, Together, Verdict, decide
from customers.together import Stay, stays, together_since


class Ask(NamedTuple):
    customer_id: UUID
    address_id: UUID
    purpose_id: UUID


@dataclass(slots=True)
class Facts:
    """What bears on one ask: heads are those that count for its customer, each with the time since when its profile
    has been theirs."""

    kind: str
    suppressed: bool
    unsettled: bool
    restricted: bool
    paused: bool
    # By which it is weighed where the person's country has none; empty: by none.
    law: str = ""
    heads: list[Head] = field(default_factory=list)


def weigh(
    cursor: Cursor[Any],
    asks: Sequence[Ask],
    facts: Sequence[Facts | None],
    now: datetime,
    *,
    by: datetime | None = None,
) -> list[Verdict]:
    """The verdicts at `now`; of a moment that is past, `by` leaves out the moves of profiles that came after it."""
    verdicts = [_verdict(known, now) for known in facts]
    _weigh_again(cursor, asks, facts, verdicts, now, by)
    return verdicts


def _verdict(facts: Facts | None, now: datetime, together: Together | None = None) -> Verdict:
    if facts is None:
        return Verdict(False, "no_consent", None)
    return decide(
        facts.kind,
        facts.suppressed,
        facts.heads,
        now,
        unsettled=facts.unsettled,
        restricted=facts.restricted,
        paused=facts.paused,
        together=together or {},
    )


def _weigh_again(
    cursor: Cursor[Any],
    asks: Sequence[Ask],
    facts: Sequence[Facts | None],
    verdicts: list[Verdict],
    now: datetime,
    by: datetime | None,
) -> None:
    """Where one profile refused what another granted, see since when the two are one customer.

    A profile that moved is with its customer since it moved, as far as a look at its row tells; the two may have moved
    together, and nothing lies between them then.
    """
    doubtful = {
        n: [head for head in known.heads if head.profile_id is not None and head.customer_since is not None]
        for n, (known, verdict) in enumerate(zip(facts, verdicts, strict=True))
        if known is not None and not verdict.allowed and any(head.grants for head in known.heads)
    }
    doubtful = {n: heads for n, heads in doubtful.items() if len({head.profile_id for head in heads}) > 1}
    if not doubtful:
        return
    present = {
        head.profile_id: Stay(asks[n].customer_id, head.customer_since)
        for n, heads in doubtful.items()
        for head in heads
        if head.profile_id is not None and head.customer_since is not None
    }
    held = stays(cursor, present, by)
    for n, heads in doubtful.items():
        profiles = sorted({head.profile_id for head in heads if head.profile_id is not None})
        times = {
            frozenset(pair): since
            for pair in combinations(profiles, 2)
            if (since := together_since(held[pair[0]], held[pair[1]])) is not None
        }
        verdicts[n] = _verdict(facts[n], now, times)
