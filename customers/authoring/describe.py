"""From a msgspec struct to the fields a form shows: their kind, label, default and what they refer to."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from customers.hints import Hint, Text

# Said of a field without a default: it must be filled in.
NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `default` is the value as JSON that leaving it out stands for; `suggests` what kind of
    name the form suggests."""

    name: str
    kind: str
    hint: Hint
    default: Any = NOTHING
    # A list or group that may be left out as a whole, which is not the same as leaving it empty.
    may_be_unset: bool = False
    # Of a group, or of each row of a list.
    fields: tuple["Field", ...] = ()
    choices: tuple[tuple[str, Text], ...] = ()
    whole: bool = False
    suggests: str = ""

    @property
    def required(self) -> bool:
        return self.default is NOTHING

    @property
    def label(self) -> Text:
        return self.hint.label or self.name.replace("_", " ")


@lru_cache(maxsize=256)
def struct_fields(struct: type[msgspec.Struct]) -> tuple[Field, ...]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    suggests = getattr(struct, "suggests", {})
    return tuple(_field(field, suggests.get(field.encode_name, "")) for field in info.fields)


def _field(field: inspect.Field, suggests: str) -> Field:
    type_, hint = _unwrap(field.type, Hint())
    type_, hint, optional = _without_none(type_, hint)
    # A default of UNSET is shown as none at all of a field that is not required.
    unset = not field.required and field.default is field.default_factory is msgspec.NODEFAULT
    kind = _kind(type_, hint)
    return Field(
        name=field.encode_name,
        kind=kind,
        hint=hint,
        default=_default(field),
        may_be_unset=(optional or unset) and kind in ("group", "list"),
        fields=_inner(type_),
        choices=_choices(type_, hint),
        whole=isinstance(type_, inspect.IntType),
        suggests=suggests,
    )


def _unwrap(type_: inspect.Type, hint: Hint) -> tuple[inspect.Type, Hint]:
    while isinstance(type_, inspect.Metadata):
        hint = (type_.extra or {}).get("form", hint)
        type_ = type_.type
    return type_, hint


def _without_none(type_: inspect.Type, hint: Hint) -> tuple[inspect.Type, Hint, bool]:
    if not isinstance(type_, inspect.UnionType):
        return type_, hint, False
    left = [one for one in type_.types if not isinstance(one, inspect.NoneType)]
    if len(left) != 1:
        return type_, hint, False
    inner, hint = _unwrap(left[0], hint)
    return inner, hint, True


def _kind(type_: inspect.Type, hint: Hint) -> str:
    """Which control shows it; a hint may name one that only some forms have."""
    if hint.kind:
        return hint.kind
    match type_:
        case inspect.StrType() | inspect.UUIDType():
            return "choice" if hint.choices else "text"
        case inspect.LiteralType() if all(isinstance(value, str) for value in type_.values):
            return "choice"
        case inspect.IntType() | inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "flag"
        case inspect.TimeDeltaType():
            return "duration"
        case inspect.StructType():
            return "group"
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item) if _is_struct(item):
            return "list"
        case inspect.AnyType():
            return "value"
    return "json"


def _is_struct(type_: inspect.Type) -> bool:
    return isinstance(_unwrap(type_, Hint())[0], inspect.StructType)


def _inner(type_: inspect.Type) -> tuple[Field, ...]:
    if isinstance(type_, inspect.ListType | inspect.VarTupleType):
        type_, _hint = _unwrap(type_.item_type, Hint())
    return struct_fields(type_.cls) if isinstance(type_, inspect.StructType) else ()


def _choices(type_: inspect.Type, hint: Hint) -> tuple[tuple[str, Text], ...]:
    if isinstance(type_, inspect.LiteralType):
        values = [str(value) for value in type_.values]
        # In the order of the hint, which is the one people think in.
        ordered = [value for value in hint.choices if value in values]
        ordered += [value for value in values if value not in hint.choices]
        return tuple((value, hint.choices.get(value, value)) for value in ordered)
    return tuple(hint.choices.items())


def _default(field: inspect.Field) -> Any:
    if field.required:
        return NOTHING
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default_factory())
    if field.default is msgspec.NODEFAULT:
        return None
    return list(field.default) if field.default == () else msgspec.to_builtins(field.default)
