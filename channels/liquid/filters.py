"""Filters: those of the language with a bound around each, and what messages need besides."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from liquid import Markup, soft_str
from liquid.filter import sequence_filter, string_filter

from channels.liquid import saying
from channels.liquid.bounds import MAX_VALUE, LimitError, weigh

Filter = Callable[..., Any]
_MOST_COMPARED: Final = 1_000


def bounded(known: Mapping[str, Filter]) -> dict[str, Filter]:
    """Each takes the context first, and neither takes nor makes more than a value may be."""
    own = {"strip_html": _strip_html, "uniq": _uniq, **saying.FILTERS}
    return {name: _bounded(own.get(name) or known[name], _BEFORE.get(name)) for name in {**known, **own}}


def _bounded(function: Filter, before: Filter | None) -> Filter:
    takes_context = getattr(function, "with_context", False)
    takes_environment = getattr(function, "with_environment", False)

    @wraps(function)
    def call(context: Any, left: Any, *args: Any, **named: Any) -> Any:
        weight = weigh(left)
        for arg in args:
            weight += weigh(arg)
        for arg in named.values():
            weight += weigh(arg)
        context.budget.spend(1 + (weight >> 7))
        if before is not None:
            before(left, *args)
        if takes_environment:
            named["environment"] = context.env
        if takes_context:
            named["context"] = context
        made = function(left, *args, **named)
        weigh(made)
        return made

    return call


def _before_replace(value: Any, old: Any = "", new: Any = "", *_rest: Any) -> None:
    """The one filter that multiplies: counted before it does."""
    text, old, new = str(value), soft_str(old), soft_str(new)
    times = text.count(old)
    # What is put into a page is escaped first, which makes of one sign five.
    grown = len(text) + times * len(new) * (5 if isinstance(value, Markup) else 1)
    if grown > MAX_VALUE:
        raise LimitError("too long a value")


def _before_join(values: Any, separator: Any = " ", *_rest: Any) -> None:
    if isinstance(values, list | tuple | range | Mapping) and len(values) * len(soft_str(separator)) > MAX_VALUE:
        raise LimitError("too long a value")


_BEFORE: Final[Mapping[str, Filter]] = {"replace": _before_replace, "join": _before_join}


@sequence_filter
def _uniq(values: Any, key: object = None) -> list[object]:
    """The language's own compares each with each."""
    found: list[object] = []
    seen: list[object] = []
    known: set[object] = set()
    for value in values:
        mark = value.get(key) if key is not None and isinstance(value, Mapping) else value
        if isinstance(mark, str | int | float):
            is_new = mark not in known
            known.add(mark)
        elif is_new := mark not in seen:
            if len(seen) >= _MOST_COMPARED:
                raise LimitError("too many items")
            seen.append(mark)
        if is_new:
            found.append(value)
    return found


@string_filter
def _strip_html(value: str) -> str:
    """Without its tags. The language's own takes minutes over many that never end."""
    parts, at = [], 0
    while (begin := value.find("<", at)) >= 0 and (end := value.find(">", begin)) >= 0:
        parts.append(value[at:begin])
        at = end + 1
    stripped = "".join(map(str, [*parts, value[at:]]))
    return Markup(stripped) if isinstance(value, Markup) else stripped
