"""Whether words can be read where they stand (WCAG 2.2, 1.4.3), and pictures by those who do not see them (1.1.1)."""

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from channels.checks.base import Finding, Level, Template, check
from channels.checks.colours import Colour, contrast

_LEAST: Final = 4.5
_LEAST_LARGE: Final = 3.0
_QUOTED: Final = 40
_MOST: Final = 5


@check(place=50)
def readable(template: Template) -> Iterator[Finding]:
    for locale, page in template.pages.items():
        seen: set[tuple[Colour, Colour]] = set()
        for words, look in page.words:
            if look.fore is None or look.back is None or (look.fore, look.back) in seen or len(seen) >= _MOST:
                continue
            ratio = contrast(look.fore, look.back)
            if ratio < (_LEAST_LARGE if look.is_large else _LEAST):
                seen.add((look.fore, look.back))
                said = {
                    "words": words[:_QUOTED],
                    "ratio": f"{ratio:.1f}",
                    "least": _LEAST_LARGE if look.is_large else _LEAST,
                }
                text = _("“%(words)s” is hard to read where it stands: its contrast is %(ratio)s and not %(least)s.")
                yield Finding(Level.WARNING, text % said, locale)


@check(place=51)
def pictures(template: Template) -> Iterator[Finding]:
    for locale, page in template.pages.items():
        for source in [one.source for one in page.pictures if one.alt is None][:_MOST]:
            text = _(
                "The picture %(source)s says nothing to who cannot see it: give it an alt, empty if it only decorates."
            )
            yield Finding(Level.WARNING, text % {"source": _short(source)}, locale)
        if any(not one.source.strip() for one in page.pictures):
            yield Finding(Level.FAULT, _("A picture has no address."), locale)
        for source in [one.source for one in page.pictures if one.source.startswith(("http:", "data:"))][:_MOST]:
            text = _("Many mail programs do not show the picture %(source)s: its address is to begin with https://.")
            yield Finding(Level.WARNING, text % {"source": _short(source)}, locale)


@check(place=52)
def language(template: Template) -> Iterator[Finding]:
    for locale, page in template.pages.items():
        if not page.language:
            text = _('The page does not say its language, by which it is read aloud: <html lang="%(locale)s">.')
            yield Finding(Level.NOTE, text % {"locale": locale}, locale)


def _short(address: str) -> str:
    return address if len(address) <= 60 else f"{address[:57]}…"
