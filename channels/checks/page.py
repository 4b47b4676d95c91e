"""A page looked through once: its links, pictures, language, and its words with the colours they stand in."""

import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Final

from channels.checks.colours import BLACK, WHITE, Colour, colour
from channels.mail.marks import Marks

_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_HIDING: Final = {
    "display": frozenset({"none"}),
    "visibility": frozenset({"hidden"}),
    "font-size": frozenset({"0", "0px"}),
    "max-height": frozenset({"0", "0px"}),
    "opacity": frozenset({"0"}),
}
_HEAVY: Final = frozenset({"600", "700", "800", "900"})
_BARE: Final = re.compile(r"[0-9a-fA-F]{6}|[0-9a-fA-F]{3}")
_COLOURING: Final = re.compile(r"([^{}]*)\{[^{}]*\b(?:color|background)\b[^{}]*\}")
_CLASS: Final = re.compile(r"\.([\w-]+)")
_UNSEEN: Final = frozenset({"head", "script", "style", "title", "template"})
_USUAL_PX: Final = 16.0
_HEADINGS: Final = {"h1": 32.0, "h2": 24.0, "h3": 18.7}
_BOLD: Final = frozenset({"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"})


@dataclass(slots=True)
class Link:
    href: str | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    source: str
    # None where it has none at all; empty says that it only decorates.
    alt: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """How words stand; None where it is not known, as over a picture or by a value."""

    fore: Colour | None = BLACK
    back: Colour | None = WHITE
    pixels: float = _USUAL_PX
    is_bold: bool = False
    is_hidden: bool = False

    @property
    def is_large(self) -> bool:
        """By WCAG 2.2: from 18 pt, or from 14 pt in bold."""
        return self.pixels >= 24 or (self.is_bold and self.pixels >= 18.66)


@dataclass(slots=True)
class Page:
    language: str = ""
    title: str = ""
    links: list[Link] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    # Words, a few of each look.
    words: list[tuple[str, Look]] = field(default_factory=list)


def read(source: str) -> Page:
    """Liquid stays in what is read, as its author wrote it."""
    marks = Marks()
    reading = _Reading(marks)
    try:
        reading.feed(marks.aside(source))
        reading.close()
    except AssertionError:
        # Python's own gives up so where a declaration is none; what was read until there is looked at.
        pass
    return reading.page


class _Reading(HTMLParser):
    def __init__(self, marks: Marks) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.marks = marks
        self.open: list[tuple[str, Look]] = []
        self.link: Link | None = None
        # Classes to which a rule of the page gives colours.
        self.coloured: set[str] = set()

    @property
    def look(self) -> Look:
        return self.open[-1][1] if self.open else Look()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: self.marks.back(value or "") for name, value in attrs}
        if tag == "html":
            self.page.language = said.get("lang", "")
        elif tag == "a" and ("href" in said or not {"id", "name"} & said.keys()):
            self.link = Link(said.get("href"))
            self.page.links.append(self.link)
        elif tag == "img":
            self.page.pictures.append(Picture(said.get("src", ""), said.get("alt")))
            if self.link is not None:
                self.link.words += said.get("alt", "")
        if tag not in _VOID:
            self.open.append((tag, self._styled(tag, said)))

    def _styled(self, tag: str, said: dict[str, str]) -> Look:
        look = _styled(tag, said, self.look)
        if self.coloured & set(said.get("class", "").split()):
            # By a rule of the page's own, which is not read here.
            return replace(look, fore=None, back=None)
        return look

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.link = None
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place][0] == tag:
                del self.open[place:]
                return

    def handle_data(self, data: str) -> None:
        words = self.marks.back(data).strip()
        if not words:
            return
        if self.open and self.open[-1][0] == "style":
            self.coloured |= {name for rule in _COLOURING.finditer(words) for name in _CLASS.findall(rule[1])}
        if self.open and self.open[-1][0] == "title":
            self.page.title += words
        if self.link is not None:
            self.link.words += words
        if not self.look.is_hidden and not any(tag in _UNSEEN for tag, _look in self.open):
            self.page.words.append((words, self.look))


def _styled(tag: str, said: dict[str, str], outer: Look) -> Look:
    style = _declared(said.get("style", ""))
    fore = colour(style["color"]) if "color" in style else outer.fore
    if tag == "font" and "color" in said and "color" not in style:
        fore = colour(_hex(said["color"]))
    if tag == "a" and "color" not in style:
        # Of its own accord a reader's program shows it in a blue of its own.
        fore = None
    back = outer.back
    if "bgcolor" in said:
        back = colour(_hex(said["bgcolor"]))
    for name in ("background", "background-color"):
        if name in style:
            back = colour(style[name], outer.back)
    if "background-image" in style or "url(" in style.get("background", "") or "background" in said:
        back = None
    if style.get("opacity", "1") not in ("1", "1.0"):
        fore = None
    hidden = any(style.get(name) in values for name, values in _HIDING.items())
    weight = style.get("font-weight", "")
    is_bold = (weight in ("bold", "bolder") or (weight in _HEAVY)) if weight else (outer.is_bold or tag in _BOLD)
    pixels = _pixels(style.get("font-size", ""), _HEADINGS.get(tag, outer.pixels))
    return Look(fore, back, pixels, is_bold, outer.is_hidden or hidden)


def _declared(style: str) -> dict[str, str]:
    pairs = [part.partition(":") for part in style.split(";")]
    found: dict[str, str] = {}
    # What is important comes last, and stays.
    for wanted in (False, True):
        for name, _colon, value in pairs:
            said = value.strip().lower()
            if said.endswith("!important") is wanted:
                found[name.strip().lower()] = said.removesuffix("!important").strip()
    return found


def _hex(said: str) -> str:
    """In an attribute the # is often left out."""
    return f"#{said}" if _BARE.fullmatch(said) else said


def _pixels(size: str, usual: float) -> float:
    for unit, factor in (("px", 1.0), ("pt", 4 / 3), ("rem", _USUAL_PX), ("em", usual), ("%", usual / 100)):
        if size.endswith(unit):
            try:
                return float(size.removesuffix(unit)) * factor
            except ValueError:
                return usual
    return usual
