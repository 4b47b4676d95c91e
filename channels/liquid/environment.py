"""The two ways in which a text is filled in, as it is and escaped for a page; and what it costs to do so."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from io import StringIO
from typing import Any, Final

from django.utils.translation import gettext as _
from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import LiquidError, LiquidSyntaxError
from liquid.expression import Expression
from liquid.undefined import UNDEFINED, FalsyStrictUndefined

from channels.liquid import bounds, filters, tags
from channels.liquid.bounds import Budget, LimitError
from channels.liquid.reader import Reader
from channels.liquid.source import look_through

_MAX_NODES: Final = 10_000
_LARGE: Final = 16 * 1024


class _Missing(FalsyStrictUndefined):
    """May be asked about (`if`, `default`), but not printed."""

    force_liquid_default = True


class _Range(RangeLiteral):
    """No longer than a list may be, wherever it stands."""

    __slots__ = ()

    def _make_range(self, start: Any, stop: Any) -> range:
        made = super()._make_range(start, stop)
        bounds.weigh(made)
        return made


class Context(RenderContext):
    __slots__ = ("budget", "reader", "round_cost", "weights")

    def __init__(self, template: BoundTemplate, values: Mapping[str, Any], budget: Budget, reader: Reader) -> None:
        super().__init__(template, globals=values)
        self.budget = budget
        self.reader = reader
        self.round_cost = 1
        self.weights: dict[str, int] = {}

    def get(self, path: list[object], *, token: Any, default: object = UNDEFINED) -> object:
        # As Budget.spend, spelled out: nothing is done as often.
        budget = self.budget
        budget.spent += 1
        if budget.spent >= budget.look_at:
            budget.look()
        return RenderContext.get(self, path, token=token, default=default)

    def assign(self, key: str, val: Any) -> None:
        weight = bounds.weigh(val)
        self.budget.spend(1 + (weight >> 8))
        self.weights[key] = weight
        if len(self.weights) > bounds.MAX_ITEMS or sum(self.weights.values()) > bounds.MAX_KEPT:
            raise LimitError("too much is kept")
        self.locals[key] = val

    def get_size_of_locals(self) -> int:
        return 0

    def filter(self, name: str, token: Any = None) -> Callable[..., object]:
        found = self.env.filters.get(name)
        return partial(found, self) if found else super().filter(name, token)

    def loop(self, namespace: Mapping[str, object], forloop: Any) -> Any:
        self.budget.spend(forloop.length * self.round_cost)
        return super().loop(namespace, forloop)

    def get_buffer(self, buf: Any = None) -> StringIO:
        return bounds.Output(self.budget, buf.room if isinstance(buf, bounds.Output) else bounds.MAX_OUTPUT)


class Words(BoundTemplate):
    """A text that was parsed."""

    def fill(self, values: Mapping[str, Any], reader: Reader, budget: Budget) -> str:
        context, output = Context(self, values, budget, reader), bounds.Output(budget)
        self.render_with_context(context, output)
        return output.getvalue()


class _Environment(Environment):
    block_nesting_limit = 20
    context_depth_limit = 30
    loop_iteration_limit = 10_000
    template_class = Words

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=False)
        # Nothing is loaded from elsewhere, and what a person typed stays escaped, where it stands and where it is seen.
        for tag in ("include", "render", "liquid", "echo"):
            del self.tags[tag]
        del self.filters["safe"]
        for added in (tags.AbortTag, tags.LoopTag, tags.TableLoopTag, tags.TurnTag):
            self.add_tag(added)
        if self.autoescape:
            self.add_tag(tags.HtmlOutput)
        self.filters = filters.bounded(self.filters)


PLAIN: Final = _Environment(undefined=_Missing)
HTML: Final = _Environment(undefined=_Missing, autoescape=True)
# Of what is pulled from elsewhere; values are encoded by themselves, and once.
ADDRESS: Final = _Environment(undefined=_Missing)
ADDRESS.add_tag(tags.AddressOutput)
for _name in ("url_encode", "url_decode"):
    del ADDRESS.filters[_name]


def compiled(environment: Environment, source: str) -> Words:
    """Raise LiquidError, or SourceError, for what would never render."""
    return (_few if len(source) > _LARGE else _many)(environment, source)


def _compile(environment: Environment, source: str) -> Words:
    look_through(source)
    try:
        template = environment.from_string(source)
    except LiquidError as error:
        # How the language says of any other trouble that parsing had, such as marks nested too deep for it.
        if type(error) is LiquidError:
            raise LiquidSyntaxError("cannot be read", token=None) from error
        raise
    if not isinstance(template, Words):
        raise TypeError(type(template).__name__)
    if _prepare(template.nodes, environment) > _MAX_NODES:
        raise LimitError(_("the template has too many parts"))
    return template


# What is parsed takes several times the room of its source: of large ones fewer are kept.
_many: Final = lru_cache(maxsize=1024)(_compile)
_few: Final = lru_cache(maxsize=32)(_compile)


def _prepare(nodes: Iterable[Node], environment: Environment) -> int:
    """Bound each range, know each filter, tell each loop what a round of it costs; return how many nodes there are."""
    count = 0
    for node in nodes:
        for one in _expressions(node):
            if isinstance(one, RangeLiteral):
                # The parser knows no other class, and this one only adds the bound.
                one.__class__ = _Range
            elif isinstance(one, FilteredExpression):
                for filter_ in one.filters or ():
                    filter_.validate_filter_arguments(environment)
        inner = _prepare(node.children(None, include_partials=False), environment)  # type: ignore[arg-type]
        if isinstance(node, tags.Loop | tags.TableLoop):
            node.cost = 1 + inner
        count += 1 + inner
    return count


def _expressions(node: Node) -> Iterator[Expression]:
    """All of a node, however deep: one in another need not be one call in another."""
    waiting = list(node.expressions())
    while waiting:
        one = waiting.pop()
        yield one
        waiting += one.children()
