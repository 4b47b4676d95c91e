"""Leaf kind `attribute`: a trait of the customer."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from customers import personal
from customers.hints import Text
from customers.rules.leaf import Holds
from customers.rules.operators import OPERATORS
from customers.rules.reading import Fragment, Reading
from customers.rules.value_leaf import ValueLeaf, walk
from customers.rules.values import at_path
from customers.suggest import trait_names
from customers.winner import FITS, ORDER

if TYPE_CHECKING:
    from customers.sight import Person

# Of all that the customer's profiles were said to be from a time by then, the value that counts.
_THEN = f"""(
    SELECT t.value FROM customers_profile o JOIN customers_trait t ON t.profile_id = o.id
    LEFT JOIN customers_traitdefinition d ON d.name = t.name
    WHERE o.customer_id = c.id AND t.name = %s::text AND t.valid_from <= %s AND {FITS}
    ORDER BY {ORDER} LIMIT 1
)"""


class Attribute(ValueLeaf, frozen=True):
    """SQL reads `c`, a row of customers_customer."""

    kind: ClassVar[str] = "attribute"
    label: ClassVar[Text] = _("Trait of the customer")
    inputs: ClassVar[frozenset[str]] = frozenset({"traits"})
    suggests: ClassVar[Mapping[str, str]] = MappingProxyType({"name": "trait"})

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        return {"trait": trait_names(brand_id)}

    @property
    def traits(self) -> frozenset[str]:
        return frozenset({self.path[0]})

    @property
    def is_personal(self) -> bool:
        return not personal.is_open(self.path[0])

    def python(self) -> Holds:
        find, test = at_path(self.path), OPERATORS[self.op].python(self.value)
        return lambda facts: test(find(facts.traits))

    def sql(self, reading: Reading) -> Fragment:
        return self.compare(walk("c.traits", self.path))

    def as_of(self, reading: Reading) -> Fragment:
        first, *rest = self.path
        text, names = walk(_THEN, rest)
        return self.compare((text, [first, reading.now, *names]))
