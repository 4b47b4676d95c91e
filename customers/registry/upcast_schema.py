"""What becomes of a schema when everything that fits it is upcast: what the next version must be able to read.

Where several parts of a schema speak of one object, the parts beside its properties are left out on the way to a
changed property: the result then allows more, and never less, than there can be. One thing is taken for granted:
that a coerced value could be coerced.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from customers.registry.fault import Fault
from customers.registry.flat import Schema
from customers.registry.upcast import Coerce, Default, Drop, Map, Operation, Rename

# What stays true of an object whose properties change.
_KEPT: Final = frozenset(
    {"$schema", "$defs", "type", "title", "description", "properties", "required", "additionalProperties"}
)
# Without these it is not known any more what else there may be.
_TELLING: Final = frozenset(
    {"$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "patternProperties", "dependentSchemas"}
    | {"unevaluatedProperties"}
)


def unknown(schema: Schema, operations: Sequence[Operation]) -> list[Fault]:
    """Operations on properties that the schema does not name plainly, or whose new name is taken."""
    faults: list[Fault] = []
    for place, operation in enumerate(operations):
        faults += _faults(schema, operation, f"/{place}")
        schema = _after(schema, operation)
    return faults


def after(schema: Schema, operations: Sequence[Operation]) -> Schema:
    for operation in operations:
        schema = _after(schema, operation)
    return schema


def _faults(schema: Schema, operation: Operation, place: str) -> Iterator[Fault]:
    *above, name = operation.path
    holder = _holder(schema, above)
    known = holder.get("properties", {}) if holder is not None else None
    if known is None or (name not in known and not isinstance(operation, Default)):
        hint = _("Name a property that stands under “properties” there, without a reference between.")
        yield Fault("property_unknown", f"{place}/property", _("The version before has no such property."), hint)
    elif isinstance(operation, Rename) and operation.to in known:
        hint = _("Drop the other one first, or choose another name.")
        yield Fault("property_taken", f"{place}/to", _("The version before has a property of that name."), hint)


def _holder(schema: Schema, above: Sequence[str]) -> dict[str, Any] | None:
    for name in above:
        if not isinstance(schema, dict):
            return None
        schema = schema.get("properties", {}).get(name)
    return schema if isinstance(schema, dict) else None


def _after(schema: Schema, operation: Operation) -> Schema:
    return _at(schema, operation.path, operation)


def _at(schema: Schema, path: Sequence[str], operation: Operation) -> Schema:
    if not isinstance(schema, dict):
        return schema
    name, *further = path
    made = {word: value for word, value in schema.items() if word in _KEPT}
    if _TELLING & schema.keys():
        made["additionalProperties"] = True
    elif "properties" not in schema:
        made.setdefault("additionalProperties", True)
    properties = made["properties"] = dict(made.get("properties", {}))
    if further:
        if name in properties:
            properties[name] = _at(properties[name], further, operation)
        return made
    required = [*made.get("required", ())]
    _change(properties, required, name, operation, made.get("additionalProperties", False))
    made["required"] = required
    return made


def _change(properties: dict[str, Schema], required: list[str], name: str, operation: Operation, rest: Schema) -> None:
    match operation:
        case Rename(to=new):
            moved = properties.pop(name, True)
            # Where there was nothing to move, an open object may have held something under the new name.
            properties[new] = moved if rest is False or name in required else {"anyOf": [moved, rest]}
            required[:] = dict.fromkeys(new if one == name else one for one in required)
        case Default(value=value):
            others = properties.get(name, rest)
            # A property that is always there never gets it.
            if name not in required:
                properties[name] = {"const": value} if others is False else {"anyOf": [others, {"const": value}]}
                required.append(name)
        case Map(values=values):
            properties[name] = _mapped(properties.get(name, True), operation, list(values.values()))
        case Drop():
            properties.pop(name, None)
            required[:] = [one for one in required if one != name]
        case Coerce(to=kind):
            properties[name] = _coerced(properties.get(name, True), operation, kind)


def _listed(schema: Schema) -> list[Any] | None:
    if not isinstance(schema, dict):
        return None
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _each(values: Sequence[Any], operation: Operation) -> Schema:
    alone = operation.path[-1]
    made: list[Any] = []
    for value in values:
        holder = {alone: value}
        operation.apply(holder, alone)
        made.append(holder[alone])
    return {"enum": made}


def _mapped(schema: Schema, operation: Operation, targets: list[Any]) -> Schema:
    listed = _listed(schema)
    return {"anyOf": [schema, {"enum": targets}]} if listed is None else _each(listed, operation)


def _coerced(schema: Schema, operation: Operation, kind: str) -> Schema:
    listed = _listed(schema)
    if listed is not None:
        return _each(listed, operation)
    if isinstance(schema, dict) and schema.get("type") == kind:
        return schema
    return {"type": kind}
