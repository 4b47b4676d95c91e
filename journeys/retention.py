"""What live runs need: they look back over events from their entry on."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Min

from journeys.models import Run

# An event is received up to a day before it occurs, as far as its clock is believed.
_AHEAD: Final = timedelta(days=1)


def needed_by_runs(_now: datetime) -> datetime | None:
    """Since when events are needed by a run that is still going."""
    first = Run.objects.filter(status=Run.Status.ACTIVE).aggregate(first=Min("entered_at"))["first"]
    return None if first is None else first - _AHEAD
