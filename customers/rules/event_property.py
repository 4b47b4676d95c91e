"""Leaf kind `event_property`: a property of the event at hand; of an identify, one of the traits it tells."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from customers.hints import Text
from customers.registry import shapes
from customers.rules.leaf import MOMENT, WALK, Holds
from customers.rules.operators import OPERATORS
from customers.rules.reading import Fragment, Reading
from customers.rules.value_leaf import ValueLeaf, walk
from customers.rules.values import at_path
from customers.suggest import property_names

if TYPE_CHECKING:
    from customers.sight import Person


class EventProperty(ValueLeaf, frozen=True):
    """SQL reads `e`, a row of customers_event, and `p`, its payload; both read the newest shape of the event."""

    kind: ClassVar[str] = "event_property"
    label: ClassVar[Text] = _("Property of the event")
    inputs: ClassVar[frozenset[str]] = frozenset({"event"})
    suggests: ClassVar[Mapping[str, str]] = MappingProxyType({"name": "property"})
    places: ClassVar[frozenset[str]] = frozenset({MOMENT, WALK})

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        return {"property": property_names(brand_id)}

    @property
    def is_personal(self) -> bool:
        # What events say is masked as a whole.
        return True

    def python(self) -> Holds:
        find, test = at_path(self.path), OPERATORS[self.op].python(self.value)
        return lambda facts: test(find(facts.properties))

    def sql(self, reading: Reading) -> Fragment:
        said, values = shapes.said_in_sql()
        walked, path = walk(said, self.path)
        return self.compare((walked, [*values, *path]))

    def as_of(self, reading: Reading) -> Fragment:
        # What an event said never changes.
        return self.sql(reading)
