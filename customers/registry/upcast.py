"""Upcasts: how what an event said under one version reads in the shape of the next.

Declared with a version as a list of operations, from the version before to this one. What does not suit an operation
is left as it is. `upcast_sql` says the same in SQL, `upcast_schema` what becomes of the schema.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from django.utils.translation import gettext_lazy as _

from customers.registry.fault import Fault

# No digit first: a list has no members of a name.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_ -]{0,63}(\.[A-Za-z_][A-Za-z0-9_ -]{0,63})*")
MOST_OPERATIONS: Final = 50
# Beyond these, a double is not what its decimals say.
INTEGER: Final = "-?[0-9]{1,15}"
DECIMAL: Final = r"-?(?=[0-9.]{1,16}$)[0-9]+(\.[0-9]+)?"
LARGEST: Final = 10**15
_INTEGER, _DECIMAL = re.compile(INTEGER), re.compile(DECIMAL)
_NOTHING: Final = object()
Scalar = str | int | float | bool | None


class Operation(msgspec.Struct, frozen=True, tag_field="op", forbid_unknown_fields=True, kw_only=True):
    """`target` is a path through nested objects, with dots, as in rules."""

    target: str = msgspec.field(name="property")

    @property
    def path(self) -> list[str]:
        return self.target.split(".")

    def apply(self, holder: dict[str, Any], name: str) -> None:
        """Change the object that holds the property of that name. Said by each operation: a struct cannot be an
        abstract class."""
        # Every operation that can be named overrides it; a msgspec struct takes no ABCMeta.
        raise NotImplementedError

    def problems(self) -> Iterable[tuple[str, Any, Any]]:
        """(field, what is wrong, what to do) beside the name of the property."""
        return ()


class Rename(Operation, frozen=True, kw_only=True, tag="rename"):
    """To another name in the same object."""

    to: str

    def apply(self, holder: dict[str, Any], name: str) -> None:
        if name in holder:
            holder[self.to] = holder.pop(name)

    def problems(self) -> Iterable[tuple[str, Any, Any]]:
        if not _NAME.fullmatch(self.to) or "." in self.to:
            yield "to", _("This cannot be a name."), _("Give the new name alone, without a dot.")
        elif self.to == self.path[-1]:
            yield "to", _("The new name is the old one."), _("Give another name.")


class Default(Operation, frozen=True, kw_only=True, tag="default"):
    """A value where there is none; null is one."""

    value: Any

    def apply(self, holder: dict[str, Any], name: str) -> None:
        holder.setdefault(name, self.value)


class Map(Operation, frozen=True, kw_only=True, tag="map"):
    """Other values for some texts."""

    values: dict[str, Scalar]

    def apply(self, holder: dict[str, Any], name: str) -> None:
        value = holder.get(name)
        if type(value) is str and value in self.values:
            holder[name] = self.values[value]

    def problems(self) -> Iterable[tuple[str, Any, Any]]:
        if not self.values:
            yield "values", _("There is nothing to map."), _("Give old texts with their new values.")


class Drop(Operation, frozen=True, kw_only=True, tag="drop"):
    def apply(self, holder: dict[str, Any], name: str) -> None:
        holder.pop(name, None)


class Coerce(Operation, frozen=True, kw_only=True, tag="coerce"):
    """To another type, as far as the value can be said in it without loss."""

    to: Literal["string", "integer", "number", "boolean"]

    def apply(self, holder: dict[str, Any], name: str) -> None:
        made = _COERCED[self.to](holder.get(name, _NOTHING))
        if made is not _NOTHING:
            holder[name] = made


AnyOperation = Rename | Default | Map | Drop | Coerce


def read(document: object) -> tuple[list[Operation], list[Fault]]:
    """The operations of an upcast as it is kept, and what is wrong with it."""
    if not isinstance(document, list) or len(document) > MOST_OPERATIONS:
        hint = _("Give a list, such as [] or [{“op”: “drop”, “property”: “colour”}].")
        return [], [Fault("upcast_invalid", "", _("An upcast is a list of at most 50 operations."), hint)]
    operations: list[Operation] = []
    problems: list[Fault] = []
    for place, one in enumerate(document):
        try:
            operation: AnyOperation = msgspec.convert(one, AnyOperation)
        except msgspec.ValidationError as error:
            hint = _("One of rename, default, map, drop, coerce, as described beside the field.")
            problems.append(Fault("upcast_invalid", f"/{place}", str(error), hint))
            continue
        operations.append(operation)
        if not _NAME.fullmatch(operation.target):
            hint = _("Begin with a letter or _; then letters, digits, space, _ and -; a dot between two names.")
            problems.append(Fault("name_invalid", f"/{place}/property", _("This cannot be a name."), hint))
        problems += [
            Fault("upcast_invalid", f"/{place}/{name}", text, hint) for name, text, hint in operation.problems()
        ]
    return operations, problems


def apply(operations: Sequence[Operation], said: Mapping[str, Any]) -> dict[str, Any]:
    """What was said, in the newer shape; `said` itself stays as it is."""
    made = dict(said)
    for operation in operations:
        *above, name = operation.path
        holder = _holder(made, above)
        if holder is not None:
            operation.apply(holder, name)
    return made


def _holder(made: dict[str, Any], above: Sequence[str]) -> dict[str, Any] | None:
    """The object inside that is to be changed, after copying the way to it; None where there is none."""
    holder = made
    for name in above:
        inner = holder.get(name)
        if type(inner) is not dict:
            return None
        holder[name] = holder = dict(inner)
    return holder


def _whole(value: Any) -> bool:
    kind = type(value)
    return (kind is int or (kind is float and value.is_integer())) and abs(value) < LARGEST


def _to_integer(value: Any) -> Any:
    if type(value) is bool or _whole(value):
        return int(value)
    return int(value) if type(value) is str and _INTEGER.fullmatch(value) else _NOTHING


def _to_number(value: Any) -> Any:
    if type(value) is bool:
        return int(value)
    if type(value) is str and _DECIMAL.fullmatch(value):
        return float(value) if "." in value else int(value)
    return _NOTHING


def _to_text(value: Any) -> Any:
    if type(value) is bool:
        return "true" if value else "false"
    return str(int(value)) if _whole(value) else _NOTHING


def _to_boolean(value: Any) -> Any:
    if type(value) is str:
        return {"true": True, "false": False}.get(value, _NOTHING)
    return bool(value) if type(value) in (int, float) and value in (0, 1) else _NOTHING


_COERCED: Final = {"integer": _to_integer, "number": _to_number, "string": _to_text, "boolean": _to_boolean}
