"""Which fields a text cannot do without: printed with no default, and nothing around them asks for them."""

from collections.abc import Iterable

from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.expression import Expression

from channels.liquid.environment import Words

Named = tuple[str, ...]


def needed(words: Words) -> set[Named]:
    """As (`customer`, `first_name`); of a list or by a value, only as far as it is always the same."""
    found: set[Named] = set()
    _walk(words.nodes, frozenset(), found)
    return found


def _walk(nodes: Iterable[Node], asked: frozenset[Named], found: set[Named]) -> None:
    for node in nodes:
        if isinstance(node, OutputNode):
            if (name := _bare(node.expression)) and name not in asked:
                found.add(name)
            continue
        within = asked | {name for one in node.expressions() for name in _named(one)}
        _walk(node.children(None, include_partials=False), within, found)  # type: ignore[arg-type]


def _bare(expression: Expression) -> Named | None:
    if not isinstance(expression, FilteredExpression) or not isinstance(expression.left, Path):
        return None
    if any(one.name == "default" for one in expression.filters or ()):
        return None
    return _name(expression.left)


def _named(expression: Expression) -> Iterable[Named]:
    waiting = [expression]
    while waiting:
        one = waiting.pop()
        waiting += one.children()
        if isinstance(one, Path):
            yield _name(one)


def _name(path: Path) -> Named:
    names: list[str] = []
    for part in path.path:
        # How many, the first and the last are asked of what was named before.
        if not isinstance(part, str) or (names and part in ("first", "last", "size")):
            break
        names.append(part)
    return tuple(names)
