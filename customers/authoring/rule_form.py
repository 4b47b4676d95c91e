"""Rules in a form: which kind each node is, what it holds, and what becomes of it when its kind is changed."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from customers.authoring import scalars
from customers.authoring.describe import Field, struct_fields
from customers.authoring.posted import Posted
from customers.rules.leaf import every_kind
from customers.rules.operators import OPERATORS, Takes
from customers.rules.parse import MOST_CONDITIONS, MOST_LEVELS

GROUPS: Final = ("all", "any")
NOT: Final = "not"
# A node that is no rule: shown as JSON, so that nothing is lost.
AS_JSON: Final = "json"
NODE, WAS, PARTS = "~node", "~was", "+"

# Reads the fields of a struct that are posted here; the last argument says where they stand in the document.
ReadFields = Callable[[tuple[Field, ...], Posted, str], dict[str, Any]]


def kind_of(node: object) -> str:
    """all, any, not, a leaf kind, `json` for what is none of these; empty for no rule."""
    if node is None:
        return ""
    if isinstance(node, Mapping):
        kind = node.get("leaf")
        if isinstance(kind, str) and kind in every_kind() and _is_shown(node, leaf_fields(kind)):
            return kind
        match list(node):
            case ["all" | "any" as key] if isinstance(node[key], list):
                return str(key)
            case ["not"]:
                return NOT
    return AS_JSON


def _is_shown(leaf: Mapping[str, Any], fields: tuple[Field, ...]) -> bool:
    """Whether the leaf has only fields that its form has."""
    return leaf.keys() - {"leaf"} <= {field.name for field in fields}


def leaf_fields(kind: str) -> tuple[Field, ...]:
    return struct_fields(every_kind()[kind])


def parts_of(node: Any) -> Iterator[tuple[str, Any]]:
    """(pointer within the node, part) of a group or a not."""
    kind = kind_of(node)
    if kind in GROUPS:
        yield from ((f"/{kind}/{n}", part) for n, part in enumerate(node[kind]))
    elif kind == NOT:
        yield "/not", node[NOT]


def size_of(node: Any) -> tuple[int, int]:
    """(conditions, levels), counted as they are when the rule is read."""
    kind = kind_of(node)
    if kind in GROUPS or kind == NOT:
        inner = [size_of(part) for _at, part in parts_of(node)]
        return sum(conditions for conditions, _levels in inner), 1 + max((levels for _, levels in inner), default=0)
    return (0, 0) if node is None else (1, 1)


def denied(node: Any) -> Any:
    """The opposite; of an opposite the rule itself."""
    return node[NOT] if kind_of(node) == NOT else {NOT: node}


def fitting(fields: tuple[Field, ...], values: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields without the value where the chosen operator takes none."""
    operator = OPERATORS.get(str(values.get("op", "")))
    if operator is None or operator.takes is not Takes.NOTHING:
        return fields
    return tuple(one for one in fields if one.kind != "value")


def read(posted: Posted, read_fields: ReadFields, pointer: str, level: int = 1) -> Any:
    """The node posted here, in its new kind; None for no rule."""
    kind, was = _known(posted.text(NODE)), _known(posted.text(WAS))
    if level > MOST_LEVELS + 1:
        return None
    if not was:
        made = _read_as(kind, posted, read_fields, pointer, level)
        # A group that was chosen just now begins with a condition to fill in.
        return {kind: [None]} if made == {kind: []} else made
    before = _read_as(was, posted, read_fields, pointer, level)
    return before if kind == was else _turned(before, was, kind)


def _known(kind: str) -> str:
    return kind if kind in (*GROUPS, NOT, AS_JSON) or kind in every_kind() else ""


def _read_as(kind: str, posted: Posted, read_fields: ReadFields, pointer: str, level: int) -> Any:
    if kind in GROUPS:
        parts = enumerate(posted.rows(PARTS, MOST_CONDITIONS * 2))
        return {kind: [read(part, read_fields, f"{pointer}/{kind}/{n}", level + 1) for n, part in parts]}
    if kind == NOT:
        inner = posted.rows(PARTS, 1)
        return {NOT: read(inner[0], read_fields, f"{pointer}/{NOT}", level + 1) if inner else None}
    if kind == AS_JSON:
        text = posted.text("~json")
        value = scalars.read_json(text)
        return text if value is scalars.UNREADABLE else value
    if kind:
        return {"leaf": kind} | read_fields(leaf_fields(kind), posted, pointer)
    return None


def _turned(node: Any, was: str, kind: str) -> Any:
    """The node as `kind`, keeping of it what can be kept."""
    if not kind:
        return None
    if kind in GROUPS:
        if was in GROUPS:
            return {kind: node[was]}
        return {kind: [node] if node is not None else [None]}
    if kind == NOT:
        return {NOT: node}
    if was in GROUPS or was == NOT:
        inner = [part for _at, part in parts_of(node)]
        return next((part for part in inner if kind_of(part) == kind), {"leaf": kind})
    if isinstance(node, Mapping) and was in every_kind():
        kept = {field.name for field in leaf_fields(kind)}
        return {"leaf": kind} | {name: value for name, value in node.items() if name in kept}
    return {"leaf": kind}
