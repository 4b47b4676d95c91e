"""A source with the blocks that it names filled in: within bounds, and with what is wrong by its line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from django.utils.translation import gettext as _

from channels.liquid.bounds import LimitError
from channels.liquid.source import MAX_SOURCE, SourceError, look_through

Part = Literal["mjml", "html", "text"]
# A block may name blocks, and those others; who needs more has lost sight of it.
MAX_DEPTH: Final = 3
MAX_BLOCKS: Final = 100
_MARK: Final = re.compile(r"\{\{.*?\}\}|\{%(?P<left>-?)\s*(?P<name>\w*)(?P<rest>.*?)(?P<right>-?)%\}", re.DOTALL)
_VERBATIM: Final = {name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in ("comment", "doc", "raw")}
_NAMED: Final = re.compile(r"\s+(?P<quote>['\"])(?P<key>[\w-]{1,64})(?P=quote)\s*")


class BlockError(ValueError):
    """What is wrong with a block that is named, with the line where it is."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a block in one language; `version` is the row of what they are from."""

    version: int
    channel: str
    mjml: str
    html: str
    text: str


class Shelf(Protocol):
    def words(self, key: str, locale: str) -> Words | None:
        """The latest words of a block in the closest language; None where there is no such block."""


@dataclass(frozen=True, slots=True)
class Named:
    """A block's tag in a source; `key` is empty where it names none."""

    key: str
    begin: int
    end: int
    trims: tuple[bool, bool]


def names(source: str) -> Iterator[Named]:
    """Each tag of a block that is one: not what a page shows verbatim, or a comment holds."""
    for mark in _marks(source):
        if mark["name"] == "block":
            named = _NAMED.fullmatch(mark["rest"])
            trims = bool(mark["left"]), bool(mark["right"])
            yield Named(named["key"] if named else "", mark.start(), mark.end(), trims)


def marks(source: str) -> Iterator[tuple[int, int]]:
    """Where each mark that is one begins and ends; the source was looked through."""
    for mark in _marks(source):
        yield mark.span()


def _marks(source: str) -> Iterator[re.Match[str]]:
    at = 0
    while mark := _MARK.search(source, at):
        at, name = mark.end(), mark["name"]
        if name in _VERBATIM:
            end = _VERBATIM[name].search(source, at)
            at = end.end() if end else len(source)
        else:
            yield mark


def without(source: str) -> str:
    """The source with nothing where it names blocks, each line where it was."""
    said, at = [], 0
    for one in names(source):
        said += [source[at : one.begin], "\n" * source.count("\n", one.begin, one.end)]
        at = one.end
    return "".join(said) + source[at:]


@dataclass(slots=True)
class Filling:
    """The parts of one text, which share what may be filled in; `used` are the versions that were."""

    shelf: Shelf
    channel: str
    locale: str
    used: set[int] = field(default_factory=set)
    count: int = 0
    within: list[str] = field(default_factory=list)

    def fill(self, part: Part, source: str) -> str:
        """Raises BlockError."""
        try:
            look_through(source)
        except (SourceError, LimitError):
            # For who reads the source as a whole to say.
            return source
        said: list[str] = []
        at, room, lefts = 0, MAX_SOURCE, False
        for one in names(source):
            before = source[at : one.begin].lstrip() if lefts else source[at : one.begin]
            said.append(before.rstrip() if one.trims[0] else before)
            said.append(self._words(part, one, source))
            at, lefts = one.end, one.trims[1]
            room -= len(said[-1]) + len(said[-2])
            if room < 0:
                raise self._fault(
                    _("With its blocks it has more than %(most)s characters") % {"most": MAX_SOURCE}, one, source
                )
        return "".join(said) + (source[at:].lstrip() if lefts else source[at:])

    def _words(self, part: Part, one: Named, source: str) -> str:
        if not one.key:
            raise self._fault(_("A block is named in quotes, as in {%% block 'footer' %%}") % {}, one, source)
        self.count += 1
        if self.count > MAX_BLOCKS:
            raise self._fault(_("More than %(most)s blocks are filled in") % {"most": MAX_BLOCKS}, one, source)
        if one.key in self.within:
            raise self._fault(_("The block “%(key)s” holds itself") % {"key": one.key}, one, source)
        if len(self.within) >= MAX_DEPTH:
            raise self._fault(_("Blocks are nested too deep") % {}, one, source)
        words = self.shelf.words(one.key, self.locale)
        said = self._of(part, one, words, source)
        self.within.append(one.key)
        try:
            return self.fill(part, said).strip("\r\n")
        except BlockError as error:
            raise self._fault(
                _("In the block “%(key)s”: %(fault)s") % {"key": one.key, "fault": str(error).rstrip(".")}, one, source
            ) from None
        finally:
            self.within.pop()

    def _of(self, part: Part, one: Named, words: Words | None, source: str) -> str:
        if words is None:
            raise self._fault(_("There is no block “%(key)s” with words") % {"key": one.key}, one, source)
        if words.channel not in (self.channel, "any") and self.channel != "any":
            raise self._fault(_("The block “%(key)s” is for another channel") % {"key": one.key}, one, source)
        said = {"mjml": words.mjml, "html": words.html, "text": words.text}[part]
        if not said.strip():
            part_name = {"mjml": "MJML", "html": "HTML", "text": _("text")}[part]
            raise self._fault(
                _("The block “%(key)s” has no %(part)s") % {"key": one.key, "part": part_name}, one, source
            )
        self.used.add(words.version)
        return said

    @staticmethod
    def _fault(said: str, one: Named, source: str) -> BlockError:
        line = source.count("\n", 0, one.begin) + 1
        return BlockError(_("%(what)s, in line %(line)s.") % {"what": said, "line": line})
