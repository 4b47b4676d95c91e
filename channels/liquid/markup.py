"""Where in a page each value stands, found once as its source is parsed: escaping alone does not make a value safe as
an address, in a style, or outside quotes."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from liquid import Markup


class Place(Enum):
    # Between tags, or in an attribute where nothing but an end of quotes could do harm.
    TEXT = "text"
    # Where an address begins: what stands here says by which way it leads.
    ADDRESS = "address"
    # Before the colon of an address: by another way, what follows would be run.
    SCHEME = "scheme"
    STYLE = "style"
    # In a style's url(…): where it begins, and behind what its author wrote of it.
    PICTURE = "picture"
    PART_OF_PICTURE = "part of a picture’s address"
    # In a tag and not in quotes.
    BARE = "bare"
    SCRIPT = "script"


SCHEMES: Final = frozenset({"http", "https", "mailto", "sms", "tel"})
_ADDRESSES: Final = frozenset(
    {"action", "background", "cite", "data", "formaction", "href", "poster", "src", "srcset", "xlink:href"}
)
# A script's: what stands behind is run. Others that an author writes are theirs to know, as cid: or an app's own.
_RUN: Final = frozenset({"javascript", "vbscript"})
_MARK: Final = re.compile(r"\{\{.*?\}\}|\{%-?\s*(?P<name>\w*).*?%\}", re.DOTALL)
_VERBATIM: Final = {name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in ("comment", "doc", "raw")}
_ATTRIBUTE: Final = re.compile(r"([^\s\"'<>/=]+)\s*=\s*\Z")
_SPACE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")
_BEFORE_PATH: Final = re.compile(r"[^/?#]*")
# From behind a value up to the colon of a way that it names.
_WAY: Final = re.compile(r"(?>\{\{.*?\}\}|\{%-?\s*end\w+\s*-?%\}|[^/?#\"'{:]+)*+:", re.DOTALL)
_CSS: Final = re.compile(r"[\w#%.,+ -]*")
# The end of a style's words so far that is in a url(…), and what was said of it; and what may stand there without
# ending it.
_URL: Final = re.compile(r"url\(\s*['\"]?\s*([^'\")]*)\Z", re.IGNORECASE)
_IN_URL: Final = re.compile(r"[\w./~:@!$&*+,=?#%-]*")
# What ends in "<" has a mark behind it, which would name the tag.
_NEXT: Final = {"": re.compile(r"<(?=[a-zA-Z/!?]|\Z)"), "tag": re.compile(r"[>\"']")}
# `<!-->` is a whole one: by it a page has what is for all but Outlook.
_COMMENT: Final = re.compile(r"<!--(?!\[if)(-?>)?")
_ENDS: Final = {
    '"': re.compile('"'),
    "'": re.compile("'"),
    "comment": re.compile("--!?>"),
    "script": re.compile("</script", re.IGNORECASE),
    "style": re.compile("</style", re.IGNORECASE),
}
_ELEMENT: Final = re.compile(r"<\s*(script|style)\b", re.IGNORECASE)
_BRANCHES: Final = frozenset({"capture", "case", "for", "if", "ifchanged", "tablerow", "unless"})
# Of a tag's beginning, and of what was read of it last, and of an address: no name is as long.
_HEAD: Final = 20
_TAIL: Final = 200


@dataclass(slots=True)
class _Scan:
    """How far a page was read: between tags (""), in a "tag", in quotes, in a comment, or in a script or style."""

    state: str = ""
    # How the tag begins and what was read of it last, its marks left out.
    head: str = ""
    tag: str = ""
    attribute: str = ""
    # What the author said of the address, as far as it says where it leads.
    said: str = ""
    # Something that is always there has said where the address leads.
    is_led: bool = False
    # The end of what the author said in these quotes.
    within: str = ""
    before_branch: list[bool] = field(default_factory=list)

    def read(self, text: str) -> None:
        at = 0
        while at < len(text):
            at = self._markup(text, at) if self.state in ("", "tag") else self._within(text, at)

    def _within(self, text: str, at: int) -> int:
        """Up to the end of what was begun."""
        found = _ENDS[self.state].search(text, at)
        end = found.start() if found else len(text)
        if self.state in "\"'":
            self._lead(text[at:end])
            self.within = (self.within + text[at:end][-_TAIL:])[-_TAIL:]
        if found is None:
            return end
        if self.state == "comment":
            self.state = ""
        elif self.state in ("script", "style"):
            self.state, self.head, self.tag = "tag", "</", "</"
        else:
            self.state = "tag"
            # Another attribute may follow without a space.
            self._add("x ")
        return found.end()

    def _lead(self, said: str) -> None:
        if not self.is_led:
            self.said = (self.said + said)[:_TAIL]
            self.is_led = any(sign in said for sign in ":/?#")

    def _markup(self, text: str, at: int) -> int:
        found = _NEXT[self.state].search(text, at)
        if found is None:
            if self.state:
                self._add(text[at:])
            return len(text)
        if self.state == "":
            if comment := _COMMENT.match(text, found.start()):
                self.state = "" if comment[1] else "comment"
                return comment.end()
            self.state, self.head, self.tag = "tag", "<", "<"
            return found.end()
        self._add(text[at : found.start()])
        if found[0] == ">":
            element = _ELEMENT.match(self.head)
            self.state = element[1].lower() if element else ""
        elif named := _ATTRIBUTE.search(self.tag):
            self.state, self.attribute, self.said, self.is_led = found[0], named[1].lower(), "", False
            self.within = ""
        else:
            # No value begins here: it is a letter like others.
            self._add(found[0])
        return found.end()

    def _add(self, said: str) -> None:
        self.head = (self.head + said[:_HEAD])[:_HEAD]
        self.tag = (self.tag + said[-_TAIL:])[-_TAIL:]

    def branch(self, tag: str) -> None:
        """What one way says of an address, another need not have said."""
        if tag in _BRANCHES:
            self.before_branch.append(self.is_led)
        elif self.before_branch and tag in ("else", "elsif", "when"):
            self.is_led = self.before_branch[-1]
        elif self.before_branch and tag.startswith("end") and tag[3:] in _BRANCHES:
            self.is_led = self.before_branch.pop()

    @property
    def place(self) -> Place:
        if self.state in ("", "comment"):
            return Place.TEXT
        if self.state in ("script", "style", "tag"):
            return {"script": Place.SCRIPT, "style": Place.STYLE, "tag": Place.BARE}[self.state]
        if self.attribute.startswith("on") or self.attribute == "srcdoc":
            return Place.SCRIPT
        if self.attribute == "style":
            found = _URL.search(html.unescape(self.within))
            return Place.STYLE if found is None else Place.PART_OF_PICTURE if found[1] else Place.PICTURE
        # By it a page goes elsewhere of its own accord.
        if self.attribute == "content" and self.head.lower().startswith("<meta"):
            return Place.SCRIPT
        if self.attribute not in _ADDRESSES:
            return Place.TEXT
        if self.is_led:
            return Place.SCRIPT if _way(html.unescape(self.said)) in _RUN else Place.TEXT
        return Place.ADDRESS


def place_of(source: str, at: int) -> Place:
    """Of the value whose mark is around this place in the source."""
    return next((place for begin, end, place in _places(source) if begin <= at < end), Place.BARE)


@lru_cache(maxsize=8)
def _places(source: str) -> list[tuple[int, int, Place]]:
    return list(_scan(source))


def _scan(source: str) -> Iterator[tuple[int, int, Place]]:
    scan, at = _Scan(), 0
    while mark := _MARK.search(source, at):
        scan.read(source[at : mark.start()])
        at, name = mark.end(), mark["name"] or ""
        if name in _VERBATIM:
            at = _behind(scan, source, mark)
            continue
        if name:
            scan.branch(name)
        place = scan.place
        names_way = place is Place.ADDRESS and _WAY.match(source, at) is not None
        yield mark.start(), at, Place.SCHEME if names_way else place


def _behind(scan: _Scan, source: str, mark: re.Match[str]) -> int:
    """Marks in it are none, and a comment stands in no page."""
    end = _VERBATIM[mark["name"]].search(source, mark.end())
    if mark["name"] == "raw":
        scan.read(source[mark.end() : end.start() if end else len(source)])
    return end.end() if end else len(source)


def is_safe(value: Any, place: Place) -> bool:
    text = html.unescape(str(value)) if isinstance(value, Markup) else str(value)
    if place is Place.STYLE:
        return _CSS.fullmatch(text) is not None
    if place in (Place.PICTURE, Place.PART_OF_PICTURE):
        is_address = place is Place.PART_OF_PICTURE or text.startswith(("https://", "http://"))
        return is_address and _IN_URL.fullmatch(text) is not None
    if place is Place.SCHEME:
        return text.lower() in SCHEMES
    way = _way(text)
    return way is None or way in SCHEMES


def _way(address: str) -> str | None:
    """By which way it leads; None where it says none."""
    head = _BEFORE_PATH.match(_SPACE.sub("", address))
    scheme, colon, _rest = head[0].partition(":") if head else ("", "", "")
    return scheme.lower() if colon else None
