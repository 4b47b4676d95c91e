"""What leaves share that look at events of the past: which ones count, in SQL and in memory."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.hints import Text, form
from customers.rules.errors import Problem
from customers.rules.event_property import EventProperty
from customers.rules.leaf import BLANK, Facts, Leaf
from customers.rules.reading import Fragment, Reading
from customers.rules.value_leaf import text_problems
from customers.suggest import event_names, property_names

if TYPE_CHECKING:
    from customers.sight import Person

LONGEST_NAME: Final = 120
MOST_CONDITIONS: Final = 10
LONGEST_WINDOW: Final = timedelta(days=3_660)
# By which facts bring the events of a customer.
EVENTS: Final = "events"


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the past. It is placed by the earlier of when it says it occurred and when it was received."""

    name: str
    at: datetime
    properties: dict[str, Any] = field(default_factory=dict)


class PastEvents(Leaf, frozen=True):
    """Events of a name, of which all the conditions in `where` hold."""

    event: Annotated[str, form(_("event"), refers="event")]
    where: Annotated[tuple[EventProperty, ...], form(_("where"), _("All of these must hold for its properties."))] = ()

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        return {
            "event": ((name, name) for name in event_names(brand_id)),
            "property": property_names(brand_id),
        }

    @property
    def events(self) -> frozenset[str]:
        return frozenset({self.event})

    @property
    def is_personal(self) -> bool:
        return any(condition.is_personal for condition in self.where)

    @classmethod
    def filled(cls, sentence: Text, said: Mapping[str, str]) -> str:
        """The sentence with what is said of each field in it, and with what must hold for the events."""
        event = said.get("event", BLANK)
        if "where" in said:
            event = gettext("%(event)s (where %(where)s)") % {"event": event, "where": said["where"]}
        return str(sentence) % defaultdict(lambda: BLANK, said, event=event)

    def problems(self) -> Iterator[Problem]:
        if not 0 < len(self.event) <= LONGEST_NAME:
            hint = format_lazy(_("From 1 to {most} characters."), most=LONGEST_NAME)
            yield Problem("name_invalid", "/event", _("This cannot be the name of an event."), hint)
        yield from text_problems(self.event, "/event")
        if len(self.where) > MOST_CONDITIONS:
            hint = format_lazy(_("At most {most}."), most=MOST_CONDITIONS)
            yield Problem("too_many_conditions", "/where", _("There are too many conditions."), hint)
            return
        for index, condition in enumerate(self.where):
            for one in condition.problems():
                yield Problem(one.code, f"/where/{index}{one.pointer}", one.message, one.hint)

    def counted(self, reading: Reading, within: timedelta | None, until: datetime | None = None) -> str:
        """The alias of a relation of customers with how often it happened (n), first and last.

        What was received after `now` counts as well: it was committed before it was looked at, and its own clock may
        be ahead of ours.
        """
        conditions: list[Fragment] = [("e.name = %s", [self.event])]
        if reading.brand_id is not None:
            conditions.append(("e.brand_id = %s", [reading.brand_id]))
        if within is not None:
            since = reading.now - within
            # Both, as the earlier of the two counts; the months before then need not be looked at.
            conditions.append(("e.occurred_at > %s AND e.received_at > %s", [since, since]))
        if until is not None:
            conditions.append(("(e.occurred_at <= %s OR e.received_at <= %s)", [until, until]))
        conditions += [condition.sql(reading) for condition in self.where]
        if reading.by_key:
            conditions.append(("w.customer_id = c.id", []))
        said = " JOIN customers_eventpayload p ON p.event_id = e.id AND p.received_at = e.received_at"
        text = (
            f"SELECT {'' if reading.by_key else 'w.customer_id, '}count(*) AS n,"
            " min(least(e.occurred_at, e.received_at)) AS first_at, max(least(e.occurred_at, e.received_at)) AS last_at"
            f" FROM {reading.people} w JOIN customers_event e ON e.profile_id = w.id{said if self.where else ''}"
            f" WHERE {' AND '.join(text for text, _ in conditions)}"
            f"{'' if reading.by_key else ' GROUP BY w.customer_id'}"
        )
        return reading.beside((text, [one for _text, given in conditions for one in given]))

    def moments(self) -> Callable[[Facts], Sequence[datetime]]:
        """When it happened, in memory."""
        tests = [condition.python() for condition in self.where]

        def find(facts: Facts) -> list[datetime]:
            return [
                one.at
                for one in facts.extra.get(EVENTS, ())
                if one.name == self.event and all(test(Facts(properties=one.properties)) for test in tests)
            ]

        return find


def window_problems(within: timedelta, pointer: str) -> Iterator[Problem]:
    if not timedelta(0) < within <= LONGEST_WINDOW:
        hint = format_lazy(_("More than nothing, and at most {most} days: P30D, PT12H."), most=LONGEST_WINDOW.days)
        yield Problem("window_out_of_range", pointer, _("The window is too short or too long."), hint)
