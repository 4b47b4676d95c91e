"""What may be shown is asked when it is shown: who withdrew since, or whose address was suppressed, sees it no more."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from consent.permission import Ask, permissions
from customers.visitors.profiles import Visitor


class Standing(NamedTuple):
    """On what something on a screen rests."""

    profile_id: UUID
    address_id: UUID
    purpose_id: UUID


def permitted(standings: Sequence[Standing], visitor: Visitor, now: datetime, *, heed_pauses: bool) -> list[Standing]:
    """Those that are allowed now; one statement for all of them."""
    asks = [Ask(visitor.customers[one.profile_id], one.address_id, one.purpose_id) for one in standings]
    verdicts = permissions(asks, now, heed_pauses=heed_pauses)
    return [one for one, verdict in zip(standings, verdicts, strict=True) if verdict.allowed]
