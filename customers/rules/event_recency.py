"""Leaf kind `event_recency`: how long ago something happened first or last, or that it never did."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final

import msgspec
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers.hints import Text, form
from customers.rules.errors import Problem
from customers.rules.happened import PastEvents, window_problems
from customers.rules.leaf import PEOPLE, Facts, Holds
from customers.rules.reading import Fragment, Reading

_NEVER: Final = "never"
# Operator: which of the events, and whether it must be younger than the duration.
_OPERATORS: Final = {
    "last_within": ("last_at", True),
    "last_before": ("last_at", False),
    "first_within": ("first_at", True),
    "first_before": ("first_at", False),
}
_WORDS: Final = {
    "last_within": _("last happened less than this long ago"),
    "last_before": _("last happened at least this long ago"),
    "first_within": _("first happened less than this long ago"),
    "first_before": _("first happened at least this long ago"),
    _NEVER: _("never happened"),
}
_SENTENCES: Final = {
    "last_within": _("%(event)s last happened less than %(ago)s ago"),
    "last_before": _("%(event)s last happened at least %(ago)s ago"),
    "first_within": _("%(event)s first happened less than %(ago)s ago"),
    "first_before": _("%(event)s first happened at least %(ago)s ago"),
    _NEVER: _("%(event)s never happened"),
}


class EventRecency(PastEvents, frozen=True, kw_only=True):
    """`ago` is an ISO 8601 duration of elapsed time. What never happened did not happen long ago either."""

    kind: ClassVar[str] = "event_recency"
    label: ClassVar[Text] = _("How long ago an event happened")
    inputs: ClassVar[frozenset[str]] = frozenset({"events"})
    places: ClassVar[frozenset[str]] = frozenset({PEOPLE})

    op: Annotated[str, form(_("comparison"), choices=_WORDS)]
    ago: Annotated[timedelta | msgspec.UnsetType, form(_("this long ago"))] = msgspec.UNSET

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        by_words = {str(words): _SENTENCES[op] for op, words in _WORDS.items()}
        return cls.filled(by_words.get(said.get("op", ""), _("%(event)s %(op)s: %(ago)s")), said)

    @property
    def is_timed(self) -> bool:
        return self.op != _NEVER

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.op not in _WORDS:
            hint = format_lazy(_("Use one of {operators}."), operators=", ".join(_WORDS))
            yield Problem("unknown_operator", "/op", _("There is no such operator."), hint)
        elif self.op == _NEVER:
            if self.ago is not msgspec.UNSET:
                yield Problem("value_not_allowed", "/ago", _("A value too many."), _("Leave it out."))
        elif self.ago is msgspec.UNSET:
            yield Problem("missing_field", "/ago", _("The value is missing."), _("Give a duration: P30D, PT12H."))
        else:
            yield from window_problems(self.ago, "/ago")

    def python(self) -> Holds:
        find = self.moments()
        if self.op == _NEVER or self.ago is msgspec.UNSET:
            return lambda facts: not find(facts)
        ago = self.ago
        which, is_young = _OPERATORS[self.op]
        choose = max if which == "last_at" else min

        def holds(facts: Facts) -> bool:
            moments = find(facts)
            return bool(moments) and (choose(moments) > facts.now - ago) is is_young

        return holds

    def sql(self, reading: Reading) -> Fragment:
        return self._compared(reading, None)

    def as_of(self, reading: Reading) -> Fragment:
        return self._compared(reading, reading.now)

    def _compared(self, reading: Reading, until: datetime | None) -> Fragment:
        if self.op == _NEVER or self.ago is msgspec.UNSET:
            return f"coalesce({self.counted(reading, None, until)}.n, 0) = 0", []
        which, is_young = _OPERATORS[self.op]
        # What happened less than so long ago happened in the window; all else needs the whole past.
        window = self.ago if self.op == "last_within" else None
        alias = self.counted(reading, window, until)
        reading.turns.append((f"{alias}.{which} + %s", [self.ago]))
        sign = ">" if is_young else "<="
        return f"coalesce({alias}.{which} {sign} %s, false)", [reading.now - self.ago]
