"""Leaf kind `event_count`: how often something happened, ever or within a window that moves with the time."""

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

import msgspec
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers.hints import Text, form
from customers.rules.errors import Problem
from customers.rules.happened import PastEvents, window_problems
from customers.rules.leaf import PEOPLE, Holds
from customers.rules.reading import Fragment, Reading

MOST_TIMES: Final = 1_000_000
_SIGNS: Final[dict[str, tuple[str, Callable[[int, int], bool]]]] = {
    "at_least": (">=", operator.ge),
    "at_most": ("<=", operator.le),
    "exactly": ("=", operator.eq),
}
_WITHIN: Final = _("%(event)s happened %(op)s %(times)s × within the last %(within)s")
_WORDS: Final = {"at_least": _("at least"), "at_most": _("at most"), "exactly": _("exactly")}


class EventCount(PastEvents, frozen=True, kw_only=True):
    """`within` is an ISO 8601 duration of elapsed time; without one, all the past counts."""

    kind: ClassVar[str] = "event_count"
    label: ClassVar[Text] = _("How often an event happened")
    inputs: ClassVar[frozenset[str]] = frozenset({"events"})
    places: ClassVar[frozenset[str]] = frozenset({PEOPLE})

    op: Annotated[str, form(_("comparison"), choices=_WORDS)] = "at_least"
    times: Annotated[int, form(_("times"))] = 1
    within: Annotated[timedelta | msgspec.UnsetType, form(_("within the last"), unset=_("ever"))] = msgspec.UNSET

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        text = _("%(event)s happened %(op)s %(times)s ×") if "within" not in said else _WITHIN
        return cls.filled(text, said)

    @property
    def window(self) -> timedelta | None:
        return None if self.within is msgspec.UNSET else self.within

    @property
    def is_timed(self) -> bool:
        return self.window is not None

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.op not in _SIGNS:
            hint = format_lazy(_("Use one of {operators}."), operators=", ".join(_SIGNS))
            yield Problem("unknown_operator", "/op", _("There is no such operator."), hint)
        if not 0 <= self.times <= MOST_TIMES:
            hint = format_lazy(_("From 0 to {most}."), most=MOST_TIMES)
            yield Problem("number_out_of_range", "/times", _("Nobody can do that so often."), hint)
        if self.window is not None:
            yield from window_problems(self.window, "/within")

    def python(self) -> Holds:
        find, compare = self.moments(), _SIGNS[self.op][1]

        def holds(facts: Any) -> bool:
            since = None if self.window is None else facts.now - self.window
            return compare(sum(since is None or at > since for at in find(facts)), self.times)

        return holds

    def sql(self, reading: Reading) -> Fragment:
        return self._compared(reading, None)

    def as_of(self, reading: Reading) -> Fragment:
        return self._compared(reading, reading.now)

    def _compared(self, reading: Reading, until: datetime | None) -> Fragment:
        alias = self.counted(reading, self.window, until)
        if self.window is not None:
            # An event leaves the window when it is as old as that. Where the answer changes only as nothing is left,
            # the last one tells; else whoever leaves first may be the one that matters.
            turn = "last_at" if self.times < (2 if self.op == "at_least" else 1) else "first_at"
            reading.turns.append((f"{alias}.{turn} + %s", [self.window]))
        return f"coalesce({alias}.n, 0) {_SIGNS[self.op][0]} %s", [self.times]
