"""How a connector fares, in numbers for people: what waits, what became of a day's calls, how long they took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from channels.care.allowance import most_a_day, spent
from channels.care.tally import limit_of
from channels.models import BreakerTurn, Connector, ConnectorHour, ConnectorState
from customers.pg import raw_cursor

_MOST_COUNTED: Final = 10_000
_TURNS: Final = 20
_DAY: Final = timedelta(hours=24)
_WAITING: Final = """
    SELECT count(*), min(due_at) FROM (
        SELECT due_at FROM channels_message
        WHERE connector_id = %s AND state IN ('queued', 'held') AND due_at <= %s ORDER BY due_at LIMIT %s
    ) waiting
"""


@dataclass(frozen=True, slots=True)
class Health:
    """`waiting` messages are due, the oldest since `waiting_since`; counts are of the last 24 hours, `half` and `most`
    (95 in 100) of the calls took at most so many ms; `begun` of at most `most_a_day` calls were begun today. `unsigned`
    calls came to the address for the provider's own."""

    waiting: int
    waiting_since: datetime | None
    taken: int
    refused: int
    troubled: int
    unknown: int
    unsigned: int
    half: int | None
    most: int | None
    begun: int
    most_a_day: int | None
    spent: int
    state: ConnectorState | None
    turns: Sequence[BreakerTurn]

    @property
    def is_counted_whole(self) -> bool:
        return self.waiting < _MOST_COUNTED

    @property
    def success(self) -> float | None:
        """Of the calls the share that was taken; what the provider refused for good is the message's fault."""
        calls = self.taken + self.refused + self.troubled + self.unknown
        return (self.taken + self.refused) / calls if calls else None


def health(connector: Connector, now: datetime) -> Health:
    with raw_cursor() as cursor:
        [(waiting, since)] = cursor.execute(_WAITING, [connector.pk, now, _MOST_COUNTED]).fetchall()
    hours = list(ConnectorHour.objects.filter(connector=connector, hour__gt=now - _DAY - timedelta(hours=1)))
    within = [sum(column) for column in zip(*(hour.within for hour in hours), strict=True)]
    state = ConnectorState.objects.filter(pk=connector.pk).first()
    today = now.astimezone(ZoneInfo(connector.brand.zone)).date()
    begun = state.begun if state is not None and state.day == today else 0
    return Health(
        waiting,
        since,
        sum(hour.taken for hour in hours),
        sum(hour.refused for hour in hours),
        sum(hour.troubled for hour in hours),
        sum(hour.unknown for hour in hours),
        sum(hour.unsigned for hour in hours),
        limit_of(within, 0.5),
        limit_of(within, 0.95),
        begun,
        most_a_day(connector),
        spent(connector, begun),
        state,
        list(BreakerTurn.objects.filter(connector=connector).order_by("-pk")[:_TURNS]),
    )
