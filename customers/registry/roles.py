"""What the role of an event type asks of its schema: that the properties it names are there, and of a fitting type."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from customers.models import EventType
from customers.registry.fault import Fault
from customers.registry.flat import Schema, flatten, kind_of

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

# The fields of the event type, with what their properties may be.
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "amount_property": frozenset({"integer"}),
    "currency_property": frozenset({"string"}),
    "key_property": frozenset({"string", "integer"}),
}
_SAYS: Final[Mapping[str, "_StrOrPromise"]] = {
    "amount_property": _("Money is an integer of minor units: say “type”: “integer”."),
    "currency_property": _("A currency is an ISO 4217 code: say “type”: “string”."),
    "key_property": _("A key is a text or an integer."),
}
# Reports cannot count these without the amount and its currency.
PAID: Final = frozenset({EventType.Role.ORDER, EventType.Role.REFUND})


def lacking(role: str, named: Mapping[str, str]) -> Iterator[tuple[str, "_StrOrPromise"]]:
    """Fields that the role needs and that name nothing."""
    if role in PAID:
        for field in ("amount_property", "currency_property"):
            if not named.get(field):
                yield field, _("Orders and refunds name their amount and its currency.")
    elif named.get("amount_property") and not named.get("currency_property"):
        yield "currency_property", _("An amount is in a currency.")


def faults(event_type: EventType, schema: Schema) -> list[Fault]:
    return [
        Fault("role_property", f"/properties/{name}", text, _SAYS[field])
        for field, name, text in unfit(schema, {field: getattr(event_type, field) for field in _FIELDS})
    ]


def unfit(schema: Schema, named: Mapping[str, str]) -> Iterator[tuple[str, str, "_StrOrPromise"]]:
    """(field, property, what is wrong) for each named property that the schema lacks or has as something else."""
    defs = schema.get("$defs", {}) if isinstance(schema, dict) else {}
    known = flatten(schema, defs).words.get("properties", {})
    for field, types in _FIELDS.items():
        name = named.get(field)
        if not name:
            continue
        if name not in known:
            yield field, name, _("The schema has no such property.")
        elif not _kinds(known[name], defs) <= types:
            yield field, name, _("The property may be something else.")


def _kinds(schema: Schema, defs: Mapping[str, Schema]) -> set[str]:
    """The types it can have; a number that is none of minor units is told from an integer."""
    from_words = flatten(schema, defs)
    if from_words.values is not None:
        return {kind_of(value) for value in from_words.values}
    return from_words.types
