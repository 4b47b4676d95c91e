"""Delay: wait for a span, until a date that the data names, or until somebody's hours; or one after the other."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import Text, form
from customers.moments import Hours, NoSuchMoment, at, days_of, months_on, time_of
from customers.rules.errors import Problem
from customers.rules.values import at_path
from journeys.models import Cause
from journeys.spans import MAX_DAYS, span_problems
from journeys.steps.base import EVENT, TRAITS, ZONE, Go, Here, Outcome, Step, Wait

_WHOLE_DAY = "00:00"


class CalendarSpan(Struct, kw_only=True, forbid_unknown_fields=True):
    """Counted on the calendar in the customer's zone: a day later is the same time of day, whatever clocks did."""

    months: Annotated[int, form(_("months"))] = 0
    weeks: Annotated[int, form(_("weeks"))] = 0
    days: Annotated[int, form(_("days"))] = 0

    def end(self, moment: datetime, zone: ZoneInfo) -> datetime:
        local = moment.astimezone(zone)
        day = months_on(local.date(), self.months) + timedelta(weeks=self.weeks, days=self.days)
        return at(day, local.time(), zone)

    def is_sound(self) -> bool:
        spans = (self.months, self.weeks, self.days)
        return min(spans) >= 0 < max(spans) and self.months * 31 + self.weeks * 7 + self.days <= MAX_DAYS


class Moment(Struct, kw_only=True, forbid_unknown_fields=True):
    """A date or moment that the data names, so many days before or after it, at a time of day or at its own."""

    source: Annotated[
        Literal["event", "trait"],
        form(_("named by"), choices={"event": _("the entry event"), "trait": _("the customer’s trait")}),
    ]
    name: Annotated[str, form(_("property or trait"), _("With a date in it, as in 2026-05-31, or a moment."))]
    past: Annotated[
        str, form(_("past or missing: go to"), _("Also where it is no date that can be read."), refers="step")
    ]
    days: Annotated[int, form(_("days after"), _("Less than 0: before it."))] = 0
    time: Annotated[
        str | None, form(_("time of day"), _("In the customer’s zone, as in 09:00. Empty: its own, or midnight."))
    ] = None

    def found(self, here: Here) -> datetime | None:
        facts = here.facts
        find = at_path(self.name.split("."))
        moment = _read(find(facts.properties if self.source == "event" else facts.traits), here.zone)
        if moment is None:
            return None
        local = moment.astimezone(here.zone)
        try:
            clock = time_of(self.time) if self.time else local.time()
            return at(local.date() + timedelta(days=self.days), clock, here.zone)
        except OverflowError:
            return None


class OpenHours(Struct, kw_only=True, forbid_unknown_fields=True):
    """In the customer's zone."""

    days: Annotated[str, form(_("days"), _("As in mon-fri or sat,sun. Empty: every day."))] = ""
    opens: Annotated[str, form(_("from"), _("As in 09:00."))] = _WHOLE_DAY
    closes: Annotated[str, form(_("until"), _("As in 18:00; 00:00 is the end of the day."))] = _WHOLE_DAY

    def hours(self) -> Hours:
        return Hours(days_of(self.days), time_of(self.opens), time_of(self.closes))


class Delay(Step, tag_field="type", tag="delay", kw_only=True, forbid_unknown_fields=True):
    """`after` is an ISO 8601 duration of elapsed time, `on_calendar` a span of days, `until` a date out of the data;
    at most one of them. `hours`, alone or after one of them, waits on for the next moment within them."""

    label: ClassVar[Text] = _("Delay")
    help: ClassVar[Text] = _("Waits for a span of time, a date or certain hours, whatever happens.")
    waits: ClassVar[bool] = True

    after: Annotated[timedelta | None, form(_("wait for"), _("Elapsed time: a day is 24 hours."), is_usual=True)] = None
    on_calendar: Annotated[CalendarSpan | None, form(_("or on the calendar"))] = None
    until: Annotated[Moment | None, form(_("or until a date"))] = None
    hours: Annotated[OpenHours | None, form(_("then until certain hours"))] = None
    next: Annotated[str, form(_("then go to"), refers="step")]

    def targets(self) -> list[str]:
        return [self.next, *self.at_once()]

    def at_once(self) -> list[str]:
        return [self.until.past] if self.until else []

    def reads(self) -> frozenset[str]:
        read = {ZONE} if self.on_calendar or self.until or self.hours else set()
        if self.until:
            read.add(EVENT if self.until.source == "event" else TRAITS)
        return frozenset(read)

    def traits(self) -> list[str]:
        return self._named("trait")

    def properties(self) -> list[str]:
        return self._named("event")

    def _named(self, source: str) -> list[str]:
        return [self.until.name.partition(".")[0]] if self.until and self.until.source == source else []

    def enter(self, here: Here) -> Outcome:
        end = self._end(here)
        if end is None or (self.until and end < here.now):
            return Go(self.at_once()[0], Cause.PAST)
        return Wait(self.hours.hours().next_open(end, here.zone) if self.hours else end)

    def due(self, here: Here) -> Outcome:
        moment = max(self._end_as_of_now(here), here.now)
        if self.hours:
            moment = self.hours.hours().next_open(moment, here.zone)
        return Wait(moment, goes_on=True) if moment > here.now else Go(self.next, Cause.TIMER)

    def _end(self, here: Here) -> datetime | None:
        if self.after is not None:
            return here.now + self.after
        if self.on_calendar:
            return self.on_calendar.end(here.now, here.zone)
        return self.until.found(here) if self.until else here.now

    def _end_as_of_now(self, here: Here) -> datetime:
        """What clocks show may have been decided anew since the run came here, or the person may be elsewhere. What a
        trait says by now is another matter: the date it named then was waited for."""
        if self.on_calendar:
            return self.on_calendar.end(here.run.stepped_at, here.zone)
        if self.until and self.until.source == "event":
            return self.until.found(here) or here.now
        return here.now

    def problems(self) -> Iterator[Problem]:
        chosen = [one for one in (self.after, self.on_calendar, self.until) if one is not None]
        if len(chosen) > 1 or not (chosen or self.hours):
            hint = _("Give one of: after, on_calendar, until; or hours alone.")
            yield Problem("delay_unclear", "", _("It is not clear how long this waits."), hint)
        if self.after is not None:
            yield from span_problems(self.after, "/after")
        if self.on_calendar and not self.on_calendar.is_sound():
            yield Problem("duration", "/on_calendar", _("A span is longer than nothing and at most ten years."))
        if self.until:
            yield from _moment_problems(self.until)
        if self.hours:
            yield from _hours_problems(self.hours)


def _read(value: Any, zone: ZoneInfo) -> datetime | None:
    """A date is its first moment in the zone, and a moment that says no zone is one of the customer's."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2026-05-31"):
            return at(date.fromisoformat(value), time(), zone)
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else at(moment.date(), moment.time(), zone)
    except (ValueError, OverflowError):
        return None


def _moment_problems(until: Moment) -> Iterator[Problem]:
    if not until.name.strip():
        yield Problem("name_missing", "/until/name", _("A date needs the name of a property or trait."))
    if abs(until.days) > MAX_DAYS:
        yield Problem("duration", "/until/days", _("At most ten years before or after."))
    if until.time is not None and not _is_time(until.time):
        yield _no_time("/until/time", until.time)


def _hours_problems(hours: OpenHours) -> Iterator[Problem]:
    try:
        days_of(hours.days)
    except NoSuchMoment:
        hint = _("Write mon-fri, or sat,sun.")
        yield Problem("bad_days", "/hours/days", _("“%(text)s” names no days.") % {"text": hours.days}, hint)
    wrong = [name for name in ("opens", "closes") if not _is_time(getattr(hours, name))]
    yield from (_no_time(f"/hours/{name}", getattr(hours, name)) for name in wrong)
    if not wrong and _WHOLE_DAY != hours.closes <= hours.opens:
        yield Problem("no_hours", "/hours/closes", _("It closes before it opens."), _("Put the later time last."))


def _is_time(text: str) -> bool:
    try:
        time_of(text)
    except NoSuchMoment:
        return False
    return True


def _no_time(pointer: str, text: str) -> Problem:
    return Problem("bad_time", pointer, _("“%(text)s” is no time of day.") % {"text": text}, _("Write it as 09:00."))
