"""When it happened: ISO 8601 with an offset, neither tomorrow nor too long ago."""

import re
from datetime import UTC, datetime, timedelta

from customers.accept.refusal import Refused

FUTURE_LIMIT = timedelta(hours=24)
PAST_LIMIT = timedelta(days=90)
_EARLIEST_YEAR = 1900
_HINT = "Send ISO 8601 with an offset, such as 2026-01-31T12:00:00Z."
_EPOCH = re.compile(r"\s*-?[0-9.]+\s*")


def read_timestamp(
    value: object,
    received_at: datetime,
    where: str = "/timestamp",
    *,
    behind: timedelta = timedelta(0),
    historical: bool = False,
) -> datetime:
    """The moment `value` names, in UTC (Python takes offsets that PostgreSQL does not), or Refused.

    `behind` is what the sender's clock lacks; history may lie as far back as it likes.
    """
    if type(value) is not str:
        raise _no_timestamp(where)
    try:
        # Newer versions of Python take hour 24 for the next day.
        moment = datetime.fromisoformat("" if value[11:13] == "24" else value)
    except ValueError:
        if _EPOCH.fullmatch(value):
            raise _no_timestamp(where) from None
        raise Refused("invalid_timestamp", "No such moment exists.", _HINT, where) from None
    if moment.tzinfo is None:
        raise Refused("timezone_required", "A timestamp without an offset is ambiguous.", _HINT, where)
    try:
        moment = moment.astimezone(UTC) + behind
    except OverflowError:
        raise Refused("invalid_timestamp", "In UTC it falls out of the calendar.", _HINT, where) from None
    if moment.year < _EARLIEST_YEAR:
        raise Refused("invalid_timestamp", "Before any event that could be told.", _HINT, where)
    age = received_at - moment
    if age > PAST_LIMIT and not historical:
        hint = "Send it as historical: it fills history and starts no journey."
        raise Refused("too_old", f"Older than {PAST_LIMIT.days} days.", hint, where)
    if -age > FUTURE_LIMIT:
        raise Refused("timestamp_in_future", "More than 24 hours ahead.", "Check the sender's clock.", where)
    return moment


def _no_timestamp(where: str) -> Refused:
    return Refused("wrong_type", "A timestamp is ISO 8601 text.", _HINT, where)
