"""What a schedule may not be, each with its place and what to do."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Final

from django.utils.translation import gettext as _

from customers.moments import NoSuchMoment, days_of, time_of
from customers.places import zones
from customers.rules.errors import Problem
from journeys.entry.schedule import LONGEST_MONTH, Schedule

MOST_BETWEEN: Final = 366
# Field, code, what is wrong, what to do.
_Found = tuple[str, str, str, str]


def schedule_problems(schedule: Schedule, pointer: str) -> Iterator[Problem]:
    """What keeps it from being one, each with its place and what to do."""
    found = [*_misspelled(schedule), *_unfit(schedule)]
    for name, code, message, hint in found:
        yield Problem(code, f"{pointer}/{name}", message, hint)
    if not found and schedule.next(datetime.min.replace(year=2, tzinfo=UTC)) is None:
        hint = _("Let it end later.")
        yield Problem("never_comes", pointer, _("It never comes: there is no such day before it ends."), hint)


def _misspelled(schedule: Schedule) -> Iterator[_Found]:
    for name in ("starts", "ends"):
        text = getattr(schedule, name)
        if text is not None and not is_date(text):
            message = _("“%(value)s” is no date.") % {"value": text}
            yield name, "bad_date", message, _("Write it as 2026-12-31.")
    if not _reads(time_of, schedule.at):
        message = _("“%(time)s” is no time of day.") % {"time": schedule.at}
        yield "at", "bad_time", message, _("Write it as in 09:00.")
    if schedule.zone not in zones():
        message = _("There is no time zone “%(zone)s”.") % {"zone": schedule.zone}
        yield "zone", "unknown_zone", message, _("Write it as in America/Sao_Paulo.")
    if schedule.every == "week" and not (schedule.days.strip() and _reads(days_of, schedule.days)):
        message = _("It is not clear on which days of the week it comes.")
        yield "days", "bad_days", message, _("Write them as in mon-fri or sat,sun.")


def _unfit(schedule: Schedule) -> Iterator[_Found]:
    if not 1 <= schedule.interval <= MOST_BETWEEN:
        message = _("It comes once a day at the most, and every %(most)s days, weeks or months at the least.")
        yield "interval", "bad_interval", message % {"most": MOST_BETWEEN}, _("Give a number from 1 on.")
    if schedule.every == "once":
        yield from (_unused(name) for name in ("ends",) if schedule.ends is not None)
        yield from (_unused(name) for name in ("interval",) if schedule.interval > 1)
    elif _is_backwards(schedule):
        yield "ends", "ends_before_it_starts", _("It ends before it begins."), _("Let it end later.")
    if schedule.every != "week" and schedule.days:
        yield _unused("days")
    if schedule.every != "month":
        yield from (_unused(name) for name in ("day", "last_day") if getattr(schedule, name))
        return
    if (schedule.day is not None) == schedule.last_day:
        message = _("It is not clear on which day of the month it comes.")
        yield "day", "bad_day", message, _("Give one day, or choose the last day of the month.")
    elif schedule.day is not None and not 1 <= schedule.day <= LONGEST_MONTH:
        yield "day", "bad_day", _("No month has such a day."), _("Give a number from 1 to 31.")


def _is_backwards(schedule: Schedule) -> bool:
    dates = (schedule.starts, schedule.ends or schedule.starts)
    first, last = (date.fromisoformat(one) if is_date(one) else date.min for one in dates)
    return date.min < last < first


def _unused(name: str) -> _Found:
    return name, "field_unused", _("This means nothing for such a schedule."), _("Leave it out.")


def is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except NoSuchMoment:
        return False
    return True
