"""Whether there are words for everybody, and the same in each language."""

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from channels import options, templates
from channels.checks.base import Finding, Level, Template, check
from channels.templates import Text
from customers import locales

_MOST: Final = 8


@check(place=40)
def brands_own(template: Template) -> Iterator[Finding]:
    written = {locales.folded(text.locale) for text in template.texts}
    if template.texts and not written.intersection(locales.chain(template.brand.locale)):
        words = _("There are no words in %(locale)s, the brand’s own language.")
        yield Finding(Level.WARNING, words % {"locale": template.brand.locale})


@check(place=41)
def fill_in_the_same(template: Template) -> Iterator[Finding]:
    """A field that one language has and another has not is often forgotten, and may as well be meant."""
    read = {text.locale: _fields(text) for text in template.texts}
    everywhere = set().union(*read.values())
    for locale, fields in read.items():
        if missing := sorted(everywhere - fields)[:_MOST]:
            words = _("Other languages also tell: %(fields)s.")
            yield Finding(Level.NOTE, words % {"fields": ", ".join(missing)}, locale)


def _fields(text: Text) -> set[str]:
    found: set[str] = set()
    for source in (text.subject, text.html, text.text, *options.sources(dict(text.options))):
        try:
            found |= {".".join(path) for path in templates.read_of(source)} if "{" in source else set()
        except templates.TemplateError:
            continue
    return found - {"now", "today"}
