"""What an entry's limits may not be, each with its place and what to do."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from customers.rules.errors import Problem
from journeys.entry.parts import EntryCap
from journeys.spans import span_problems

if TYPE_CHECKING:
    from journeys.definition import Entry

MOST_ENTRIES: Final = 1000
HIGHEST: Final = 100


def entry_problems(entry: "Entry") -> Iterator[Problem]:
    if not 0 <= entry.priority <= HIGHEST:
        text = _("A priority is a number from 0 to %(most)s.") % {"most": HIGHEST}
        yield Problem("bad_priority", "/entry/priority", text, _("The higher goes first."))
    if entry.cap is not None:
        yield from _cap_problems(entry.cap)


def _cap_problems(cap: EntryCap) -> Iterator[Problem]:
    if not 1 <= cap.most <= MOST_ENTRIES:
        text = _("People come in between 1 and %(most)s times.") % {"most": MOST_ENTRIES}
        yield Problem("bad_cap", "/entry/cap/most", text, _("To let nobody in, pause the journey."))
    yield from span_problems(cap.per, "/entry/cap/per")
