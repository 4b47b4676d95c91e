"""What a schema may be: within limits, with no way out of itself, and with patterns matched in linear time."""

from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs
import orjson
from django.utils.translation import gettext_lazy as _

from customers.accept.refusal import pointer
from customers.accept.schemas import compile_schema
from customers.registry.fault import Fault
from customers.registry.flat import DEFS, Schema

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
MOST_BYTES: Final = 64 * 1024
MOST_NODES: Final = 4_000
DEEPEST: Final = 32
# They lead elsewhere, or to places that only show when an event is read.
_LEADING: Final = frozenset({"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary"})
# Below these there are names and values, not words.
_NAMES: Final = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})
_VALUES: Final = frozenset({"const", "enum", "default", "examples", "required", "dependentRequired"})


def faults(schema: Schema) -> list[Fault]:
    """Everything that keeps this from being used as an event type's schema."""
    if not isinstance(schema, dict):
        hint = _("Give an object, such as {“type”: “object”, “properties”: {}}.")
        return [Fault("wrong_type", "", _("A schema is an object."), hint)]
    found = list(_limits(schema)) or list(_meta(schema)) or list(_words(schema))
    if not found and compile_schema(schema) is None:
        hint = _("Look for a pattern that is none, or that repeats too much.")
        found.append(Fault("schema_unusable", "", _("This schema cannot be compiled."), hint))
    return found


def _limits(schema: dict[str, Any]) -> Iterator[Fault]:
    nodes, waiting = 0, list[tuple[Any, int]]([(schema, 1)])
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if depth > DEEPEST:
            yield Fault("too_deep", "", _("Nested too deeply."), _("At most 32 levels."))
            return
        inner: Any = node.values() if isinstance(node, dict) else node
        waiting += [(one, depth + 1) for one in inner if isinstance(one, dict | list)]
    if nodes > MOST_NODES or len(orjson.dumps(schema)) > MOST_BYTES:
        yield Fault("too_large", "", _("Too large."), _("At most 64 KB and 4,000 objects and lists."))


def _meta(schema: dict[str, Any]) -> Iterator[Fault]:
    declared = schema.get("$schema", DRAFT)
    if not isinstance(declared, str) or declared.rstrip("#") != DRAFT:
        yield Fault("wrong_draft", "/$schema", _("Another dialect of JSON Schema."), DRAFT)
        return
    told = {key: value for key, value in schema.items() if key != "$schema"}
    if jsonschema_rs.meta.is_valid({"$schema": DRAFT, **told}):
        return
    for error in jsonschema_rs.Draft202012Validator({"$ref": DRAFT}, mask="the value").iter_errors(told):
        hint = _("See the words of JSON Schema 2020-12.")
        yield Fault("not_a_schema", pointer(*error.instance_path), error.message, hint)


def _words(schema: dict[str, Any]) -> Iterator[Fault]:
    defined = schema.get("$defs", {})
    if schema.get("type", "object") != "object":
        hint = _("Properties are an object: say “type”: “object”.")
        yield Fault("not_an_object", "/type", _("Nothing that happens can fit."), hint)
    for path, node in _schemas(schema):
        for word in sorted(_LEADING & node.keys()):
            hint = _("Put it under $defs, and refer to it by #/$defs/name.")
            yield Fault("reference_outside", pointer(*path, word), _("This leads outside the schema."), hint)
        if "$defs" in node and path:
            hint = _("Put all definitions at the top.")
            yield Fault("defs_inside", pointer(*path, "$defs"), _("Definitions stand at the top only."), hint)
        target = node.get("$ref")
        if target is not None and (not target.startswith(DEFS) or target.removeprefix(DEFS) not in defined):
            hint = _("Refer to a definition of this schema: #/$defs/name.")
            yield Fault("reference_outside", pointer(*path, "$ref"), _("This refers to nothing in the schema."), hint)


def _schemas(schema: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Every schema within, with its way there."""
    waiting: list[tuple[tuple[str | int, ...], dict[str, Any]]] = [((), schema)]
    while waiting:
        path, node = waiting.pop()
        yield path, node
        for word, value in node.items():
            if word in _VALUES:
                continue
            if isinstance(value, list):
                held: Any = enumerate(value)
                waiting += [((*path, word, place), one) for place, one in held if isinstance(one, dict)]
            elif isinstance(value, dict) and word in _NAMES:
                waiting += [((*path, word, name), one) for name, one in value.items() if isinstance(one, dict)]
            elif isinstance(value, dict):
                waiting.append(((*path, word), value))
