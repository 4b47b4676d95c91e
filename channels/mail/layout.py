"""MJML made into a page once, as it is saved: Liquid in it stays as it is and is filled in for each message.

The renderer (mrml) is quick and says little: it takes elements that do not exist for nothing, tells no lines, and its
recursion ends the process where elements are nested by the thousand. So a source is looked through first, and made on
a stack that holds what may be nested.
"""

import html
import re
import threading
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import mjml
from django.utils.translation import gettext as _

from channels.mail.marks import MARK, Marks

MAX_SOURCE: Final = 256 * 1024
MAX_TAGS: Final = 3_000
MAX_DEPTH: Final = 50
# What 3,000 nested ones take, three times.
_STACK: Final = 64 * 1024 * 1024
_TAG: Final = re.compile(
    r"<!--.*?-->|<(?P<end>/?)(?P<name>mj[\w-]*)(?P<rest>(?:[^\"'<>]|\"[^\"]*\"|'[^']*')*)>", re.DOTALL
)
_FOREIGN: Final = re.compile(r"<!(?!--|\[endif|\[if)|<\?", re.IGNORECASE)
# Of these the inside is a page's own, and a mark in it stands as it is.
_HOLD_HTML: Final = frozenset(
    {
        "mj-accordion-text", "mj-accordion-title", "mj-button", "mj-navbar-link", "mj-preview", "mj-raw",
        "mj-social-element", "mj-style", "mj-table", "mj-text", "mj-title",
    }
)  # fmt: skip
_HOLD_ELEMENTS: Final = frozenset(
    {
        "mjml", "mj-accordion", "mj-accordion-element", "mj-attributes", "mj-body", "mj-carousel", "mj-column",
        "mj-group", "mj-head", "mj-hero", "mj-html-attribute", "mj-html-attributes", "mj-navbar", "mj-section",
        "mj-selector", "mj-social", "mj-wrapper",
    }
)  # fmt: skip
_HOLD_NOTHING: Final = frozenset(
    {
        "mj-all", "mj-breakpoint", "mj-carousel-image", "mj-class", "mj-divider", "mj-font", "mj-image", "mj-spacer",
    }
)  # fmt: skip
_KNOWN: Final = _HOLD_HTML | _HOLD_ELEMENTS | _HOLD_NOTHING
_NO_LANGUAGE: Final = 'lang="und"'
_stacks = threading.Lock()


class LayoutError(ValueError):
    """What is wrong with a layout, with the line."""


@dataclass(frozen=True, slots=True)
class _Open:
    name: str
    at: int


def to_html(source: str, locale: str) -> str:
    """The page, its Liquid still in it; raises LayoutError."""
    if len(source) > MAX_SOURCE or source.count("<") > 2 * MAX_TAGS:
        limits = {"characters": MAX_SOURCE, "tags": MAX_TAGS}
        raise LayoutError(_("It has more than %(characters)s characters, or %(tags)s tags.") % limits)
    within = _Within(source)
    marks = Marks()
    page = _made(marks.aside(source, within.around))
    # What reads it aloud is told the language, unless its author did.
    return marks.back(page.replace(_NO_LANGUAGE, f'lang="{html.escape(locale)}"'))


def look_at(source: str) -> None:
    """Raise LayoutError for elements that are none, or are not closed, be it a whole layout or a part of one."""
    _Within(source)


class _Within:
    """Which element each place of a source is in; raises LayoutError for what the renderer would not tell."""

    def __init__(self, source: str) -> None:
        self.source = source
        if foreign := _FOREIGN.search(source):
            raise self._fault(_("Declarations have no place in it"), foreign.start())
        # From where on the inside of which element it is; in a tag, of none.
        self.spans = list(self._read())

    def around(self, at: int, token: str) -> str:
        """A mark between elements stands in an element that may be there; in a tag or in words it stands alone."""
        inside = self.spans[bisect(self.spans, at, key=lambda span: span[0]) - 1][1] if self.spans else ""
        return f"<mj-raw>{token}</mj-raw>" if inside in _HOLD_ELEMENTS and inside != "mjml" else token

    def _read(self) -> Iterator[tuple[int, str]]:
        open_: list[_Open] = []
        for tag in _TAG.finditer(self._without_marks()):
            name, at = tag["name"], tag.start()
            if name is None:
                continue
            if not tag["end"] and open_ and open_[-1].name in _HOLD_HTML:
                said = _("%(name)s cannot stand in %(outer)s") % {"name": name, "outer": open_[-1].name}
                raise self._fault(said, at)
            yield at, ""
            if tag["end"]:
                self._close(open_, name, at)
            elif not tag["rest"].endswith("/"):
                self._check(name, at, len(open_))
                open_.append(_Open(name, at))
            else:
                self._check(name, at, len(open_))
            yield tag.end(), open_[-1].name if open_ else ""
        if open_:
            raise self._fault(_("%(name)s is not closed") % {"name": open_[-1].name}, open_[-1].at)

    def _without_marks(self) -> str:
        """As long as it was, so that places stay what they are."""
        return MARK.sub(lambda mark: " " * len(mark[0]), self.source)

    def _check(self, name: str, at: int, depth: int) -> None:
        if name == "mj-include":
            raise self._fault(_("Nothing can be included from elsewhere"), at)
        if name not in _KNOWN:
            raise self._fault(_("There is no element %(name)s") % {"name": name}, at)
        if depth >= MAX_DEPTH:
            raise self._fault(_("Elements are nested too deep"), at)

    def _close(self, open_: list[_Open], name: str, at: int) -> None:
        if not open_ or open_[-1].name != name:
            raise self._fault(_("%(name)s is closed where it is not open") % {"name": name}, at)
        open_.pop()

    def _fault(self, said: str, at: int) -> LayoutError:
        return LayoutError(_in_line(said, self.source.count("\n", 0, at) + 1))


def _made(source: str) -> str:
    """On a stack of its own: a web worker's is too small for what may be nested."""
    told: list[str | Exception] = []

    def make() -> None:
        try:
            # Of its own accord it would have every reader call Google for fonts.
            told.append(mjml.mjml2html(source, disable_comments=True, fonts={}))
        except ValueError as error:
            told.append(error)

    with _stacks:
        usual = threading.stack_size(_STACK)
        try:
            maker = threading.Thread(target=make, name="mjml")
            maker.start()
        finally:
            threading.stack_size(usual)
    maker.join()
    if not told or not isinstance(told[0], str):
        raise LayoutError(_renderers(str(told[0]) if told else "", source))
    return told[0]


def _renderers(said: str, source: str) -> str:
    """Its own words, its offset as a line."""
    place = re.search(r" in root template(?: at position (\d+):\d+)?$", said)
    if place is None or place[1] is None:
        return _("It cannot be read as MJML: %(why)s.") % {"why": said[: place.start()] if place else said}
    line = source.encode()[: int(place[1])].count(b"\n") + 1
    return _in_line(_("It cannot be read as MJML: %(why)s") % {"why": said[: place.start()]}, line)


def _in_line(said: str, line: int) -> str:
    return _("%(what)s, in line %(line)s.") % {"what": said, "line": line}
