"""From a msgspec struct to the fields a form shows: their kind, label, default and what they refer to."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec
from msgspec import inspect

from customers.hints import Hint, Text
from journeys.definition import Definition
from journeys.steps.base import step_types

Kind = Literal[
    "text", "choice", "number", "flag", "duration", "group", "list", "rule", "json", "value", "states", "moves", "steps"
]
# Said of a field without a default: it must be filled in.
NOTHING: Final = object()
# The field by which a step names its type.
TYPE: Final = "type"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `default` is the value as JSON that leaving it out stands for."""

    name: str
    kind: Kind
    hint: Hint
    default: Any = NOTHING
    # A list or group that may be left out as a whole, which is not the same as leaving it empty.
    may_be_unset: bool = False
    # Of a group, or of each row of a list.
    fields: tuple["Field", ...] = ()
    choices: tuple[tuple[str, Text], ...] = ()
    whole: bool = False

    @property
    def required(self) -> bool:
        return self.default is NOTHING

    @property
    def label(self) -> Text:
        return self.hint.label or self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class StepForm:
    """What authors see of a step type."""

    tag: str
    label: Text
    help: Text
    fields: tuple[Field, ...]


def definition_fields() -> tuple[Field, ...]:
    return struct_fields(Definition)


def step_forms() -> dict[str, StepForm]:
    """A form for each step type there is, by its tag: the registry decides, at the time of asking."""
    return {
        tag: StepForm(tag, cls.label or tag.replace("_", " "), cls.help, struct_fields(cls))
        for tag, cls in step_types().items()
    }


@lru_cache(maxsize=256)
def struct_fields(struct: type[msgspec.Struct]) -> tuple[Field, ...]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return tuple(_field(field) for field in info.fields)


def _field(field: inspect.Field) -> Field:
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


def _kind(type_: inspect.Type, hint: Hint) -> Kind:
    if hint.kind:
        return hint.kind  # type: ignore[return-value]  # a hint names one of the kinds
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
        case inspect.ListType(item_type=item) if isinstance(_unwrap(item, Hint())[0], inspect.StructType):
            return "list"
        case inspect.AnyType():
            return "value"
    return "json"


def _inner(type_: inspect.Type) -> tuple[Field, ...]:
    if isinstance(type_, inspect.ListType):
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
    return msgspec.to_builtins(field.default)
