"""The plain words of a page, for whoever reads no HTML: what is said, with where its links lead. Liquid stays in it.

No library: the well-kept one of this kind (html2text) is under the GPL, and none knows of Liquid.
"""

import html
import re
from collections.abc import Iterator
from typing import Final

from channels.mail.marks import Marks

_SKIPPED: Final = frozenset({"head", "script", "style", "title", "template", "svg"})
_BLOCKS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "div", "dl", "dt", "dd", "figure", "footer", "form", "h1", "h2",
        "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "tfoot",
        "thead", "tr", "ul",
    }
)  # fmt: skip
_PARAGRAPHS: Final = frozenset(
    (
        "blockquote",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ol",
        "p",
        "ul",
    )
)
_NAME: Final = re.compile(r"<(/?)\s*([a-zA-Z][\w:-]*)")
_ATTRIBUTE: Final = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]+))")
_HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SPACES: Final = re.compile(r"[ \t\r\n\f]+")
_WHOLE: Final = re.compile(r"<(?:[^\"'>]|\"[^\"]*\"|'[^']*')*>")
_LONGEST_TAG: Final = 8_192
# In plain words a line ends where it ends, and a sign is itself.
_FOR_PAGES: Final = re.compile(r"\s*\|\s*(?:newline_to_br|escape|escape_once)\b")
# Signs that a page wrote as entities, and that would be Liquid in plain words.
_LIVE: Final = re.compile(r"\{[{%]")


def to_text(page: str) -> str:
    """What a page says, with its Liquid in it."""
    marks = Marks()
    said = _Reading(marks).read(marks.aside(page))
    marks.kept = [_FOR_PAGES.sub("", mark) for mark in marks.kept]
    return marks.back(said)


def _pieces(page: str) -> Iterator[tuple[str, str]]:
    """Tags and what is between them; a tag that never ends is words."""
    at = 0
    while (begin := page.find("<", at)) >= 0:
        yield "words", page[at:begin]
        end = _end_of(page, begin)
        if end < 0:
            at = begin
            break
        at = end
        yield "tag", page[begin:at]
    yield "words", page[at:]


def _end_of(page: str, begin: int) -> int:
    """Where the tag or comment ends that begins here; -1 where it does not."""
    if page.startswith("<!--", begin):
        end = page.find("-->", begin)
        return end + 3 if end >= 0 else -1
    # A quoted > is none; where quotes are not in order, the next one is taken.
    quoted = _WHOLE.match(page, begin, begin + _LONGEST_TAG)
    return quoted.end() if quoted else page.find(">", begin) + 1 or -1


class _Reading:
    """One look at a page, from its beginning to its end."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.said: list[str] = []
        # Within which element nothing is said, and how often it was opened within itself.
        self.silent, self.depth = "", 0
        self.links: list[tuple[str, int]] = []

    def read(self, page: str) -> str:
        for kind, piece in _pieces(page):
            if kind == "tag":
                self._tag(piece)
            elif self.silent:
                self._steer(piece)
            else:
                self.said.append(_SPACES.sub(" ", _LIVE.sub(r"{{ '\g<0>' }}", html.unescape(piece))))
        return _tidy("".join(self.said))

    def _steer(self, unsaid: str) -> None:
        """What is assigned, and where branches end, holds for what is said behind it."""
        self.said.append(self.marks.steering(unsaid))

    def _tag(self, tag: str) -> None:
        named = _NAME.match(tag)
        if named is None:
            self._steer(tag)
            return
        is_end, name = bool(named[1]), named[2].lower()
        attributes = (
            {} if is_end else {one[1].lower(): one[2] or one[3] or one[4] or "" for one in _ATTRIBUTE.finditer(tag)}
        )
        if self.silent:
            self._steer(tag)
            self._count(name, is_end)
        elif not is_end and (name in _SKIPPED or _HIDDEN.search(attributes.get("style", ""))):
            if not tag.endswith("/>") and name not in ("img", "br", "hr", "input"):
                self.silent, self.depth = name, 1
        else:
            self._say(name, is_end, attributes)

    def _count(self, name: str, is_end: bool) -> None:
        if name == self.silent:
            self.depth += -1 if is_end else 1
            self.silent = self.silent if self.depth else ""

    def _say(self, name: str, is_end: bool, attributes: dict[str, str]) -> None:
        if name == "br":
            self.said.append("\n")
        elif name == "img":
            self.said.append(html.unescape(attributes.get("alt", "")))
        elif name == "a":
            self._link(is_end, html.unescape(attributes.get("href", "")))
        elif name in ("td", "th") and is_end:
            self.said.append(" ")
        elif name == "li":
            self.said.append("" if is_end else "\n- ")
        elif name in _BLOCKS:
            self.said.append("\n\n" if name in _PARAGRAPHS else "\n")

    def _link(self, is_end: bool, href: str) -> None:
        if not is_end:
            self.links.append((href, len(self.said)))
        elif self.links:
            href, begun = self.links.pop()
            words = "".join(self.said[begun:]).strip()
            if href and not href.startswith("#") and href.removeprefix("mailto:").removeprefix("tel:") != words:
                self.said.append(f" ({href})" if words else href)


def _tidy(text: str) -> str:
    lines = [re.sub(r"[ \xa0\u200c\u200b\ufeff\u034f]+", " ", line).strip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
