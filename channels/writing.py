"""From what somebody wrote to what is kept: blocks filled in, the page made of its layout, the plain words of the page.

Done once, as a version is saved: a version stays what it was, and a message costs nothing more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from django.utils.translation import gettext as _

from channels import options as channel_options
from channels import templates
from channels.blocks.source import BlockError, Filling, Part, Shelf, names, without
from channels.images.naming import ImageNameError, Library, Naming
from channels.liquid import LimitError, SourceError
from channels.liquid.source import look_through
from channels.mail import layout, plain
from channels.models import BlockUse, ImageUse, TemplateText

Field = Literal["subject", "mjml", "html", "text", "options"]
_PARTS: Final[tuple[Part, ...]] = ("mjml", "html", "text")


@dataclass(frozen=True, slots=True)
class Written:
    """The words of one locale as their author has them."""

    locale: str
    subject: str = ""
    mjml: str = ""
    html: str = ""
    text: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Made:
    """What is kept of it, and what is wrong with it, by field."""

    subject: str
    html: str
    text: str
    options: dict[str, Any]
    # As written, of what is not kept so.
    authored: dict[str, Any] = field(default_factory=dict)
    # Versions of blocks.
    blocks: set[int] = field(default_factory=set)
    images: set[UUID] = field(default_factory=set)
    faults: list[tuple[Field, str]] = field(default_factory=list)


def make(written: Written, shelf: Shelf, library: Library, channel: str) -> Made:
    return _Making(written, Filling(shelf, channel, written.locale), Naming(library)).make()


@dataclass(slots=True)
class _Making:
    written: Written
    filling: Filling
    naming: Naming
    faults: list[tuple[Field, str]] = field(default_factory=list)

    def make(self) -> Made:
        filled = {part: self._filled(part) for part in _PARTS}
        subject, options = self._named("subject", self.written.subject), self._options()
        html = self._page(filled["mjml"]) if self.written.mjml else filled["html"]
        text = filled["text"] if filled["text"].strip() else plain.to_text(html) if html else ""
        if not text.strip() and not self.faults:
            self.faults.append(("text", _("Write what is said.")))
        self._check(subject, html, text)
        kept: dict[str, Any] = {"subject": subject, "html": html, "text": text, "options": options}
        authored = {name: said for name, value in kept.items() if (said := getattr(self.written, name)) != value}
        if self.written.mjml:
            authored.pop("html", None)
        return Made(**kept, authored=authored, blocks=self.filling.used, images=self.naming.used, faults=self.faults)

    def _filled(self, part: Part) -> str:
        source: str = getattr(self.written, part)
        if not _is_closed(source):
            # For who reads the source as a whole to say.
            return source
        try:
            filled = self.filling.fill(part, source)
        except BlockError as error:
            self.faults.append((part, str(error)))
            return without(source)
        alone = self._named(part, without(source))
        if filled == source:
            return alone
        try:
            return self.naming.fill(filled)
        except ImageNameError as error:
            self._fault(part, error)
            return alone

    def _named(self, name: Field, source: str) -> str:
        """With images as their files."""
        if not _is_closed(source):
            return source
        try:
            return self.naming.fill(source)
        except ImageNameError as error:
            self.faults.append((name, str(error)))
            return source

    def _options(self) -> dict[str, Any]:
        given = self.written.options
        if not all(_is_closed(source) for source in channel_options.sources(given)):
            return given
        try:
            named: dict[str, Any] = self.naming.fill_all(given)
        except ImageNameError as error:
            self.faults.append(("options", str(error)))
            return given
        return named

    def _page(self, mjml: str) -> str:
        if self.written.html:
            self.faults.append(("html", _("There is MJML: its HTML is made of it.")))
        if self._is_wrong(layout.look_at, "mjml"):
            return ""
        try:
            return layout.to_html(mjml, self.written.locale)
        except layout.LayoutError as error:
            self._fault("mjml", error)
            return ""

    def _check(self, subject: str, html: str, text: str) -> None:
        page: Field = "mjml" if self.written.mjml else "html"
        parts: tuple[tuple[Field, str, bool], ...] = (
            ("subject", subject, False), (page, html, True), ("text", text, False),
        )  # fmt: skip
        for name, source, is_page in parts:
            if self._is_wrong(_check_page if name == "html" else templates.check, name):
                continue
            try:
                templates.check(source, is_html=is_page)
            except templates.TemplateError as error:
                self._fault(name, error)
        try:
            for source in channel_options.sources(self.written.options):
                templates.check(source)
        except templates.TemplateError as error:
            self.faults.append(("options", str(error)))

    def _is_wrong(self, check: Callable[[str], object], name: Field) -> bool:
        """As it was written, so that lines are its author's; only where it names blocks is that another source."""
        if not self._names_blocks(name):
            return False
        try:
            check(without(getattr(self.written, name)))
        except (templates.TemplateError, layout.LayoutError) as error:
            self.faults.append((name, str(error)))
            return True
        return False

    def _fault(self, name: Field, error: Exception) -> None:
        said = str(error)
        if self._names_blocks(name):
            said = _("With its blocks filled in: %(fault)s") % {"fault": said}
        self.faults.append((name, said))

    def _names_blocks(self, name: Field) -> bool:
        source = getattr(self.written, name) if name in _PARTS else ""
        return "block" in source and _is_closed(source) and any(True for _one in names(source))


def _is_closed(source: str) -> bool:
    """Whether its marks can be told from each other; what is wrong otherwise is told by whoever parses it."""
    try:
        look_through(source)
    except (SourceError, LimitError):
        return False
    return True


def _check_page(source: str) -> None:
    templates.check(source, is_html=True)


def record(text: TemplateText, made: Made) -> None:
    """Keep what a text was made of."""
    BlockUse.objects.bulk_create([BlockUse(text=text, block_version_id=one) for one in sorted(made.blocks)])
    ImageUse.objects.bulk_create([ImageUse(text=text, image_id=one) for one in sorted(made.images)])
