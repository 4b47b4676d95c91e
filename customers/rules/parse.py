"""From plain data, as JSON brings it, to a rule; every mistake in it is reported, with where it is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers.rules.errors import Problem, RuleError, Text
from customers.rules.leaf import MOMENT, Leaf, leaf_kinds
from customers.rules.rule import Group, Node, Not, Rule

MOST_LEVELS = 8
MOST_CONDITIONS = 50

_SHAPE = _('Write {"all": [...]}, {"any": [...]}, {"not": {...}} or {"leaf": "attribute", ...}.')


def parse(tree: object, place: str = MOMENT) -> Rule:
    """The rule written as `tree`, or RuleError. A leaf is one level, each group around it one more."""
    reader = _Reader(leaf_kinds(place))
    root = reader.node(tree, "", 1)
    if reader.problems or root is None:
        raise RuleError(reader.problems)
    return Rule(root)


class _Reader:
    def __init__(self, kinds: Mapping[str, type[Leaf]]) -> None:
        self.kinds = kinds
        self.problems: list[Problem] = []
        self.conditions = 0

    def node(self, tree: object, pointer: str, level: int) -> Node | None:
        if level > MOST_LEVELS:
            hint = format_lazy(_("At most {most} levels: make it flatter."), most=MOST_LEVELS)
            self._refuse("rule_too_deep", pointer, _("The rule is nested too deeply."), hint)
            return None
        if not isinstance(tree, Mapping):
            self._refuse("wrong_type", pointer, _("A condition must be an object."), _SHAPE)
            return None
        if "leaf" in tree:
            return self._leaf(tree, pointer)
        match list(tree):
            case ["all" | "any" as key]:
                return self._group(key, tree[key], f"{pointer}/{key}", level)
            case ["not"]:
                inner = self.node(tree["not"], f"{pointer}/not", level + 1)
                return inner and Not(inner)
        self._refuse("unknown_condition", pointer, _("This is no condition."), _SHAPE)
        return None

    def _group(self, key: Any, trees: object, pointer: str, level: int) -> Node | None:
        if not isinstance(trees, list) or not trees:
            hint = _("Give a list of at least one condition: an empty one holds for everybody or nobody.")
            self._refuse("wrong_type", pointer, _("A group needs conditions."), hint)
            return None
        if len(trees) > MOST_CONDITIONS:
            self._too_many(pointer)
            return None
        nodes = [self.node(tree, f"{pointer}/{index}", level + 1) for index, tree in enumerate(trees)]
        whole = tuple(node for node in nodes if node is not None)
        return Group(key, whole) if len(whole) == len(nodes) else None

    def _leaf(self, tree: Mapping[str, Any], pointer: str) -> Node | None:
        self.conditions += 1
        if self.conditions > MOST_CONDITIONS:
            self._too_many(pointer)
            return None
        kind = self.kinds.get(tree["leaf"]) if isinstance(tree["leaf"], str) else None
        if kind is None:
            hint = format_lazy(_("Use one of {kinds}."), kinds=", ".join(sorted(self.kinds)))
            self._refuse("unknown_leaf", f"{pointer}/leaf", _("There is no such condition."), hint)
            return None
        leaf = self._convert(kind, {name: value for name, value in tree.items() if name != "leaf"}, pointer)
        if leaf is None:
            return None
        found = [replace(one, pointer=pointer + one.pointer) for one in leaf.problems()]
        self.problems += found
        return None if found else leaf

    def _convert(self, kind: type[Leaf], given: Mapping[str, Any], pointer: str) -> Leaf | None:
        fields = msgspec.structs.fields(kind)
        unknown = given.keys() - {field.name for field in fields}
        missing = [field.name for field in fields if field.required and field.name not in given]
        hint = format_lazy(_("The fields are {fields}."), fields=", ".join(field.name for field in fields))
        for name in sorted(unknown):
            escaped = name.replace("~", "~0").replace("/", "~1")
            self._refuse("unknown_field", f"{pointer}/{escaped}", _("This field is not known here."), hint)
        for name in missing:
            self._refuse("missing_field", f"{pointer}/{name}", _("This field is missing."), hint)
        if unknown or missing:
            return None
        try:
            return msgspec.convert(given, kind)
        except msgspec.ValidationError as error:
            expected, _at, path = str(error).partition(" - at `$")
            where = pointer + path.rstrip("`").replace(".", "/").replace("[", "/").replace("]", "")
            self._refuse("wrong_type", where, _("The value is of the wrong type."), expected)
            return None

    def _too_many(self, pointer: str) -> None:
        if all(problem.code != "too_many_conditions" for problem in self.problems):
            hint = format_lazy(_("At most {most}: use a segment."), most=MOST_CONDITIONS)
            self._refuse("too_many_conditions", pointer, _("The rule has too many conditions."), hint)

    def _refuse(self, code: str, pointer: str, message: Text, hint: Text) -> None:
        self.problems.append(Problem(code, pointer, message, hint))
