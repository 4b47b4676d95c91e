"""Live journeys today: who came in, who was refused, and what the last days looked like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from analytics.home.count import Count
from analytics.home.today import midnight
from analytics.metrics.query import rows
from journeys.models import Journey

ENTRIES: Final = 10_000
_COUNTED = """
    SELECT j.id,
           (SELECT count(*) FROM (SELECT 1 FROM journeys_run r
                                  WHERE r.journey_id = j.id AND r.entered_at >= j.since LIMIT %(bound)s + 1) entered),
           (SELECT count(*) FROM (SELECT 1 FROM journeys_entryrefusal e
                                  WHERE e.journey_id = j.id AND e.at >= j.since LIMIT %(bound)s + 1) refused)
    FROM unnest(%(journeys)s::uuid[], %(since)s::timestamptz[]) AS j(id, since)
"""


@dataclass(frozen=True, slots=True)
class JourneyToday:
    journey: Journey
    entered: Count
    refused: Count


def journeys_today(journeys: Sequence[Journey], now: datetime) -> list[JourneyToday]:
    """In the order given; each journey's brand is to be loaded with it."""
    if not journeys:
        return []
    wanted = {"journeys": [one.pk for one in journeys], "since": [midnight(one.brand, now) for one in journeys]}
    counted = {
        pk: (Count.within(entered, ENTRIES), Count.within(refused, ENTRIES))
        for pk, entered, refused in rows(_COUNTED, wanted | {"bound": ENTRIES})
    }
    return [JourneyToday(one, *counted[one.pk]) for one in journeys]
