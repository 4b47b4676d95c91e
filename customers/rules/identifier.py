"""Leaf kind `identifier`: whether the customer is known by an identifier of a kind, an e-mail address, say."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Final
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.hints import Text, form
from customers.models import IdentifierKind
from customers.rules.errors import Problem
from customers.rules.leaf import BLANK, PEOPLE, Holds
from customers.rules.leaf import Leaf as Base
from customers.rules.reading import Fragment, Reading
from customers.rules.value_leaf import NAME

if TYPE_CHECKING:
    from customers.sight import Person

# By which facts bring the kinds of identifiers that a customer has.
IDENTIFIERS: Final = "identifiers"
_HAS = (
    "EXISTS (SELECT 1 FROM customers_profile o JOIN customers_identifier i ON i.profile_id = o.id"
    " WHERE o.customer_id = c.id AND i.kind_id = %s{})"
)


class HasIdentifier(Base, frozen=True):
    """SQL reads `c`, a row of customers_customer. One that was closed, as a device's is, was theirs all the same."""

    kind: ClassVar[str] = "identifier"
    label: ClassVar[Text] = _("Has an identifier")
    inputs: ClassVar[frozenset[str]] = frozenset({"identifiers"})
    places: ClassVar[frozenset[str]] = frozenset({PEOPLE})

    name: Annotated[str, form(_("kind"), _("email, phone, user_id …"), refers="identifier_kind")]

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        return gettext("has an identifier of kind %(name)s") % {"name": said.get("name", BLANK)}

    @classmethod
    def offers(cls, brand_id: UUID, user: "Person") -> Mapping[str, Iterable[tuple[str, ...]]]:
        return {"identifier_kind": [(kind.pk, str(kind)) for kind in IdentifierKind.objects.all()]}

    @property
    def identifiers(self) -> frozenset[str]:
        return frozenset({self.name})

    def problems(self) -> Iterator[Problem]:
        if not NAME.fullmatch(self.name):
            hint = _("Give the key of an identifier kind: email, phone, user_id.")
            yield Problem("name_invalid", "/name", _("This cannot be a kind of identifier."), hint)

    def absent(self, brand_id: UUID) -> Iterator[Problem]:
        if not IdentifierKind.objects.filter(pk=self.name).exists():
            message = format_lazy(_("There is no kind of identifier {key}."), key=self.name)
            yield Problem("unknown_identifier_kind", "/name", message, _("Use the key of an identifier kind."))

    def python(self) -> Holds:
        return lambda facts: self.name in facts.extra.get(IDENTIFIERS, ())

    def sql(self, reading: Reading) -> Fragment:
        return _HAS.format(""), [self.name]

    def as_of(self, reading: Reading) -> Fragment:
        return _HAS.format(" AND i.opened_at <= %s"), [self.name, reading.now]
