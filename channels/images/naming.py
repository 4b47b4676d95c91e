"""Images named in words: `{{ 'logo' | image_url }}` says a key of the library, and is kept as the file it stood for.

So a version shows what it showed as it was saved, whatever the library holds later, and filling it in asks nobody.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

from django.utils.translation import gettext as _

from channels.blocks.source import marks
from channels.images.addresses import NAME
from channels.models import Image

FILTER: Final = "image_url"
_NAMED: Final = re.compile(r"(?P<quote>['\"])(?P<key>[\w.-]{1,64})(?P=quote)(?P<between>\s*\|\s*)\Z")
_FILTER: Final = re.compile(rf"['\"]|\b{FILTER}\b")


class ImageNameError(ValueError):
    """What is wrong with an image that is named, with the line where it is."""


class Library(Protocol):
    def image(self, key: str) -> Image | None: ...


class BrandLibrary:
    """A brand's images, each read as it is first named: by its key, or by its file."""

    def __init__(self, brand_id: UUID) -> None:
        self._brand_id = brand_id
        self._known: dict[str, Image | None] = {}

    def image(self, key: str) -> Image | None:
        if key not in self._known:
            rows = Image.objects.filter(brand_id=self._brand_id)
            by = {"file": key} if NAME.fullmatch(key) else {"key": key}
            self._known[key] = rows.filter(**by).first()
        return self._known[key]


@dataclass(slots=True)
class Naming:
    """The parts of one text; `used` are the images that they show."""

    library: Library
    used: set[UUID] = field(default_factory=set)

    def fill(self, source: str) -> str:
        """Raises ImageNameError. The source was looked through: all of its marks are closed."""
        if FILTER not in source:
            return source
        said, at = [], 0
        for begin, end in marks(source):
            said += [source[at:begin], self._in_mark(source, begin, end)]
            at = end
        return "".join(said) + source[at:]

    def fill_all(self, given: Any) -> Any:
        """Each text of a document."""
        if isinstance(given, str):
            return self.fill(given)
        if isinstance(given, dict):
            return {name: self.fill_all(value) for name, value in given.items()}
        return [self.fill_all(value) for value in given] if isinstance(given, list) else given

    def _in_mark(self, source: str, begin: int, end: int) -> str:
        mark = source[begin:end]
        said, at = [], 0
        for found in _filters(mark):
            named = _NAMED.search(mark, at, found)
            if named is None or mark[at : named.start()].rstrip().endswith((":", ",")):
                # Of no text, or of one that another filter takes.
                raise self._fault(_("image_url takes the key of an image in quotes") % {}, source, begin + found)
            image = self.library.image(named["key"])
            if image is None:
                raise self._fault(_("There is no image “%(key)s”") % {"key": named["key"]}, source, begin + found)
            self.used.add(image.pk)
            said += [mark[at : named.start()], f"'{image.file}'{named['between']}"]
            at = found
        return "".join(said) + mark[at:]

    @staticmethod
    def _fault(said: str, source: str, at: int) -> ImageNameError:
        line = source.count("\n", 0, at) + 1
        return ImageNameError(_("%(what)s, in line %(line)s.") % {"what": said, "line": line})


def _filters(mark: str) -> Iterator[int]:
    """Where the filter's name stands in a mark, and not in a text of it."""
    quote = ""
    for found in _FILTER.finditer(mark):
        if found[0] in "'\"":
            quote = "" if quote == found[0] else quote or found[0]
        elif not quote:
            yield found.start()
