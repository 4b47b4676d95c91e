"""How a purpose stands: what people say now, what is about to end, and whence answers came, by day and method."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection

from consent.models import Purpose, State

SOON: Final = timedelta(days=30)
DAYS: Final = 90
# Of a few million heads this reads an index only.
_NOW: Final = """
    SELECT count(*) FILTER (WHERE state = ANY(%(yes)s) AND (valid_until IS NULL OR valid_until > %(now)s)),
           count(*) FILTER (WHERE state = ANY(%(no)s)),
           count(*) FILTER (WHERE state = 'expired' OR state = ANY(%(yes)s) AND valid_until <= %(now)s),
           count(*) FILTER (WHERE state = ANY(%(asked)s)),
           count(*) FILTER (WHERE state = ANY(%(yes)s) AND valid_until > %(now)s AND valid_until <= %(soon)s)
    FROM consent_consenthead WHERE purpose_id = %(purpose)s
"""
_WHENCE: Final = """
    SELECT s.name, e.method, count(*) FILTER (WHERE e.state = ANY(%(yes)s)),
           count(*) FILTER (WHERE e.state = ANY(%(no)s)), count(*) FILTER (WHERE e.notice_version_id IS NULL)
    FROM consent_consententry e LEFT JOIN customers_source s ON s.id = e.source_id
    WHERE e.purpose_id = %(purpose)s AND e.recorded_at >= %(since)s
    GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2
"""
_BY_DAY: Final = """
    SELECT (recorded_at AT TIME ZONE %(zone)s)::date AS day, count(*) FILTER (WHERE state = ANY(%(yes)s)),
           count(*) FILTER (WHERE state = ANY(%(no)s))
    FROM consent_consententry WHERE purpose_id = %(purpose)s AND recorded_at >= %(since)s
    GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Whence:
    """Answers of the last days by where they came from; `unshown` name no notice, so nobody can say what was read."""

    source: str | None
    method: str
    granted: int
    withdrawn: int
    unshown: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Consents in force by what they say; one person may have several, at several addresses. `expiring` are among the
    granted and end within SOON. `days` are (day of the brand, granted, withdrawn) where anything was said."""

    granted: int
    withdrawn: int
    expired: int
    asked: int
    expiring: int
    whence: list[Whence] = field(default_factory=list)
    days: list[tuple[date, int, int]] = field(default_factory=list)


def standing(purpose: Purpose, now: datetime) -> Standing:
    first = now.astimezone(ZoneInfo(purpose.brand.zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    given: dict[str, Any] = {
        "purpose": purpose.pk,
        "now": now,
        "soon": now + SOON,
        "since": first - timedelta(days=DAYS - 1),
        "zone": purpose.brand.zone,
        "yes": _texts(State.permitting()),
        "no": _texts(State.opposing()),
        "asked": _texts(State.undecided()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_NOW, given)
        granted, withdrawn, expired, asked, expiring = cursor.fetchone()
        cursor.execute(_WHENCE, given)
        whence = [Whence(*row) for row in cursor.fetchall()]
        cursor.execute(_BY_DAY, given)
        days = cursor.fetchall()
    return Standing(granted, withdrawn, expired, asked, expiring, whence, days)


def _texts(states: Sequence[str] | frozenset[str]) -> list[str]:
    return sorted(str(state) for state in states)
