"""When a journey calls its segment in: a rule of the calendar in a named zone, and the moments that it gives."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import count, islice
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import form
from customers.moments import at, days_of, months_on, time_of

LONGEST_MONTH: Final = 31
_WEEK: Final = timedelta(days=7)


class Schedule(Struct, kw_only=True, forbid_unknown_fields=True):
    """Of a time that the clocks leap over, the moment after the leap is meant; of one that there is twice, the first. A
    day that a month does not have is its last one."""

    every: Annotated[
        Literal["once", "day", "week", "month"],
        form(
            _("how often"),
            choices={
                "once": _("once, on the first day"),
                "day": _("by days"),
                "week": _("by weeks, on certain days"),
                "month": _("by months, on a certain day"),
            },
        ),
    ]
    starts: Annotated[str, form(_("first day"), _("A date such as 2026-12-31; nobody is called before it."))]
    at: Annotated[str, form(_("time of day"), _("As in 09:00."))]
    zone: Annotated[str, form(_("time zone"), _("As in America/Sao_Paulo; the clocks of that place count."))]
    interval: Annotated[
        int, form(_("every so many"), _("Days, weeks or months; 1 is each of them, and nothing is more frequent."))
    ] = 1
    days: Annotated[str, form(_("days of the week"), _("By weeks: as in mon-fri or sat,sun."))] = ""
    day: Annotated[int | None, form(_("day of the month"), _("By months: from 1 to 31."))] = None
    last_day: Annotated[bool, form(_("or on the last day of the month"))] = False
    ends: Annotated[str | None, form(_("last day"), _("A date, included. Empty: without an end."))] = None

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The moments later than this one, in their order; the schedule must be sound."""
        zone, clock = ZoneInfo(self.zone), time_of(self.at)
        last = date.fromisoformat(self.ends) if self.ends else date.max
        for day in self._days(moment.astimezone(zone).date()):
            if day > last:
                return
            try:
                found = at(day, clock, zone)
            except OverflowError:
                return
            # A zone may leap over a whole day, whose moment is then that of the next.
            if found > moment:
                yield found
                moment = found

    def between(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Those in the span, in either moment included."""
        for moment in self.after(since - timedelta(microseconds=1)):
            if moment > until:
                return
            yield moment

    def upcoming(self, now: datetime, most: int) -> list[datetime]:
        return list(islice(self.after(now), most))

    def next(self, moment: datetime, *, but_of_day: bool = False) -> datetime | None:
        """The first one later than this; `but_of_day`: not on its day, as that place's calendar has it."""
        day = self.day_of(moment) if but_of_day else None
        return next((one for one in self.after(moment) if self.day_of(one) != day), None)

    def day_of(self, moment: datetime) -> date:
        """As that place's calendar has it."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def _days(self, near: date) -> Iterator[date]:
        """Days on which it comes, from some time before `near` on, and not before the first."""
        first = date.fromisoformat(self.starts)
        days: Iterator[date] = iter((first,))
        if self.every == "day":
            days = self._by_days(first, near)
        elif self.every == "week":
            days = self._by_weeks(first, near)
        elif self.every == "month":
            days = self._by_months(first, near)
        try:
            yield from (day for day in days if day >= first)
        except OverflowError:
            # The calendar has an end.
            return

    def _by_days(self, first: date, near: date) -> Iterator[date]:
        passed = max((near - first).days // self.interval - 1, 0)
        return (first + timedelta(days=n * self.interval) for n in count(passed))

    def _by_weeks(self, first: date, near: date) -> Iterator[date]:
        monday = first - timedelta(days=first.weekday())
        passed = max((near - monday) // _WEEK // self.interval - 1, 0)
        chosen = sorted(days_of(self.days))
        return (monday + n * self.interval * _WEEK + timedelta(days=day) for n in count(passed) for day in chosen)

    def _by_months(self, first: date, near: date) -> Iterator[date]:
        months = (near.year - first.year) * 12 + near.month - first.month
        passed = max(months // self.interval - 1, 0)
        day = LONGEST_MONTH if self.last_day else self.day or 1
        return (_in_month(first, n * self.interval, day) for n in count(passed))


def _in_month(first: date, months: int, day: int) -> date:
    """That day of the month so many months later, or its last one."""
    try:
        begun = months_on(first.replace(day=1), months)
    except ValueError:
        raise OverflowError from None
    following = months_on(begun, 1) if begun < date.max.replace(day=1) else None
    longest = (following - begun).days if following else LONGEST_MONTH
    return begun.replace(day=min(day, longest))
