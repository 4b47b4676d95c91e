"""What an entry's limits may not be, each with its place and what to do."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from customers.rules.errors import Problem
from journeys.entry.check_schedule import is_date, schedule_problems
from journeys.entry.parts import EntryCap, Ramp
from journeys.spans import span_problems

if TYPE_CHECKING:
    from journeys.definition import Entry

MOST_ENTRIES: Final = 1000
HIGHEST: Final = 100


def entry_problems(entry: "Entry") -> Iterator[Problem]:
    yield from _kind_problems(entry)
    if not 0 <= entry.priority <= HIGHEST:
        text = _("A priority is a number from 0 to %(most)s.") % {"most": HIGHEST}
        yield Problem("bad_priority", "/entry/priority", text, _("The higher goes first."))
    if entry.cap is not None:
        yield from _cap_problems(entry.cap)
    if entry.ramp is not None:
        yield from _ramp_problems(entry.ramp)


def _kind_problems(entry: "Entry") -> Iterator[Problem]:
    if entry.kind == "event":
        if not entry.event:
            yield Problem("missing_field", "/entry/event", _("This is missing."), _("Fill it in."))
        for name in ("segment", "take_in", "schedule"):
            if getattr(entry, name):
                yield _one_too_many(name, _("Leave it out, or let people in by a segment."))
        return
    yield from _calendar_problems(entry)
    if not entry.segment:
        yield Problem("missing_field", "/entry/segment", _("This is missing."), _("Name a segment."))
    if entry.event:
        yield _one_too_many("event", _("Leave it out, or let people in by an event."))
    if entry.key:
        yield _one_too_many("key", _("Nobody comes into a segment twice at once, so there is no key."))
    if entry.kind == "schedule":
        return
    if entry.take_in and entry.moved == "left":
        yield _one_too_many("take_in", _("Who is in the segment has not left it."))
    if entry.exclude and entry.exclude == entry.segment and entry.moved == "entered":
        yield _nobody()


def _calendar_problems(entry: "Entry") -> Iterator[Problem]:
    if entry.kind != "schedule":
        if entry.schedule is not None:
            yield _one_too_many("schedule", _("Leave it out, or let people in by the calendar."))
        return
    if entry.schedule is None:
        yield Problem("missing_field", "/entry/schedule", _("This is missing."), _("Say when people are called."))
    else:
        yield from schedule_problems(entry.schedule, "/entry/schedule")
    if entry.take_in:
        yield _one_too_many("take_in", _("Leave it out: the calendar says when they are called."))
    if entry.moved == "left":
        yield _one_too_many("moved", _("Leave it out: whoever is in the segment is called."))
    if entry.exclude and entry.exclude == entry.segment:
        yield _nobody()


def _nobody() -> Problem:
    text = _("Nobody could come in: who has come into the segment is in it.")
    return Problem("nobody_comes_in", "/entry/exclude", text, _("Exclude another segment."))


def _one_too_many(name: str, hint: str) -> Problem:
    return Problem("field_unused", f"/entry/{name}", _("This means nothing for such an entry."), hint)


def _cap_problems(cap: EntryCap) -> Iterator[Problem]:
    if not 1 <= cap.most <= MOST_ENTRIES:
        text = _("People come in between 1 and %(most)s times.") % {"most": MOST_ENTRIES}
        yield Problem("bad_cap", "/entry/cap/most", text, _("To let nobody in, pause the journey."))
    yield from span_problems(cap.per, "/entry/cap/per")


def _ramp_problems(ramp: Ramp) -> Iterator[Problem]:
    if not 1 <= ramp.percent <= 100:
        text = _("The group is between 1 and 100 percent of people.")
        yield Problem("bad_ramp", "/entry/ramp/percent", text, _("To let everybody in, leave the group out."))
    if not is_date(ramp.compare_on):
        text = _("“%(value)s” is no date.") % {"value": ramp.compare_on}
        yield Problem("bad_date", "/entry/ramp/compare_on", text, _("Write it as 2026-12-31."))
