"""Leaf kind `event_property`: a property of the event at hand; of an identify, one of the traits it tells."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from customers.hints import Text
from customers.rules.leaf import MOMENT, Holds
from customers.rules.operators import OPERATORS
from customers.rules.reading import Fragment, Reading
from customers.rules.value_leaf import ValueLeaf, walk
from customers.rules.values import at_path

_SAID = "coalesce(p.payload -> 'properties', p.payload -> 'traits')"


class EventProperty(ValueLeaf, frozen=True):
    """SQL reads `p`, a row of customers_eventpayload."""

    kind: ClassVar[str] = "event_property"
    label: ClassVar[Text] = _("Property of the event")
    inputs: ClassVar[frozenset[str]] = frozenset({"event"})
    places: ClassVar[frozenset[str]] = frozenset({MOMENT})

    def python(self) -> Holds:
        find, test = at_path(self.path), OPERATORS[self.op].python(self.value)
        return lambda facts: test(find(facts.properties))

    def sql(self, reading: Reading) -> Fragment:
        return self.compare(walk(_SAID, self.path))

    def as_of(self, reading: Reading) -> Fragment:
        # What an event said never changes.
        return self.sql(reading)
