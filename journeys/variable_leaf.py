"""Leaf kind `variable`: a typed variable of the journey, as the run holds it at that moment."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

import msgspec
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers.hints import Text
from customers.rules.errors import Problem
from customers.rules.leaf import WALK, Facts, Holds
from customers.rules.operators import OPERATORS
from customers.rules.value_leaf import ValueLeaf
from journeys.variables import BOOLEAN, MOMENT, MOMENT_HINT, NUMBER, TEXT, VARIABLES, fit

_EQUAL: Final = frozenset({"eq", "ne", "in", "not_in", "exists", "missing"})
_ORDERED: Final = _EQUAL | {"lt", "le", "gt", "ge"}
_OPERATORS: Final = {
    TEXT: _EQUAL | {"contains", "starts_with"},
    NUMBER: _ORDERED,
    BOOLEAN: _EQUAL,
    MOMENT: _ORDERED,
}


class VariableLeaf(ValueLeaf, frozen=True):
    """A run that has no value for it is asked as of something that is missing."""

    kind: ClassVar[str] = "variable"
    label: ClassVar[Text] = _("Variable of the journey")
    inputs: ClassVar[frozenset[str]] = frozenset({VARIABLES})
    suggests: ClassVar[Mapping[str, str]] = MappingProxyType({"name": "variable"})
    places: ClassVar[frozenset[str]] = frozenset({WALK})

    @classmethod
    def words(cls, said: Mapping[str, str]) -> str:
        return " ".join([f"journey.{said.get('name', '')}", *(said[name] for name in ("op", "value") if name in said)])

    @property
    def is_personal(self) -> bool:
        return True

    def misfits(self, kinds: Mapping[str, str]) -> Iterator[Problem]:
        """Why it can never hold in a journey with variables of these kinds."""
        kind = kinds.get(self.name)
        if kind is None:
            hint = format_lazy(_("Declare it, or use one of: {names}."), names=", ".join(kinds) or "–")
            yield Problem("unknown_variable", "/name", _("The journey has no variable of this name."), hint)
        elif self.op not in _OPERATORS[kind]:
            hint = format_lazy(_("Use one of {operators}."), operators=", ".join(sorted(_OPERATORS[kind])))
            yield Problem("wrong_operator", "/op", _("This is never so of a variable of this kind."), hint)
        elif self.value is not msgspec.UNSET:
            yield from self._values(kind)

    def _values(self, kind: str) -> Iterator[Problem]:
        for n, value in enumerate(self.value if isinstance(self.value, list) else [self.value]):
            held = fit(kind, value)
            if held is None or (kind == MOMENT and held != value):
                at = f"/value/{n}" if isinstance(self.value, list) else "/value"
                hint = MOMENT_HINT if kind == MOMENT else format_lazy(_("It is a {kind}."), kind=kind)
                yield Problem("wrong_type", at, _("This does not fit the variable."), hint)

    def python(self) -> Holds:
        test = OPERATORS[self.op].python(self.value)
        return lambda facts: test(facts.extra.get(VARIABLES, {}).get(self.name))

    def seen(self, facts: Facts) -> Mapping[str, Any]:
        return {f"journey.{self.name}": facts.extra.get(VARIABLES, {}).get(self.name)}
