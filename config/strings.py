"""Every text of ours that is translated, found in the sources without gettext's programs."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from django.utils.translation.template import templatize

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDERS: Final = ("analytics", "channels", "config", "consent", "customers", "journeys", "templates")
_KEYWORDS: Final = DEFAULT_KEYWORDS | {
    f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in ("gettext", "ngettext", "pgettext", "npgettext")
}


def collect(root: Path = ROOT, folders: tuple[str, ...] = FOLDERS) -> Catalog:
    """A catalogue without translations, of everything marked in Python files and templates."""
    found = Catalog()
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".py", ".html", ".txt"}:
                for message, context in _messages(path):
                    found.add(message, context=context)
    return found


def _messages(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    source = path.read_text()
    if path.suffix != ".py":
        # What is not marked becomes a line of words, in which indentation means nothing.
        source = templatize(source, origin=str(path)).replace("\n", " ").strip()
    for _line, message, _comments, context in extract("python", BytesIO(source.encode()), _KEYWORDS):
        yield message, context
