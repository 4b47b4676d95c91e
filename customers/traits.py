"""What traits mean here: their types, whose word counts, and which of them are not personal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from customers import clock
from customers.belief import Belief
from customers.models import TraitDefinition


@dataclass(frozen=True, slots=True)
class Definition:
    label: str
    type: str
    is_personal: bool


def current(now: datetime) -> Mapping[str, Definition]:
    """By the trait's name."""
    return _BELIEF.current(now)


def open_names() -> frozenset[str]:
    """Traits that anybody may read who may see the customer."""
    return frozenset(name for name, one in current(clock.utcnow()).items() if not one.is_personal)


def forget() -> None:
    """Believe nothing any more."""
    _BELIEF.forget()


def _load() -> Mapping[str, Definition]:
    rows = TraitDefinition.objects.values_list("name", "label", "type", "is_personal")
    return {name: Definition(label, type_, is_personal) for name, label, type_, is_personal in rows}


_BELIEF: Final = Belief(("customers_traitdefinition",), _load)
