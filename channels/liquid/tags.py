"""Tags of messages, and those of the language that need a bound."""

from typing import Any, Final, TextIO
from urllib.parse import quote

from django.utils.translation import gettext as _
from liquid.ast import Node
from liquid.builtin.expressions import StringLiteral
from liquid.builtin.expressions.primitive import Literal, parse_primitive
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.cycle_tag import CycleNode, CycleTag
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowNode, TablerowTag
from liquid.exceptions import LiquidSyntaxError, LiquidValueError
from liquid.stringify import to_liquid_string
from liquid.tag import Tag
from liquid.token import TOKEN_TAG

from channels.liquid.markup import Place, is_safe, place_of

MAX_REASON: Final = 120
_MOST_IN_TURN: Final = 20


class Abort(Exception):
    """The template says that this message is not to be sent, and why: its own words, never a value."""


class _AbortNode(Node):
    __slots__ = ("reason",)

    def __init__(self, token: Any, reason: str) -> None:
        super().__init__(token)
        self.reason = reason
        # Even alone in its branch it is to be reached.
        self.blank = False

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        raise Abort(self.reason)


class AbortTag(Tag):
    """`{% abort 'nothing left in the cart' %}`."""

    name = "abort"
    block = False

    def parse(self, stream: Any) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        said = parse_primitive(self.env, tokens)
        tokens.expect_eos()
        if not isinstance(said, StringLiteral) or not said.value.strip() or len(said.value) > MAX_REASON:
            fault = _("abort takes a reason in quotes, of %(most)s characters at most") % {"most": MAX_REASON}
            raise OwnSyntaxError(fault, token=token)
        return _AbortNode(token, " ".join(said.value.split()))


class Loop(ForNode):
    """A loop pays for all its rounds as it begins."""

    __slots__ = ("cost",)
    cost: int

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.round_cost = self.cost
        return super().render_to_output(context, buffer)


class TableLoop(TablerowNode):
    __slots__ = ("cost",)
    cost: int

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.round_cost = self.cost
        return super().render_to_output(context, buffer)


class LoopTag(ForTag):
    node_class = Loop


class TableLoopTag(TablerowTag):
    node_class = TableLoop


class TurnTag(CycleTag):
    """As many in turn as a page has use for; a value among them stands where a value may."""

    def parse(self, stream: Any) -> CycleNode:
        node = super().parse(stream)
        if len(node.args) > _MOST_IN_TURN:
            raise OwnSyntaxError(_("more than %(most)s in turn") % {"most": _MOST_IN_TURN}, token=node.token)
        is_data = not all(isinstance(arg, Literal) for arg in node.args)
        if self.env.autoescape and is_data and place_of(node.token.source, node.token.start_index) is not Place.TEXT:
            raise OwnSyntaxError(_("no value may stand here"), token=node.token)
        return node


class _GuardedNode(OutputNode):
    """A value where an address begins, or in a style."""

    __slots__ = ("place",)
    place: Place

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        said = to_liquid_string(value, context.autoescape)
        if not is_safe(value, self.place):
            raise UnsafeValueError(f"no safe {self.place.value}", token=self.token)
        return buffer.write(said)


class _EncodedNode(OutputNode):
    """A value in an address: whatever it is, it stays one part of it."""

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        said = to_liquid_string(self.expression.evaluate(context), autoescape=False)
        return buffer.write(quote(said, safe=""))


class AddressOutput(Output):
    node_class = _EncodedNode


class OwnSyntaxError(LiquidSyntaxError):
    """What we refuse ourselves, in our words."""


class UnsafeValueError(LiquidValueError):
    """A value that would do something where it stands."""


class HtmlOutput(Output):
    def parse(self, stream: Any) -> OutputNode:
        node = super().parse(stream)
        place = place_of(node.token.source, node.token.start_index)
        if place is Place.BARE:
            raise OwnSyntaxError(_("a value in a tag stands in quotes"), token=node.token)
        if place is Place.SCRIPT:
            raise OwnSyntaxError(_("no value may stand in a script"), token=node.token)
        if place is Place.TEXT:
            return node
        guarded = _GuardedNode(node.token, node.expression)
        guarded.place = place
        return guarded
