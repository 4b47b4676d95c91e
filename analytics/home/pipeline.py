"""The pipeline's trays: how much waits in each, and since when the oldest does."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.home.count import Count
from analytics.metrics.query import rows

WAITING: Final = 10_000
# Every stage looks again within a minute, whatever became of the broker.
LATE: Final = timedelta(seconds=60)

# The model that lists the tray, its name, what is in it, and the time of the oldest by the key it is worked off in.
_TRAYS: Final[tuple[tuple[str, str | Promise, str, str], ...]] = (
    ("customers.inboxitem", _("to be resolved"), "customers_inbox", "received_at"),
    ("consent.consentitem", _("consent to be applied"), "consent_queue", "received_at"),
    ("customers.mergeitem", _("merges to be followed"), "customers_merge_queue", "queued_at"),
    ("customers.matchitem", _("events to be matched"), "customers_match_queue", "received_at"),
)
_SQL: Final = " UNION ALL ".join(
    f"""SELECT '{model}', (SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT %(bound)s + 1) waiting),
               (SELECT {time} FROM {table} ORDER BY id LIMIT 1)"""
    for model, _label, table, time in _TRAYS
)
_DUE: Final = """
    SELECT (SELECT count(*) FROM (
                SELECT 1 FROM journeys_run WHERE status = 1 AND due_at <= %(now)s LIMIT %(bound)s + 1) due),
           (SELECT min(due_at) FROM journeys_run WHERE status = 1 AND due_at <= %(now)s)
"""


@dataclass(frozen=True, slots=True)
class Tray:
    """`model` names the list that shows it; `oldest` is None while it is empty."""

    model: str
    label: str | Promise
    waiting: Count
    oldest: datetime | None
    late: bool


def pipeline(now: datetime) -> list[Tray]:
    found = {model: (count, oldest) for model, count, oldest in rows(_SQL, {"bound": WAITING})}
    [(due, longest)] = rows(_DUE, {"now": now, "bound": WAITING})
    trays = [_tray(model, label, *found[model], now) for model, label, _table, _time in _TRAYS]
    return [*trays, _tray("journeys.run", _("runs whose time has come"), due, longest, now)]


def _tray(model: str, label: str | Promise, waiting: int, oldest: datetime | None, now: datetime) -> Tray:
    late = oldest is not None and now - oldest > LATE
    return Tray(model, label, Count.within(waiting, WAITING), oldest, late)
