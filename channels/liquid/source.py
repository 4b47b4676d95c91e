"""A source looked through before it is parsed: the parser's patterns take minutes over marks that are never closed."""

import re
from typing import Final

from django.utils.translation import gettext as _

from channels.liquid.bounds import LimitError
from channels.liquid.words import in_line

MAX_SOURCE: Final = 256 * 1024
MAX_MARKS: Final = 1_500
MAX_MARK: Final = 4_000
# Of all that stands in marks together, in characters: what is read for each of them costs a thousand times a letter.
MAX_MARKED: Final = 30_000
_OPENS: Final = re.compile(r"\{[{%]")
_VERBATIM: Final = re.compile(r"-?\s*(raw|doc)\s*-?\Z")
_ENDS: Final = {name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in ("raw", "doc")}
_GAP: Final = re.compile(r"\s{200}")


class SourceError(Exception):
    """What is wrong, and the line in which it begins."""

    def __init__(self, fault: str, line: int) -> None:
        super().__init__(in_line(fault, line))


def look_through(source: str) -> None:
    """Raise SourceError for a mark without its end, LimitError for more or longer ones than a message needs."""
    if len(source) > MAX_SOURCE:
        raise LimitError(_("the template is longer than %(most)s characters") % {"most": MAX_SOURCE})
    marks, marked, at = 0, 0, 0
    while opening := _OPENS.search(source, at):
        begin = opening.end()
        end = source.find("}}" if source[begin - 1] == "{" else "%}", begin)
        if end < 0:
            raise _fault(_("not closed"), source, begin)
        inside = source[begin:end]
        marks, marked = marks + 1, marked + len(inside)
        if marks > MAX_MARKS or marked > MAX_MARKED:
            raise LimitError(
                _("the template has more than %(marks)s marks, or %(characters)s characters in them")
                % {"marks": MAX_MARKS, "characters": MAX_MARKED}
            )
        if len(inside) > MAX_MARK or _GAP.search(inside):
            raise LimitError(
                _("one mark of the template is longer than %(most)s characters, or holds a long gap")
                % {"most": MAX_MARK}
            )
        at = end + 2
        if source[begin - 1] == "%" and (verbatim := _VERBATIM.match(inside)):
            closing = _ENDS[verbatim[1]].search(source, at)
            if closing is None:
                raise _fault(_("not closed"), source, begin)
            at = closing.end()


def _fault(fault: str, source: str, at: int) -> SourceError:
    return SourceError(fault, source.count("\n", 0, at) + 1)
