"""What live runs need, which look back over events from their entry on; and how long is kept what calls said, and lists
of people."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Min
from django.utils.translation import gettext_lazy as _

from customers.retention.kinds import Kind
from journeys.models import Run

_LIST_BRAND: Final = """
    (SELECT j.brand_id FROM journeys_calllist l JOIN journeys_journey j ON j.id = l.journey_id WHERE l.id = t.parent_id)
"""
_HANDED_IN: Final = "(SELECT l.created_at FROM journeys_calllist l WHERE l.id = t.parent_id)"
_AT_REST: Final = """
    NOT EXISTS (SELECT 1 FROM journeys_calllist l JOIN customers_job b ON b.id IN (l.check_job_id, l.call_job_id)
                WHERE l.id = t.parent_id AND b.state IN ('waiting', 'working'))
"""
KINDS: Final = (
    Kind(
        "call_lists",
        _("lines of lists of people to call"),
        _("Counted from when the list was handed in; of one under way all stay. What came of it stays, in numbers."),
        30,
        table="journeys_calllistrow",
        time=_HANDED_IN,
        where=_AT_REST,
        brand=_LIST_BRAND,
    ),
    Kind(
        "call_contents",
        _("what calls of other systems said"),
        _("Of a call that is yet to be made, what is to be said stays."),
        90,
        table="journeys_callcontent",
        time="(SELECT c.settled_at FROM journeys_call c"
        " WHERE c.id = t.call_id AND c.state NOT IN ('waiting', 'calling'))",
        brand="(SELECT j.brand_id FROM journeys_call c JOIN journeys_journey j ON j.id = c.journey_id"
        " WHERE c.id = t.call_id)",
    ),
)

# An event is received up to a day before it occurs, as far as its clock is believed.
_AHEAD: Final = timedelta(days=1)


def needed_by_runs(_now: datetime) -> datetime | None:
    """Since when events are needed by a run that is still going."""
    first = Run.objects.filter(status=Run.Status.ACTIVE).aggregate(first=Min("entered_at"))["first"]
    return None if first is None else first - _AHEAD
